"""Reports on sessions: with intervals and marks, the same after opening, and two side by side."""

import re
from dataclasses import replace

import pytest

from emotion.errors import SessionError
from emotion.streams.report import report_html
from emotion.streams.session.comparison import Side, comparison_html
from emotion.streams.session.marks import Pause, TimeMark
from emotion.streams.session.saved import SavedSession, open_session, save_session
from tests.streams.session.made import moments, session
from tests.streams.test_report import _Read


def report(of: SavedSession) -> str:
    return report_html(
        "talk",
        of.moments,
        of.classes,
        of.model_names,
        of.voted_by,
        smoothed=of.smoothed,
        lasts=of.interval_seconds,
        marks=of.marks,
        pauses=of.pauses,
    )


def words(html: str) -> str:
    return " ".join(_Read(html).text().split())


def test_a_session_that_was_opened_has_the_same_report() -> None:
    """Number for number, and each line of each chart."""
    whole = session("Happy", "Sad", None, "Neutral", "Happy", "Happy", "Sad")
    assert report(open_session(save_session(whole))) == report(whole)


def test_shares_have_their_ranges_and_so_has_what_is_uncertain() -> None:
    whole = replace(session(*["Happy", "Happy", "Sad"] * 20), pauses=())
    text = words(report(whole))
    happy, sad = (re.search(rf"at 0:0\d. (\d+\.\d)% (\d+)–(\d+)% {after}", text) for after in ("Sad", "Neutral"))
    assert happy is not None
    assert sad is not None
    assert happy.group(1) == "66.7"
    assert 50 < int(happy.group(2)) < 65 < 70 < int(happy.group(3))
    assert re.search(r"Uncertain for whatever reason 0\.0% 0–\d+% Not fit to be judged 0\.0% 0–\d+%", text)


def test_marks_stand_in_the_charts_and_in_a_list() -> None:
    whole = session(*["Happy"] * 10)
    html = report(whole)
    text = words(html)
    assert "Marks Mark At Word 1 0:02.5 question 1 2 0:07 =1+1" in text
    assert 'class="mark" id="m3" d="M90.0 0v60M252.0 0v60"' in html
    assert html.count('href="#m3"') == 3


def test_a_mark_outside_of_what_is_drawn_is_only_listed() -> None:
    html = report(replace(session("Happy"), marks=(TimeMark(500.0, "late"),)))
    assert "late" in words(html)
    assert 'id="m3" d=""' in html


def test_many_marks_are_counted_where_they_are_not_listed() -> None:
    html = report(replace(session("Happy"), marks=tuple(TimeMark(0.001 * i, "x") for i in range(1000))))
    assert "800 further marks are not listed." in words(html)
    assert len(html) < 200_000


def test_pauses_are_named_and_left_out() -> None:
    whole = replace(session("Happy", "Sad", "Sad", "Sad", "Happy", "Happy"), pauses=(Pause(2.0, 8.0),))
    text = words(report(whole))
    assert (
        "looked at 3 times from 0:00 to 0:12 (minutes:seconds), begun 2026-01-02 03:04 UTC. "
        "Left out as pauses: 0:02 to 0:08" in text
    )
    assert "Seen for 6.0 s" in text
    assert "Happy 100.0%" in text.replace("Happy Probability", "")


def test_a_session_that_is_one_pause_has_a_report() -> None:
    assert "There was no vote." in words(report(replace(session("Happy"), pauses=(Pause(0.0),))))


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;b&gt;"])
@pytest.mark.hostile("the text as it is, which no browser runs")
def test_words_of_others_stay_text(text: str) -> None:
    plain = session(*["Happy"] * 5)
    marked = replace(plain, marks=(TimeMark(2.5, text), TimeMark(7.0, text)), voted_by=text)
    read = _Read(report(marked))
    assert {tag for tag, _ in read.elements} == {tag for tag, _ in _Read(report(plain)).elements}
    assert text in read.text("bdi")
    two = _Read(comparison_html(Side(text, marked), Side(text, plain)))
    assert {tag for tag, _ in two.elements} == {
        tag for tag, _ in _Read(comparison_html(Side("a", plain), Side("b", plain))).elements
    } | {"strong"}
    assert text in two.text("h1")


def two(first: SavedSession, second: SavedSession) -> str:
    return comparison_html(Side("monday", first), Side("friday", second))


def test_two_sessions_stand_side_by_side_with_what_differs() -> None:
    calm = replace(session(*(["Neutral"] * 9 + ["Happy"]) * 40), pauses=())
    glad = replace(session(*(["Neutral"] + ["Happy"] * 9) * 40), pauses=())
    html = two(calm, glad)
    text = words(html)
    assert "Different by more than chance explains: Happy and Neutral." in text
    assert re.search(r"Happy 10\.0% 90\.0% \+80\.0 \+\d\d\.\d to \+\d\d\.\d differs", text)
    assert re.search(r"Sad 0\.0% 0\.0% 0\.0 −\d+\.\d to \+\d+\.\d may be chance", text)
    assert "monday" in text
    assert len(html.encode()) < 2_000_000
    assert not re.search(r"https?:|//|<script|<link|<img|<iframe|@import|url\(|\bon[a-z]+=", html)
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(set(ids)) == len(ids)


def test_a_session_does_not_differ_from_itself_nor_a_short_one_from_another() -> None:
    whole = session("Happy", "Sad", "Sad", "Neutral", "Neutral")
    assert "Nothing differs by more than chance explains." in words(two(whole, whole))
    assert "Nothing differs" in words(two(whole, session("Sad", "Sad", "Sad", "Happy", "Sad")))


def test_other_models_or_settings_are_said() -> None:
    whole = session("Happy", "Sad")
    assert "Note: Other models voted on each: mine and yours. What differs may be theirs." in words(
        two(whole, replace(whole, fingerprint="e" * 64, voted_by="yours"))
    )
    assert "Note: Other models voted on each, though they have the same name." in words(
        two(whole, replace(whole, fingerprint="e" * 64))
    )
    assert "Note: Votes were smoothed in another way in each." in words(two(whole, replace(whole, smoothed=True)))
    assert "Note" not in words(two(whole, whole))


def test_two_faces_of_one_session_can_be_compared() -> None:
    whole = replace(session(*["Happy", "Sad"] * 10), pauses=())
    other = tuple(
        replace(moment, faces=(*moment.faces, replace(moment.faces[0], number=8))) for moment in moments(*["Sad"] * 20)
    )
    both = replace(whole, moments=other)
    text = words(comparison_html(Side("Anna", both, 3), Side("Ben", both, 8)))
    assert "Face 3" in text
    assert "Face 8" in text


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (
            (Side("a", session("Sad")), Side("b", session(None))),
            "In b nobody was seen, so there is nothing to compare: choose another session.",
        ),
        (
            (Side("a", session("Sad"), 9), Side("b", session("Sad"))),
            "In a there is no face 9: choose one of its faces.",
        ),
        (
            (Side("a", session("Sad")), Side("b", replace(session("Sad"), classes=("Happy", "Sad", "Calm")))),
            "The two sessions have other expressions, so they cannot be compared: choose another one.",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(sides: tuple[Side, Side], said: str) -> None:
    with pytest.raises(SessionError) as refused:
        comparison_html(*sides)
    assert str(refused.value) == said
