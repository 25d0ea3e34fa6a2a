"""The report on votes over time: whoever gets it has nothing but this file."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from emotion.faces.detect import Box
from emotion.streams.course import Course, Span, clock
from emotion.streams.record import FaceRecord, Moment, summaries
from emotion.streams.report import MOST_DRAWN, MOST_LISTED, report_html
from emotion.vote.voting import Vote

CLASSES = ("Happy", "Sad", "Neutral")
MODELS = ("a", "b")


def face(number: int, label: str, share: float = 0.8, why: str = "") -> FaceRecord:
    rest = (1 - share) / (len(CLASSES) - 1)
    vote = Vote(
        label, (label,) * 2, {name: share if name == label else rest for name in CLASSES}, False, bool(why), why
    )
    return FaceRecord(number, vote, vote, Box(0, 0, 9, 9))


def film(*labels: str, every: float = 0.2) -> list[Moment]:
    return [Moment(every * i, None, (face(1, label),), i) for i, label in enumerate(labels)]


def report(moments: Sequence[Moment], title: str = "talk.mp4", classes: Sequence[str] = CLASSES, **more: object) -> str:
    return report_html(title, moments, classes, MODELS, "shipped", **more)  # type: ignore[arg-type]


class _Read(HTMLParser):
    """What a browser makes of it: elements with their attributes, and the text in each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "path", "use"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements are closed in turn"

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def text(self, *tags: str) -> str:
        return " ".join(text for tag, text in self.texts if not tags or tag in tags)


def test_the_numbers_are_those_of_the_summaries() -> None:
    moments = [
        Moment(0.0, None, (face(1, "Happy"), face(2, "Sad", 0.4, "low probability"))),
        Moment(0.2, None, (face(1, "Sad", why="too small"), face(2, "Sad"))),
        Moment(0.4, None, (face(1, "Happy"),)),
        Moment(0.6, None, (face(1, "Happy"),)),
    ]
    text = " ".join(_Read(report(moments)).text().split())
    for number, summary in summaries(moments, smoothed=True).items():
        part = text.partition(f"Face {number} ")[2].partition(f"Face {number + 1} ")[0]
        assert f"Seen for {summary.seconds:.1f} s, between " in part
        assert f"Changes: {summary.changes}." in part
        assert f"Longest stretch: {summary.longest_label}, {summary.longest_seconds:.1f} s." in part
        assert f"Uncertain: {summary.uncertain:.1%} of the time" in part
        for why, share in summary.doubts.items():
            assert f"{why} {share:.1%}" in part
        for label in CLASSES:
            assert f"{summary.shares.get(label, 0):.1%}" in part.rpartition(f"{label} Probability of {label}")[2]


def test_a_chart_shows_what_was_voted_when() -> None:
    moments = [*film(*["Happy"] * 10, *["Sad"] * 10)]
    moments[15] = Moment(3.0, None, (face(1, "Sad", why="blurred"),))
    moments[18] = Moment(3.6, None, ())
    course = Course.of(1, moments, CLASSES, Span(0.0, 4.0), smoothed=True)
    columns = [round(180 * seconds) for seconds in (0.1, 1.9, 2.1, 3.1, 3.7, 3.9)]
    assert [int(course.labels[column]) for column in columns] == [0, 0, 1, 1, -1, 1]
    assert [bool(course.doubtful[column]) for column in columns] == [False, False, False, True, False, False]
    assert course.probabilities[0, columns[0]] == pytest.approx(0.8)
    assert course.probabilities[1, columns[4]] == 0


def test_a_chart_is_true_to_the_shares_of_many_votes_in_a_step() -> None:
    """Of an hour, a step of a chart is five seconds: what most of them say is drawn."""
    hour = film(*(["Happy"] * 17 + ["Sad"] * 8) * 720)
    course = Course.of(1, hour, CLASSES, Span(0.0, 3600.0), smoothed=True)
    assert set(course.labels) == {0}
    assert course.probabilities[0] == pytest.approx(0.8 * 17 / 25 + 0.1 * 8 / 25, abs=0.01)


def test_a_reader_who_does_not_see_the_charts_is_told_what_they_show() -> None:
    read = _Read(report(film("Happy", "Happy", "Sad")))
    charts = [attributes for tag, attributes in read.elements if tag == "svg"]
    assert len(charts) == 1 + len(CLASSES)
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    for attributes in charts:
        assert attributes["role"] == "img"
        assert set((attributes["aria-labelledby"] or "").split()) <= ids
    assert "Votes on face 1 over time" in read.text("title")
    told = read.text("desc")
    assert "Happy 66.7%, Sad 33.3% of the time. In turn: Happy 0:00 to 0:00.4, Sad 0:00.4 to 0:00.6." in told
    assert "On average 57%, at most 80%, at 0:00." in told


def test_it_is_one_file_that_asks_for_nothing() -> None:
    html = report(film("Happy", "Sad"))
    assert not re.search(r"https?:|//|<script|<link|<img|<iframe|@import|url\(|\bon[a-z]+=", html)
    read = _Read(html)
    assert read.open == []
    assert ("html", {"lang": "en"}) in read.elements
    assert [tag for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)][:2] == ["h1", "h2"]


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><b>", "</title><b>", "&lt;b&gt;"]
)
@pytest.mark.hostile("the text as it is, which no browser runs")
def test_names_of_others_stay_text(text: str) -> None:
    hostile = (text, "Sad", "Neutral")
    vote = Vote(text, (text,) * 2, dict(zip(hostile, (0.8, 0.1, 0.1), strict=True)), False, True, text)
    moments = [Moment(0.2 * i, None, (FaceRecord(1, vote, vote, Box(0, 0, 9, 9)),)) for i in range(3)]
    html = report_html(text, moments, hostile, (text, "b"), text, notes=[text])
    read = _Read(html)
    plain = _Read(report(film("Happy", "Happy", "Happy"), notes=["n"]))
    assert {tag for tag, _ in read.elements} == {tag for tag, _ in plain.elements}
    assert text in read.text("h1")
    assert text in read.text("th")
    assert text in read.text("strong")


def test_a_name_that_is_no_utf_8_can_be_written() -> None:
    assert "<h1>Facial expressions: film \\udcff.mp4</h1>" in report(film("Sad"), "film \udcff.mp4").encode().decode()


@pytest.mark.slow
def test_an_hour_of_many_faces_stays_small() -> None:
    """Under two megabytes, which a mail takes, whatever the faces do: here, each vote is another one."""
    people = MOST_DRAWN + 3
    labels = ("Happy", "Sad", "Neutral", "Fear", "Angry", "Disgust", "Surprise")
    moments = []
    for i in range(18_000):
        faces = []
        for number in range(1, people + 1):
            spread = [1.05 + math.sin(i * (1 + number / 7) + 2 * k) for k in range(len(labels))]
            shares = {label: value / sum(spread) for label, value in zip(labels, spread, strict=True)}
            label = max(shares, key=shares.__getitem__)
            vote = Vote(label, (label,) * 2, shares, False, (i // 25 + number) % 2 == 0, "too dark")
            faces.append(FaceRecord(number, vote, vote, Box(0, 0, 9, 9)))
        moments.append(Moment(0.2 * i, None, tuple(faces)))
    html = report(moments, classes=labels)
    assert len(html.encode()) < 2_000_000
    assert html.count('class="course"') == MOST_DRAWN
    assert f"Charts are below for the first {MOST_DRAWN}." in html


def test_of_a_crowd_those_who_are_not_listed_are_counted() -> None:
    crowd = tuple(face(number, "Happy") for number in range(1, MOST_LISTED + 4))
    assert "3 further faces are not listed; none of them was seen for longer than 0.2 s." in report(
        [Moment(0.0, None, crowd)]
    )


@pytest.mark.parametrize("moments", [[], [Moment(0.0, None, ()), Moment(0.2, None, ())]], ids=["no vote", "no face"])
def test_a_film_without_a_face_says_so(moments: list[Moment]) -> None:
    html = report(moments)
    assert "No face was found." in html
    assert "<svg" not in html
    assert "An expression is not a feeling." in html


def test_a_single_vote_has_a_report() -> None:
    text = _Read(report(film("Sad"))).text()
    assert "1 face, looked at once from 0:00 to 0:00.2" in text
    assert "Seen for 0.2 s, at 0:00." in text


def test_notes_on_the_film_and_the_models_are_there() -> None:
    text = " ".join(
        _Read(report(film("Sad"), notes=["The film ends too early: 3.0 of 9.0 seconds are there."])).text().split()
    )
    assert "Note: The film ends too early: 3.0 of 9.0 seconds are there." in text
    assert "The set of models is called shipped : a, b." in text
    assert re.search(r"Made by emotion \d+\.\d+\S* on \d{4}-\d\d-\d\d\.", text)
    assert "Votes are smoothed" in text
    assert "Votes are smoothed" not in report(film("Sad"), smoothed=False)


def test_of_a_session_the_time_of_day_is_told() -> None:
    begun = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert "begun 2026-01-02 03:04 UTC" in report([Moment(0.0, begun, (face(1, "Sad"),))])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (5.04, "0:05"), (59.96, "1:00"), (65.2, "1:05.2"), (3600, "1:00:00"), (3725.5, "1:02:05.5")],
)
def test_times_are_written_as_players_have_them(seconds: float, text: str) -> None:
    assert clock(seconds) == text
