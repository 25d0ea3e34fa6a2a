"""Shares that are told add up: pupils add them."""

import random
import re

import pytest

from emotion.streams.session.comparison import Side, comparison_html
from emotion.streams.session.percents import percents, shares_told
from tests.streams.session.made import session
from tests.streams.session.test_reports import report, words


def test_four_shares_that_rounding_makes_101_of_are_told_as_100() -> None:
    shares = {"Happy": 0.355, "Sad": 0.296, "Angry": 0.239, "Neutral": 0.11}
    assert shares_told(shares) == "Happy 35%, Sad 30%, Angry 24%, Neutral 11%"
    assert shares_told(shares, 1) == "Happy 35.5%, Sad 29.6%, Angry 23.9%, Neutral 11.0%"


@pytest.mark.parametrize("digits", [0, 1])
def test_any_shares_add_up_and_are_near_to_what_they_are(digits: int) -> None:
    drawn = random.Random(1)
    for _ in range(500):
        parts = [drawn.random() ** 3 for _ in range(drawn.randint(1, 9))]
        shares = {str(i): part / sum(parts) for i, part in enumerate(parts)}
        told = percents(shares, digits)
        assert list(told) == list(shares)
        assert sum(float(text.rstrip("%")) for text in told.values()) == pytest.approx(100)
        for name, text in told.items():
            assert abs(float(text.rstrip("%")) - 100 * shares[name]) < 10**-digits
        other = dict(sorted(shares.items(), key=lambda item: item[1]))
        assert percents(other, digits) == told, "the same shares in another order"


def test_equal_shares_add_up_wherever_they_stand() -> None:
    thirds = dict.fromkeys(("Sad", "Happy", "Neutral"), 1 / 3)
    assert percents(thirds, 1) == {"Sad": "33.3%", "Happy": "33.4%", "Neutral": "33.3%"}


def test_parts_of_a_part_add_up_to_the_part() -> None:
    assert shares_told({"low probability": 0.0334, "too small": 0.0333}, 1) == "low probability 3.4%, too small 3.3%"
    assert percents({}) == {}


def test_shares_of_a_report_add_up_and_those_of_a_comparison_are_the_same() -> None:
    """Three expressions a third of the time each: 33.3% three times are no whole."""
    thirds = session(*["Happy", "Sad", "Neutral"] * 20)
    column = re.findall(r'<td class="share">([\d.]+)%', report(thirds))[:3]
    assert sorted(column) == ["33.3", "33.3", "33.4"] or sum(map(float, column)) == pytest.approx(100)
    table = words(comparison_html(Side("a", thirds), Side("b", thirds)))
    told = re.findall(r"(?:Happy|Sad|Neutral) ([\d.]+)% ([\d.]+)% 0\.0", table)
    assert len(told) == 3
    assert [both for both, _ in told] == [both for _, both in told] == column


def test_a_difference_is_that_of_the_shares_beside_it() -> None:
    calm, glad = (
        session(*labels * 8) for labels in (["Neutral", "Happy", "Sad"], ["Happy", "Happy", "Sad", "Neutral"])
    )
    table = words(comparison_html(Side("a", calm), Side("b", glad)))
    for first, second, difference in re.findall(r"(?:Happy|Sad|Neutral) ([\d.]+)% ([\d.]+)% ([−+]?[\d.]+) ", table)[:3]:
        assert float(second) - float(first) == pytest.approx(float(difference.replace("−", "-")))
