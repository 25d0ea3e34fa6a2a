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
    assert scene.rounds == 4
    assert {face.number for moment in watch.record.moments() for face in moment.faces} == {1}


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
