"""Shares of the time, and how far they can be believed."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.shares import measured, seen, seven, two
from emotion.streams.record import Moment, summaries
from emotion.streams.session.differences import UNCERTAIN, UNFIT, differences
from emotion.streams.session.shares import Shares, seen_of, shares_of
from tests.streams.session.made import CLASSES, face, moments


def shares(*labels: str | None, every: float = 2.0) -> Shares:
    found = seen_of(moments(*labels, every=every), CLASSES, smoothed=False, lasts=every)
    assert found is not None
    return shares_of(found)


def test_shares_are_those_of_the_summary() -> None:
    """Two numbers for one thing would be worse than none."""
    some = moments("Happy", "Sad", None, "Sad", "Neutral", "Happy", "Happy")
    some[3] = replace(some[3], faces=(face("Sad", why="too small"),))
    some[4] = replace(some[4], faces=(face("Neutral", why="low probability"),))
    summary = summaries(some, smoothed=False, lasts=2.0)[3]
    found = seen_of(some, CLASSES, 3, smoothed=False, lasts=2.0)
    assert found is not None
    said = shares_of(found)
    assert said.seconds == summary.seconds
    assert {label: share.share for label, share in said.labels.items()} == pytest.approx(summary.shares)
    assert said.uncertain.share == pytest.approx(summary.uncertain)
    assert said.unfit.share == pytest.approx(summary.doubts["too small"])
    for share in (*said.labels.values(), said.uncertain, said.unfit):
        assert 0 <= share.low <= share.share <= share.high <= 1


def test_many_votes_on_few_changes_say_little() -> None:
    """Ten times as many votes in the same minute are the same minute."""
    seldom = shares(*(["Happy"] * 10 + ["Sad"] * 10) * 3, every=1.0).labels["Happy"]
    often = shares(*(["Happy"] * 100 + ["Sad"] * 100) * 3, every=0.1).labels["Happy"]
    independent = 2 * 1.96 * np.sqrt(0.25 / 600)
    assert often.high - often.low == pytest.approx(seldom.high - seldom.low, abs=0.1)
    assert often.high - often.low > 4 * independent


@pytest.mark.parametrize("votes", [1, 2, 5, 60])
def test_what_was_never_or_always_seen_has_a_range(votes: int) -> None:
    said = shares(*["Happy"] * votes)
    always, never = said.labels["Happy"], said.labels["Sad"]
    assert (always.share, always.high) == (1.0, 1.0)
    assert (never.share, never.low) == (0.0, 0.0)
    assert always.low < 0.95
    assert never.high > 0.05


def test_the_longer_something_was_not_seen_the_less_it_may_be() -> None:
    highs = [shares(*["Happy", "Happy", "Neutral"] * n).labels["Sad"].high for n in (3, 30, 300)]
    assert highs[0] > 0.1
    assert highs == sorted(highs, reverse=True)
    assert highs[2] < 0.03


def test_a_face_that_was_never_seen_has_no_shares() -> None:
    assert seen_of(moments(None, None), CLASSES) is None
    assert seen_of([], CLASSES) is None
    assert seen_of(moments("Sad"), CLASSES, 99) is None


def test_the_largest_face_counts_where_none_is_asked_for() -> None:
    crowd = [Moment(float(i), None, (face("Sad", 1), face("Happy", 2))) for i in range(4)]
    found = seen_of(crowd, CLASSES, smoothed=False, lasts=1.0)
    assert found is not None
    assert shares_of(found).labels["Sad"].share == 1.0


def test_the_same_votes_give_the_same_ranges() -> None:
    """A report that is made twice must not differ."""
    assert shares(*["Happy", "Sad"] * 20) == shares(*["Happy", "Sad"] * 20)


def test_differences_are_by_name_whatever_the_order_of_the_classes() -> None:
    first = seen_of(moments(*["Happy"] * 200, *["Sad"] * 2, *["Happy"] * 200), CLASSES, smoothed=False)
    second = seen_of(moments(*["Sad", "Sad", "Happy"] * 80), CLASSES[::-1], smoothed=False)
    assert first is not None
    assert second is not None
    found = differences(first, second)
    assert list(found) == [*CLASSES, UNCERTAIN, UNFIT]
    assert found["Happy"].difference < -0.6
    assert found["Happy"].differs
    assert found["Sad"].differs
    assert not found["Neutral"].differs
    for difference in found.values():
        assert difference.low <= difference.difference <= difference.high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("minutes", "every", "stay"), [(1.0, 0.5, 1.0), (5.0, 0.5, 3.0), (5.0, 2.0, 10.0), (20.0, 2.0, 30.0)]
)
def test_ranges_hold_the_truth_as_often_as_they_say(minutes: float, every: float, stay: float) -> None:
    """A quick version of benchmarks/shares.py."""
    random = np.random.default_rng(5)
    chains = [*(two(share, stay) for share in (0.2, 0.5)), seven(random, stay), seven(random, stay)]
    rates = measured(chains, 60, minutes, every, random)
    assert 0.92 < rates["ours"] <= 0.985
    assert rates["independent"] < 0.9


@pytest.mark.slow
def test_ranges_are_not_taken_in_by_single_votes_that_are_mistaken() -> None:
    """Each of them looks like an expression that came and went; what is slow would seem to be known well."""
    random = np.random.default_rng(7)
    rates = measured([two(0.2, 10.0), two(0.5, 10.0)], 60, 20.0, 0.5, random, mistaken=0.1)
    assert 0.88 < rates["ours"] <= 0.99
    assert rates["independent"] < 0.5


@pytest.mark.parametrize("labels", [["Happy", "Sad"] * 30, ["Happy"] * 59 + ["Sad"], ["Sad", *["Happy"] * 59]])
def test_votes_that_alternate_or_change_once_have_ranges_too(labels: list[str]) -> None:
    said = shares(*labels).labels["Sad"]
    assert 0 <= said.low <= said.share <= said.high < 1
    assert said.high - said.low > 0.01


@pytest.mark.slow
def test_the_same_person_is_seldom_called_different_from_herself() -> None:
    random = np.random.default_rng(6)
    chain = seven(random, 3.0)
    looks = chain.sessions(random, 60, 300.0, 1.0)
    pairs = zip(looks[::2], looks[1::2], strict=True)
    told = [any(d.differs for d in differences(seen(a, 7, 1.0), seen(b, 7, 1.0)).values()) for a, b in pairs]
    assert np.mean(told) <= 0.1
