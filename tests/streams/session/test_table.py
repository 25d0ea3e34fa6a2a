"""The table of a session that a visitor takes home."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from emotion.streams.record import FaceRecord, Moment
from emotion.streams.session.marks import Pause, TimeMark
from emotion.streams.session.table import dated_name, session_csv
from emotion.vote.voting import Vote
from tests.streams.session.made import BOX, CLASSES, MODELS, START, face, moments, vote


def rows_of(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table)))


def test_it_has_a_row_for_each_face_and_one_where_nobody_was_seen() -> None:
    """With what the page showed: smoothed values, the box, how often was voted and how it was smoothed."""
    rows = rows_of(session_csv(moments("Happy", None), CLASSES, MODELS, "mine"))
    assert rows[0] == {
        "utc": "2026-01-02T03:04:05.678+00:00",
        "seconds": "0.000",
        "mark": "",
        "face": "3",
        "x": "10",
        "y": "20",
        "width": "30",
        "height": "40",
        "label": "Happy",
        "uncertain": "false",
        "why": "",
        "a": "Happy",
        "b": "Happy",
        "p_Happy": "0.8000",
        "p_Sad": "0.1000",
        "p_Neutral": "0.1000",
        "smoothed_label": "Sad",
        "smoothed_uncertain": "false",
        "smoothed_p_Happy": "0.1500",
        "smoothed_p_Sad": "0.7000",
        "smoothed_p_Neutral": "0.1500",
        "interval_seconds": "2",
        "smoothing_seconds": "1.5",
        "models": "mine",
    }
    assert list(rows[0]) == list(rows[1])
    assert rows[1] | {"utc": "", "seconds": ""} == dict.fromkeys(rows[0], "") | {
        "interval_seconds": "2",
        "smoothing_seconds": "1.5",
        "models": "mine",
    }


def test_each_row_has_the_word_of_the_mark_that_was_set_last() -> None:
    """So that a spreadsheet sums up by question."""
    marks = [TimeMark(2.0, "question 1"), TimeMark(5.0, "question 2")]
    rows = rows_of(session_csv(moments(*["Sad"] * 4), CLASSES, MODELS, "mine", marks=marks))
    assert [row["mark"] for row in rows] == ["", "question 1", "question 1", "question 2"]


def test_what_lies_in_pauses_has_no_rows() -> None:
    pauses = [Pause(2.0, 4.0), Pause(7.0)]
    rows = rows_of(session_csv(moments(*["Sad"] * 6), CLASSES, MODELS, "mine", pauses=pauses))
    assert [row["seconds"] for row in rows] == ["0.000", "4.000", "6.000"]


def test_utc_and_seconds_agree_in_every_row() -> None:
    """Who lays the table beside a film must not be half a second off."""
    for row in rows_of(session_csv(moments(*["Sad"] * 9, every=0.3), CLASSES, MODELS, "mine")):
        utc = datetime.fromisoformat(row["utc"])
        assert utc - START == timedelta(seconds=float(row["seconds"]))


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@x"])
@pytest.mark.hostile("the text, which no spreadsheet runs")
def test_no_word_is_a_formula_of_a_spreadsheet(text: str) -> None:
    one = FaceRecord(1, Vote(text, (text,), {text: 1.0}, False, False), vote("Sad"), BOX)
    marked = [TimeMark(0.0, text)]
    table = session_csv([Moment(0.0, START, (one,))], [text], ["a"], "mine", marks=marked)
    assert table.count(f"'{text}") >= 3
    assert f",{text}," not in table


def test_files_are_named_by_when_the_session_began() -> None:
    """Else there are session (1).csv to session (9).csv after a lesson."""
    assert dated_name("session", datetime(2026, 11, 29, 18, 4, 9, tzinfo=UTC), "csv") == "session-2026-11-29-1804.csv"


def test_a_second_face_has_a_row_of_its_own() -> None:
    rows = rows_of(session_csv([Moment(0.0, START, (face("Sad", 1), face("Happy", 2)))], CLASSES, MODELS, "mine"))
    assert [(row["face"], row["label"]) for row in rows] == [("1", "Sad"), ("2", "Happy")]
