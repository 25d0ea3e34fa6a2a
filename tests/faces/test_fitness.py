"""Whether a face can be judged is said by its cause, and ordinary faces are."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage

from emotion.faces.crop import find_faces
from emotion.faces.detect import Box, Cut, Detection
from emotion.faces.fitness import BLURRED, TOO_DARK, TOO_SMALL, TURNED_AWAY, Fitness, fitness, turn_degrees
from emotion.faces.pixels import BGRImage
from emotion.faces.yunet import YuNetDetector

PORTRAIT: BGRImage = np.ascontiguousarray(skimage.data.astronaut()[0:250, 110:330, ::-1])


def of(picture: BGRImage) -> Fitness:
    """How the largest face of a picture is found."""
    found = find_faces(picture, YuNetDetector())
    assert found
    return fitness(*found[0])


def resized(side: int) -> BGRImage:
    return np.asarray(cv2.resize(PORTRAIT, (side, side * 25 // 22), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def test_an_ordinary_portrait_is_fit():
    fit = of(PORTRAIT)
    assert fit.reason == ""
    assert fit.margin >= 1
    assert 80 < fit.side < 140
    assert abs(fit.tilt) < 10
    assert abs(fit.turn) < 20
    assert fit.score > 0.8


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.pad(resized(44), ((200, 200), (250, 250), (0, 0)), mode="edge"), TOO_SMALL),
        (cv2.GaussianBlur(PORTRAIT, (0, 0), 5), BLURRED),
        (cv2.convertScaleAbs(PORTRAIT, alpha=0.08), TOO_DARK),
    ],
    ids=["far away", "out of focus", "at night"],
)
def test_what_spoils_a_portrait_is_named(picture, reason):
    assert of(np.asarray(picture, dtype=np.uint8)).reason == reason


def head(turned: float, tilted: float = 0.0) -> Detection:
    """A face whose nose stands out by 0.55 distances of the eyes, turned to the side, then tilted."""
    turn, tilt = math.radians(turned), math.radians(tilted)
    flat = [
        (-50 * math.cos(turn), -20.0),
        (50 * math.cos(turn), -20.0),
        (55 * math.sin(turn), 10.0),
        (-30, 50),
        (30, 50),
    ]
    points = tuple(
        (200 + x * math.cos(tilt) - y * math.sin(tilt), 200 + x * math.sin(tilt) + y * math.cos(tilt)) for x, y in flat
    )
    return Detection(Box(100, 100, 200, 200), Cut(100, 100, 200), 0.9, points)


@pytest.mark.parametrize("turned", [-60, -20, 0, 20, 45])
def test_the_turn_of_a_head_is_told_from_its_points(turned):
    assert turn_degrees(head(turned)) == pytest.approx(turned, abs=0.5)


@pytest.mark.parametrize("tilted", [-30, 15])
def test_a_tilt_towards_a_shoulder_hardly_looks_like_a_turn(tilted):
    """A head that is laid aside is cut out level with its eyes, and is as fit as any."""
    fit = of(np.asarray(turned(PORTRAIT, tilted), dtype=np.uint8))
    assert fit.reason == ""
    assert abs(fit.turn) < 30


def turned(picture: BGRImage, degrees: float) -> np.ndarray:
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def test_a_head_that_looks_aside_is_not_judged():
    sharp = np.random.default_rng(0).integers(60, 200, 2304).astype(np.uint8)
    assert fitness(head(15), sharp).reason == ""
    assert fitness(head(40), sharp).reason == TURNED_AWAY
    assert fitness(head(-40), sharp).reason == TURNED_AWAY


def test_where_no_points_are_known_nothing_is_said_of_a_turn():
    sharp = np.random.default_rng(0).integers(60, 200, 2304).astype(np.uint8)
    without = replace(head(80), points=None)
    assert (fitness(without, sharp).turn, fitness(without, sharp).reason) == (0.0, "")


def test_eyes_on_one_spot_are_a_profile():
    eyes = replace(head(0), points=((5.0, 5.0),) * 5)
    assert turn_degrees(eyes) == 90.0
