"""Frames of somebody who poses, by a clock that the test turns."""

import numpy as np
import pytest

from emotion.faces.crop import FaceVector
from emotion.faces.detect import Box, Detection, square_around
from emotion.faces.fitness import BLURRED, TOO_DARK
from emotion.streams.posing import (
    COUNT_DOWN_SECONDS,
    FRAMES,
    MOST_SECONDS,
    NO_FACE,
    SEVERAL_FACES,
    Posing,
    face_of,
)

SHARP = np.random.default_rng(1).integers(0, 256, 2304, dtype=np.uint8)
SMOOTH = np.repeat(np.linspace(60, 200, 48).astype(np.uint8), 48)


def found(vector: FaceVector = SHARP, *sides: int) -> list[tuple[Detection, FaceVector]]:
    boxes = [Box(10 * number, 10, side, side) for number, side in enumerate(sides or (100,))]
    return [(Detection(box, square_around(box)), vector) for box in boxes]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def posing(clock: Clock) -> Posing:
    return Posing(clock)


def test_nothing_is_taken_before_the_count_down_is_over(posing: Posing, clock: Clock) -> None:
    """Else people would be taken while they read what they are to show."""
    posing.offer(found())
    assert posing.pose is None
    posing.begin("Happy")
    clock.now += COUNT_DOWN_SECONDS - 0.1
    posing.offer(found())
    assert posing.pose is not None
    assert posing.pose.seconds_to_begin == pytest.approx(0.1)
    assert not posing.pose.faces
    clock.now += 0.1
    posing.offer(found())
    assert len(posing.pose.faces) == 1


def test_ten_frames_are_taken_over_some_three_seconds_and_handed_over_once(posing: Posing, clock: Clock) -> None:
    posing.begin("Happy")
    clock.now += COUNT_DOWN_SECONDS
    began = clock.now
    while posing.finish() is None and clock.now < began + 60:
        last = posing.pose
        posing.offer(found())
        clock.now += 0.125
        assert last is not None
    assert last is not None
    assert 2 <= clock.now - began <= 4
    assert last.label == "Happy"
    assert len(last.faces) == FRAMES - 1
    assert posing.finish() is None
    assert posing.pose is None


def test_unfit_frames_are_left_out_and_counted_by_their_reason(posing: Posing, clock: Clock) -> None:
    posing.begin("Sad")
    clock.now += COUNT_DOWN_SECONDS
    for seen in ([], found(SMOOTH), found(SMOOTH), found(SHARP // 30), found(SHARP, 100, 80)):
        posing.offer(seen)
    pose = posing.pose
    assert pose is not None
    assert pose.left_out == {NO_FACE: 1, BLURRED: 2, TOO_DARK: 1, SEVERAL_FACES: 1}
    assert not pose.faces
    assert not pose.is_done
    clock.now += MOST_SECONDS
    done = posing.finish()
    assert done is not None
    assert done.left_out == pose.left_out


def test_somebody_far_behind_does_not_hinder(posing: Posing) -> None:
    face, reason = face_of(found(SHARP, 100, 40))
    assert face is SHARP
    assert not reason


def test_an_expression_that_is_skipped_leaves_nothing(posing: Posing, clock: Clock) -> None:
    posing.begin("Sad")
    clock.now += COUNT_DOWN_SECONDS
    posing.offer(found())
    posing.cancel()
    assert posing.pose is None
    posing.offer(found())
    posing.begin("Fear")
    assert posing.pose is not None
    assert not posing.pose.faces
