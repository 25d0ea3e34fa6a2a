"""Marks and pauses of a session."""

import threading

import pytest

from emotion.errors import SessionError
from emotion.streams.record import Moment, SessionRecord, summaries, without_pauses
from emotion.streams.session.marks import MOST_MARKS, Marking, Pause, TimeMark, counts_at
from tests.streams.session.made import face, moments


def test_marks_are_kept_in_turn_as_one_line_each() -> None:
    marking = Marking()
    marking.mark("  question\n 2\x00 ", 9.0)
    marking.mark("question 1", 4.0)
    assert marking.marks() == (TimeMark(4.0, "question 1"), TimeMark(9.0, "question 2"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" \n", "The mark has no word: say what happens at this moment."),
        ("x" * 61, "The word of a mark has at most 60 characters: use a shorter one."),
    ],
)
def test_a_mark_without_a_word_or_with_many_is_refused(text: str, said: str) -> None:
    with pytest.raises(SessionError) as refused:
        Marking().mark(text, 1.0)
    assert str(refused.value) == said


@pytest.mark.hostile("that a session has at most 1,000 marks, or pauses")
def test_marks_and_pauses_do_not_fill_the_memory() -> None:
    marking = Marking()
    for i in range(MOST_MARKS):
        marking.mark("x", float(i))
        marking.pause(2.0 * i)
        marking.resume(2.0 * i + 1)
    with pytest.raises(SessionError, match="A session has at most 1,000 marks: save it, and start another one"):
        marking.mark("x", 1.0)
    with pytest.raises(SessionError, match="A session has at most 1,000 pauses: save it, and start another one"):
        marking.pause(1e6)


def test_a_pause_lasts_until_it_is_ended_however_often_the_button_is_pressed() -> None:
    marking = Marking()
    marking.resume(1.0)
    marking.pause(2.0)
    marking.pause(3.0)
    assert marking.pauses() == (Pause(2.0),)
    marking.resume(5.0)
    marking.resume(6.0)
    marking.pause(7.0)
    marking.resume(7.0)
    assert marking.pauses() == (Pause(2.0, 5.0),)


@pytest.mark.parametrize("times", [(-1.0, 2.0), (2.0, 2.0), (3.0, 1.0), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_what_is_no_stretch_of_time_is_a_fault_of_ours(times: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="no stretch of time"):
        Pause(*times)


def test_pauses_are_left_out_of_the_sums_of_a_session() -> None:
    """The visitor stepped out; neither those moments count, nor does the label before them last into the pause."""
    record = SessionRecord()
    for moment in moments("Happy", "Happy", "Sad", "Sad", "Sad", "Happy", "Happy"):
        if moment.seconds == 4.0:
            record.marking.pause(3.0)
        if moment.seconds == 10.0:
            record.marking.resume(9.0)
        record.add(moment)
    assert [moment.seconds for moment in record.moments()] == [0.0, 2.0, 10.0, 12.0]
    summary = record.summary(3, smoothed=False)
    assert summary is not None
    assert summary.seconds == 5.0
    assert (summary.shares, summary.changes, summary.longest_seconds) == ({"Happy": 1.0}, 0, 3.0)


def test_pauses_are_left_out_of_the_sums_of_each_face_also_after_the_session() -> None:
    watched = moments("Happy", "Happy", "Sad", "Sad", "Sad", "Happy", "Happy")
    kept = without_pauses(watched, [Pause(3.0, 9.0), Pause(12.5)], 2.0)
    summary = summaries(kept, smoothed=False, lasts=2.0)[3]
    assert (summary.seconds, summary.shares, summary.changes) == (5.5, {"Happy": 1.0}, 0)
    assert without_pauses(watched, [Pause(0.0)], 2.0) == []
    assert without_pauses(watched, [Pause(50.0)], 2.0) == watched


def test_moments_are_told_from_pauses_that_overlap() -> None:
    pauses = [Pause(1.0, 9.0), Pause(2.0, 3.0), Pause(20.0)]
    assert counts_at([0.5, 1.0, 2.5, 5.0, 9.0, 19.0, 20.0, 99.0], pauses).tolist() == [
        True,
        *[False] * 3,
        True,
        True,
        False,
        False,
    ]


def test_marks_may_be_set_while_votes_come_in() -> None:
    """The page's thread sets them, the worker of the video adds moments."""
    record = SessionRecord()
    start = threading.Barrier(3)

    def votes() -> None:
        start.wait()
        for i in range(500):
            record.add(Moment(float(i), None, (face("Sad"),)))

    def marks() -> None:
        start.wait()
        for i in range(400):
            record.marking.mark(f"mark {i}", float(i))

    def pauses() -> None:
        start.wait()
        for i in range(400):
            record.marking.pause(1000.0 + 2 * i)
            record.marking.resume(1001.0 + 2 * i)

    threads = [threading.Thread(target=work) for work in (votes, marks, pauses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(record.moments()) == 500
    assert [mark.seconds for mark in record.marking.marks()] == [float(i) for i in range(400)]
    assert len(record.marking.pauses()) == 400
