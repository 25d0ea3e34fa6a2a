"""What a session sums up to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emotion.faces.detect import Box
from emotion.streams.record import LONGEST_SECONDS, FaceRecord, Moment, SessionRecord, summaries
from emotion.vote.voting import Vote

CLASSES = ("Happy", "Sad")
BOX = Box(0, 0, 9, 9)
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def vote(label: str) -> Vote:
    return Vote(label, (label,) * 2, {name: 0.75 if name == label else 0.25 for name in CLASSES}, False, False)


def moments(*labels: str | None) -> list[Moment]:
    """One every two seconds; smoothed votes are always Sad."""
    return [
        Moment(
            2.0 * i,
            START + timedelta(seconds=2 * i),
            () if label is None else (FaceRecord(3, vote(label), vote("Sad"), BOX),),
        )
        for i, label in enumerate(labels)
    ]


def recorded(moments: list[Moment]) -> SessionRecord:
    record = SessionRecord()
    for moment in moments:
        record.add(moment)
    return record


def test_summary_counts_time_stretches_and_changes_but_not_pauses():
    summary = recorded(moments("Happy", "Happy", "Sad", None, "Sad", "Happy", "Sad")).summary(3, smoothed=False)
    assert summary is not None
    assert summary.seconds == 10.0
    assert summary.shares == pytest.approx({"Happy": 0.6, "Sad": 0.4})
    assert (summary.longest_label, summary.longest_seconds, summary.changes) == ("Happy", 4.0, 3)
    smoothed = recorded(moments("Happy", "Sad", "Happy")).summary(3, smoothed=True)
    assert smoothed is not None
    assert (smoothed.shares, smoothed.changes) == ({"Sad": 1.0}, 0)


def test_a_film_is_summed_up_for_each_of_its_faces():
    """Who was seen how long, when, with which expressions: also of those who come and go while others stay."""

    def seen(number: int, label: str, why: str = "") -> FaceRecord:
        said = replace(vote(label), uncertain=bool(why), why=why)
        return FaceRecord(number, said, vote("Sad"), BOX)

    film = [
        Moment(1.0, None, (seen(1, "Happy"), seen(2, "Sad", "too small"))),
        Moment(1.2, None, (seen(1, "Sad", "low probability"),)),
        Moment(1.4, None, ()),
        Moment(1.6, None, (seen(1, "Happy"),)),
        Moment(1.8, None, (seen(1, "Happy"), seen(7, "Sad"))),
    ]
    faces = summaries(film, smoothed=False, lasts=0.2)
    assert list(faces) == [1, 2, 7]
    one = faces[1]
    assert (one.seconds, one.changes) == (pytest.approx(0.8), 1)
    assert one.shares == pytest.approx({"Happy": 0.75, "Sad": 0.25})
    assert (one.longest_label, one.longest_seconds) == ("Happy", pytest.approx(0.4))
    assert one.doubts == pytest.approx({"low probability": 0.25})
    assert (one.first_seconds, one.last_seconds) == (1.0, 1.8)
    assert (faces[2].seconds, faces[2].doubts) == (pytest.approx(0.2), {"too small": 1.0})
    assert (faces[7].seconds, faces[7].first_seconds, faces[7].last_seconds) == (pytest.approx(0.2), 1.8, 1.8)
    assert summaries(film, smoothed=True)[1].shares == {"Sad": 1.0}


def test_of_a_picture_that_stands_still_the_label_holds_for_a_while_and_no_longer():
    """Recordings of a screen have frames only where something moves; damaged ones have holes."""
    happy = FaceRecord(1, vote("Happy"), vote("Happy"), BOX)
    still = summaries([Moment(0.0, None, (happy,)), Moment(6.0, None, ())], smoothed=True)
    assert still[1].seconds == 6.0
    hole = summaries([Moment(0.0, None, (happy,)), Moment(600.0, None, ())], smoothed=True)
    assert hole[1].seconds == LONGEST_SECONDS


def test_a_film_of_one_vote_has_a_sum_and_one_without_a_face_has_none():
    assert summaries(moments("Happy"), smoothed=False)[3].shares == {"Happy": 1.0}
    assert summaries(moments(None, None), smoothed=False) == {}
    assert summaries([], smoothed=False) == {}


@pytest.mark.parametrize("labels", [[], ["Happy"], [None, None]])
def test_a_session_without_a_lasting_face_has_no_summary(labels):
    assert recorded(moments(*labels)).summary(3, smoothed=False) is None


def test_a_page_left_open_keeps_a_bounded_record_and_forgets_nothing_in_its_sum(monkeypatch):
    monkeypatch.setattr("emotion.streams.record.MOST_VOTES", 3)
    record = recorded(moments("Happy", "Happy", "Sad", "Sad", "Sad"))
    assert [moment.seconds for moment in record.moments()] == [4.0, 6.0, 8.0]
    assert record.dropped == 2
    summary = record.summary(3, smoothed=False)
    assert summary is not None
    assert summary.shares == {"Happy": 0.5, "Sad": 0.5}


def test_many_faces_do_not_fill_the_memory_sooner(monkeypatch):
    monkeypatch.setattr("emotion.streams.record.MOST_VOTES", 6)
    crowd = FaceRecord(1, vote("Sad"), vote("Sad"), BOX)
    record = recorded([Moment(float(i), START, (crowd,) * 4) for i in range(5)])
    assert [moment.seconds for moment in record.moments()] == [4.0]


def test_a_label_does_not_hold_while_there_is_no_video():
    """The computer slept, or the connection hung: an hour of the last expression would be made up."""
    first, second, third = moments("Happy", "Happy", "Happy")
    record = recorded([first, second, Moment(3600.0, START, third.faces), Moment(3602.0, START, third.faces)])
    summary = record.summary(3, smoothed=False)
    assert summary is not None
    assert summary.seconds == 4.0 + LONGEST_SECONDS
    assert summary.longest_seconds == 2.0 + LONGEST_SECONDS


def test_faces_that_come_and_go_are_summed_up_each_for_itself():
    """As the report does it; else, a class that passes by is one person with many changes."""
    first, second = (FaceRecord(number, vote(label), vote("Sad"), BOX) for number, label in ((1, "Happy"), (2, "Sad")))
    seen = [(first,), (first, second), (second,), (), (second, first), (first,)]
    film = [Moment(2.0 * i, START, faces) for i, faces in enumerate(seen)]
    record = recorded(film)
    for number, whole in summaries(film, smoothed=False, lasts=1e-9).items():
        summary = record.summary(number, smoothed=False)
        assert summary is not None
        assert summary.shares == whole.shares
        assert (summary.seconds, summary.changes) == (pytest.approx(whole.seconds), whole.changes)
    assert record.summary(7, smoothed=False) is None


def test_a_crowd_does_not_fill_the_memory_with_sums(monkeypatch):
    monkeypatch.setattr("emotion.streams.record.MOST_FACES", 3)
    faces = [FaceRecord(number, vote("Sad"), vote("Sad"), BOX) for number in range(6)]
    record = recorded([Moment(2.0 * i, START, (face,)) for i, face in enumerate(faces)])
    assert [record.summary(number, smoothed=False) is None for number in range(5)] == [True] * 3 + [False] * 2
