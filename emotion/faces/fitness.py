"""Whether a face can be judged: its size, how far it is turned away, how sharp and how bright it is; and why there may
be no face at all. From what values on votes are no longer right often enough was measured (benchmarks/fitness.py).
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from emotion import config
from emotion.faces.crop import FaceVector
from emotion.faces.detect import Detection
from emotion.faces.looks import LEAST_SIDE, sees_tiny_faces, sees_turned_faces
from emotion.faces.pixels import BGRImage

TOO_SMALL: Final = "too small"
TURNED_AWAY: Final = "turned away"
TOO_DARK: Final = "too dark"
BLURRED: Final = "blurred"

# Beyond these, fewer than half of the votes are right, which is what *uncertain* says (docs/accuracy.md).
LEAST_JUDGED_SIDE: Final = 22
"""Pixels of the square that is cut out; the models see 48."""
MOST_TURN: Final = 30.0
"""Degrees, to either side."""
LEAST_BRIGHTNESS: Final = 20.0
"""0-255, as `Fitness.brightness`."""
LEAST_SHARPNESS: Final = 0.4
"""As `Fitness.sharpness`."""

_NOSE_DEPTH: Final = 0.55
"""How far the tip of a nose stands out before the line of the eyes, in distances between their middles: about 35 mm of
63 mm, of adults. No face is exactly so; the turn that comes of it is good to some ten degrees."""

_BLACK: Final = 10
_DARK: Final = 60
"""Brightness, 0-255, that 99 % of the pixels of a whole picture do not exceed."""

BLACK: Final = "The picture is black: is the shutter closed?"
DARK: Final = "It is too dark: more light would help."
TINY: Final = f"The faces in it are smaller than {LEAST_SIDE} pixels: come nearer, or use a larger picture."
ON_ITS_SIDE: Final = "The picture lies on its side: turn it, or the camera."
OTHERWISE: Final = "Faces that are turned away, covered or very small are not found."


@dataclass(frozen=True, slots=True)
class Fitness:
    """How a face was found.

    Attributes
    ----------
    score : float, 0-1, how sure the detector is; 1 where it does not say
    side : int, pixels, of the square that was cut out
    tilt : float, -180 to 180 degrees, towards a shoulder, clockwise
    turn : float, -90 to 90 degrees, to the side, towards the right of the picture; 0 where no points are known
    sharpness : float, >= 0, of the face as the models see it: the spread of its Laplacian over that of its pixels
    brightness : float, 0-255, the mean of the face as the models see it
    """

    score: float
    side: int
    tilt: float
    turn: float
    sharpness: float
    brightness: float

    @property
    def margin(self) -> float:
        """How far the face is from not being fit, 0 and more: below 1, it is not fit to be judged."""
        return min(self._margins().values())

    @property
    def reason(self) -> str:
        """Why the face is not fit to be judged, in a word or two; empty where it is."""
        return next((reason for reason, margin in self._margins().items() if margin < 1), "")

    def _margins(self) -> dict[str, float]:
        # The cause before what comes of it: what is small or dark is blurred, too.
        return {
            TOO_SMALL: self.side / LEAST_JUDGED_SIDE,
            TURNED_AWAY: (90.0 - abs(self.turn)) / (90.0 - MOST_TURN),
            TOO_DARK: self.brightness / LEAST_BRIGHTNESS,
            BLURRED: self.sharpness / LEAST_SHARPNESS,
        }


def turn_degrees(face: Detection) -> float:
    """Estimate from the five points how far a face is turned to the side.

    Parameters
    ----------
    face : Detection

    Returns
    -------
    float, -90 to 90 degrees, towards the right of the picture; 0 where no points are known
    """
    if face.points is None:
        return 0.0
    right, left, nose = (np.array(point) for point in face.points[:3])
    eyes = left - right
    distance = float(np.hypot(*eyes))
    if distance < 1e-6:
        return 90.0
    aside = float((nose - (left + right) / 2) @ eyes) / distance**2
    return math.degrees(math.atan2(aside, _NOSE_DEPTH))


def fitness(face: Detection, vector: FaceVector) -> Fitness:
    """Say how a face was found.

    Parameters
    ----------
    face : Detection
    vector : ndarray of shape (2304,), uint8, 0-255

    Returns
    -------
    Fitness
    """
    pixels = vector.reshape(config.FACE_SIDE, config.FACE_SIDE)
    spread = float(pixels.std())
    edges = float(cv2.Laplacian(pixels, cv2.CV_32F).std())
    return Fitness(
        score=face.score,
        side=face.cut.side,
        tilt=face.tilt,
        turn=turn_degrees(face),
        sharpness=edges / max(spread, 1.0),
        brightness=float(pixels.mean()),
    )


def why_no_face(image_bgr: BGRImage) -> str:
    """Say why a detector may have found no face.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, in which none was found

    Returns
    -------
    str, one sentence

    Raises
    ------
    DetectorError
        If the file of the detector is missing or is another one.
    """
    rows = image_bgr[:: max(1, len(image_bgr) // 500)]
    bright = float(np.percentile(cv2.cvtColor(rows, cv2.COLOR_BGR2GRAY), 99))
    if bright <= _BLACK:
        return BLACK
    if bright < _DARK:
        return DARK
    if sees_tiny_faces(image_bgr):
        return TINY
    if sees_turned_faces(image_bgr):
        return ON_ITS_SIDE
    return OTHERWISE
