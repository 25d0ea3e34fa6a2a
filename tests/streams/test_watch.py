"""What is known of the faces of a video, step by step; time is what the test says it is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from emotion.faces.crop import FaceVector
from emotion.faces.detect import Box, Detection, square_around
from emotion.faces.fitness import BLURRED, Fitness
from emotion.faces.pixels import BGRImage
from emotion.streams.watch import FaceWatch, VideoSettings
from emotion.vote.recognizer import FaceEmotion
from emotion.vote.voting import Vote

LEFT, RIGHT = Box(20, 30, 40, 40), Box(90, 30, 36, 36)
PICTURE = np.zeros((120, 160, 3), dtype=np.uint8)
FIT = Fitness(score=0.9, side=40, tilt=0.0, turn=0.0, sharpness=0.8, brightness=120.0)


class Scene:
    """Sees the faces that are in it now."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = list(boxes)
        self.label = "Happy"
        self.unfit = ""
        self.rounds = 0

    def find(self, image_bgr: BGRImage) -> list[tuple[Detection, FaceVector]]:
        return [(Detection(box, square_around(box)), np.zeros(2304, dtype=np.uint8)) for box in self.boxes]

    def find_near(self, image_bgr: BGRImage, box: Box) -> Box | None:
        return box if box in self.boxes else None

    def why_no_face(self, image_bgr: BGRImage) -> str:
        return "It is too dark."

    def vote(self, found: Sequence[tuple[Detection, FaceVector]]) -> list[FaceEmotion]:
        self.rounds += 1
        shares = {"Happy": 0.1, "Sad": 0.1} | {self.label: 0.9}
        vote = Vote(self.label, (self.label,) * 5, shares, tie=False, uncertain=False).on_unfit(self.unfit)
        return [FaceEmotion(face.box, vote, vector, FIT) for face, vector in found]


def watched(scene: Scene, seconds: float, settings: VideoSettings, frames_a_second: int = 30) -> FaceWatch:
    """Watch as the webcam's threads do: each frame is followed, and searched when it is time for that."""
    watch = FaceWatch(scene, 0.5, settings)
    next_look = 0.0
    for frame in range(round(seconds * frames_a_second)):
        at = frame / frames_a_second
        if at >= next_look:
            watch.look(PICTURE, at)
            next_look = at + watch.seconds_to_next_look(at)
        watch.follow(PICTURE, at)
    return watch


@pytest.mark.parametrize("interval", [0.25, 0.5, 0.75, 1.0, 1.25, 1.75, 2.0, 4.75])
@pytest.mark.parametrize("frames_a_second", [15, 30])
def test_votes_come_at_the_interval_that_was_chosen(interval, frames_a_second):
    """Searches come each fifth of a second; votes at their pace would make 0.8 seconds of 0.75."""
    watch = watched(Scene(LEFT), 40.0, VideoSettings(interval), frames_a_second)
    times = [moment.seconds for moment in watch.record.moments()]
    assert np.mean(np.diff(times)) == pytest.approx(interval, rel=0.03)
    assert np.abs(np.diff(times) - interval).max() <= 1 / frames_a_second + 0.02


def test_a_new_face_is_voted_on_at_once_and_the_interval_counts_from_then():
    scene = Scene(LEFT)
    watch = FaceWatch(scene, 0.5, VideoSettings(2.0))
    assert watch.look(PICTURE, 0.0)
    assert not watch.look(PICTURE, 1.3)
    scene.boxes.append(RIGHT)
    assert watch.look(PICTURE, 1.5)
    assert [face is not None for _, face in watch.sight(1.5).faces] == [True, True]
    assert not watch.look(PICTURE, 3.4)
    assert watch.look(PICTURE, 3.5)


def test_two_boxes_on_one_face_do_not_ask_for_votes_without_end():
    scene = Scene(Box(100, 100, 140, 140), Box(118, 118, 104, 104))
    watch = watched(scene, 6.3, VideoSettings(2.0))
    assert len(watch.record.moments()) == 4
    assert scene.rounds <= 13, "with the looks between votes, two a second"
    assert {face.number for moment in watch.record.moments() for face in moment.faces} == {1}


def test_somebody_who_comes_back_has_the_number_that_they_had_and_another_has_a_new_one():
    """Four people of whom two come back were 1 to 8 after half a minute; whom somebody had chosen was lost."""
    first, second = (np.full((480, 640, 3), colour, dtype=np.uint8) for colour in ((40, 60, 160), (40, 60, 160)))
    second[20:, 80:] = (30, 160, 40)
    second[20:, :80] = (200, 120, 30)  # somebody in other clothes, before the same wall
    scene = Scene(LEFT)
    watch = FaceWatch(scene, 0.5, VideoSettings(2.0))
    watch.look(first, 0.0)
    scene.boxes.clear()
    watch.look(first, 4.0)
    scene.boxes.append(LEFT)
    watch.look(first, 8.0)
    assert [track.number for track, _ in watch.sight(8.0).faces] == [1]
    scene.boxes.clear()
    watch.look(first, 12.0)
    scene.boxes.append(LEFT)
    watch.look(second, 16.0)
    assert [track.number for track, _ in watch.sight(16.0).faces] == [2]
    scene.boxes[:] = [RIGHT]  # across the picture at once
    watch.look(np.roll(second, 70, axis=1), 16.2)
    assert [track.number for track, _ in watch.sight(16.2).faces] == [2]
    scene.boxes[:] = [LEFT]
    watch.look(second, 16.4)
    scene.boxes.append(RIGHT)
    watch.look(second, 18.0)
    assert sorted(track.number for track, _ in watch.sight(18.0).faces) == [2, 3]


def test_between_votes_the_models_look_and_what_they_see_changes_no_label():
    """The page feels live, and yet votes every two seconds."""
    scene = Scene(LEFT)
    watch = FaceWatch(scene, 0.5, VideoSettings(2.0, 1.0))
    assert watch.look(PICTURE, 0.0)
    assert watch.sight(0.5).seconds_to_vote == pytest.approx(1.5)
    scene.label = "Sad"
    assert not watch.look(PICTURE, 0.2)
    assert watch.sight(0.2).glances[1].vote.label == "Happy", "too early to look again"
    assert not watch.look(PICTURE, 1.0)
    sight = watch.sight(1.0)
    assert (sight.faces[0][1].vote.label, sight.glances[1].vote.label, sight.votes) == ("Happy", "Sad", 1)
    assert [moment.seconds for moment in watch.record.moments()] == [0.0]
    # A later vote is smoothed with it.
    assert watch.look(PICTURE, 2.0)
    smoothed = watch.record.moments()[-1].faces[0].smoothed
    assert smoothed.probabilities["Happy"] == pytest.approx(0.1 + 0.8 * np.exp(-2.0))


def test_a_blink_changes_no_label_and_a_new_expression_does_within_a_second_and_the_next_vote():
    """At what is set at first; else, smoothing would do nothing, or the page would lag behind the face."""
    scene = Scene(LEFT)
    watch = FaceWatch(scene, 0.5)
    labels = []
    for tenth in range(0, 121, 5):
        at = tenth / 10
        scene.label = "Sad" if at == 4.0 or at >= 6.5 else "Happy"  # a blink just when a vote is due
        if watch.look(PICTURE, at):
            labels.append(watch.record.moments()[-1].faces[0].smoothed.label)
    assert labels == ["Happy"] * 4 + ["Sad"] * 3


def test_a_face_that_leaves_takes_its_box_along_within_half_a_second():
    scene = Scene(LEFT)
    watch = watched(scene, 1.0, VideoSettings())
    scene.boxes.clear()
    for frame in range(15):
        watch.follow(PICTURE, 1.0 + frame / 30)
    assert watch.sight(1.55).faces == ()


def test_why_a_face_cannot_be_judged_goes_along_with_the_smoothed_vote():
    """On the page, a smoothed label may not look surer than the picture that it is of."""
    scene = Scene(LEFT)
    scene.unfit = BLURRED
    watch = FaceWatch(scene, 0.5, VideoSettings(1.0))
    watch.look(PICTURE, 0.0)
    [(_, face)] = watch.sight(0.0).faces
    assert (face.smoothed.uncertain, face.smoothed.why) == (True, BLURRED)
    scene.unfit = ""
    watch.look(PICTURE, 1.0)
    [(_, face)] = watch.sight(1.0).faces
    assert (face.smoothed.uncertain, face.smoothed.why) == (False, "")


def test_utc_is_that_of_the_first_picture_and_the_seconds_since() -> None:
    """Of a picture, not of its vote; and the computer's clock may be set meanwhile."""
    watch = watched(Scene(LEFT), 9.0, VideoSettings(0.5, 1.0))
    moments = watch.record.moments()
    begun = moments[0].utc
    assert begun is not None
    assert abs((datetime.now(UTC) - begun).total_seconds()) < 600
    assert [moment.utc for moment in moments] == [begun + timedelta(seconds=moment.seconds) for moment in moments]
    assert {(moment.interval_seconds, moment.smoothing_seconds) for moment in moments} == {(0.5, 1.0)}


def test_marks_are_counted_from_the_first_picture() -> None:
    watch = FaceWatch(Scene(LEFT), 0.5)
    assert watch.seconds_at(5.0) == 0
    watch.look(PICTURE, 100.0)
    assert watch.seconds_at(103.5) == 3.5
