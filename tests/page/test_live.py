"""What the panel of a vote says and shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emotion.faces.detect import Box
from emotion.faces.fitness import TOO_SMALL
from emotion.page.live.panel import COURSE_SECONDS, course_data
from emotion.page.live.told import said_of, summed_up
from emotion.streams.record import LONGEST_SECONDS, FaceRecord, Moment, summaries
from emotion.streams.session.marks import Pause, TimeMark
from emotion.vote.voting import LOW_PROBABILITY, Vote

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def vote(label: str, share: float = 0.75) -> Vote:
    return Vote(label, (label,) * 5, {"Happy": 1 - share, "Sad": 1 - share} | {label: share}, False, False)


def moment(seconds: float, *faces: tuple[int, str]) -> Moment:
    records = (FaceRecord(number, vote(label), vote("Sad"), Box(0, 0, 9, 9)) for number, label in faces)
    return Moment(seconds, START + timedelta(seconds=seconds), tuple(records))


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("", "5 of 5 models agree."),
        (TOO_SMALL, "Not sure, since the face is too small: 5 of 5 models say Sad."),
        (LOW_PROBABILITY, "Not sure: 5 of 5 models say Sad, but only with 46%. Votes under 48% are mostly wrong."),
    ],
)
def test_that_nobody_should_rely_on_a_vote_is_a_sentence_that_does_not_contradict_itself(why, said):
    assert said_of(replace(vote("Sad", 0.46), uncertain=bool(why), why=why), 0.476) == said


def test_a_probability_is_never_said_to_be_under_itself():
    unsure = replace(vote("Sad", 0.492), uncertain=True, why=LOW_PROBABILITY)
    assert "only with just under 49%. Votes under 49%" in said_of(unsure, 0.494)


def test_the_course_is_of_one_face_and_has_gaps_where_it_was_not_seen():
    """The course of whoever is largest at each moment would be that of nobody."""
    moments = [
        moment(0, (1, "Happy")),
        moment(2, (2, "Sad"), (1, "Happy")),
        moment(4, (2, "Sad")),
        moment(6, (1, "Sad")),
    ]
    course = course_data(moments, 1, 7.0, smoothed=False)
    assert course["votes"] == [
        [-7.0, -5.0, "Happy", 0.75, False],
        [-5.0, -3.0, "Happy", 0.75, False],
        [-1.0, 0.0, "Sad", 0.75, False],
    ]
    assert {label for _, _, label, *_ in course_data(moments, 1, 7.0, smoothed=True)["votes"]} == {"Sad"}
    assert course["end"] == 1000 * (START + timedelta(seconds=7)).timestamp()


def test_the_course_shows_a_minute_and_no_label_for_long_without_video():
    moments = [moment(0, (1, "Happy")), moment(50, (1, "Happy")), moment(80, (1, "Sad"))]
    votes = course_data(moments, 1, 81.0, smoothed=False)["votes"]
    assert [(start, end) for start, end, *_ in votes] == [(-31.0, -31.0 + LONGEST_SECONDS), (-1.0, 0.0)]
    begun = course_data([moment(0, (1, "Happy"))], 1, 5.0 + COURSE_SECONDS, smoothed=False)["votes"]
    assert [(start, end) for start, end, *_ in begun] == [(-COURSE_SECONDS, -COURSE_SECONDS - 5.0 + LONGEST_SECONDS)]


def test_marks_and_pauses_stand_in_the_course():
    moments = [moment(0, (1, "Happy")), moment(10, (1, "Sad"))]
    marks = [TimeMark(1.0, "question 1"), TimeMark(70.0, "question 2")]
    course = course_data(moments, 1, 75.0, smoothed=False, marks=marks, pauses=[Pause(12.0, 20.0), Pause(72.0)])
    assert course["marks"] == [[-5.0, "question 2"]]
    assert course["pauses"] == [[-60.0, -55.0], [-3.0, 0.0]]
    assert not course["votes"], "what was said before a pause holds no longer than until it"


def test_before_the_first_vote_there_is_nothing_to_show():
    course = course_data([], None, 0.0, smoothed=True)
    assert (course["votes"], course["end"]) == ([], None)


def test_a_session_is_summed_up_for_the_face_that_is_shown():
    film = [moment(0, (4, "Happy")), moment(30, (4, "Sad")), moment(31)]
    told = summed_up(4, summaries(film, smoothed=False)[4])
    assert told == "In all, 11.0 s with face 4: Happy 91%, Sad 9%. Longest stretch: Happy, 10.0 s. Changes: 1."
