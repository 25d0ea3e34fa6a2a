"""Picture -> where its faces are: what a detector gives, and OpenCV's Haar cascade. `yunet` has the other detector."""

import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import cv2

from emotion import config
from emotion.errors import DetectorError
from emotion.faces.pixels import BGRImage

_SCALE_FACTOR: Final = 1.1
_MIN_NEIGHBORS: Final = 5
_MIN_FACE_SIDE: Final = 30
_HAAR_SIDE: Final = 960
"""Pixels; a picture whose longer side exceeds this is reduced to it before the cascade seeks faces."""
_HAAR_MARGIN: Final = 0.08
"""Share of the cascade's box added on each side of a face; chosen on validation faces, of the margins that
benchmarks/crops.py compares."""


class Box(NamedTuple):
    """A rectangle in pixels: x and y of its top left corner, counted from that of the picture, width and height."""

    x: int
    y: int
    w: int
    h: int

    @property
    def area(self) -> int:
        """Square pixels."""
        return self.w * self.h


class Cut(NamedTuple):
    """The square that is cut out as a face; it may reach past the border of the picture.

    Attributes
    ----------
    x, y : int, pixels, of its top left corner before it is turned
    side : int, pixels, >= 1
    degrees : float, -180 to 180, how far it is turned round its middle, clockwise, to stand upright on the head
    """

    x: int
    y: int
    side: int
    degrees: float = 0.0


Points = tuple[tuple[float, float], ...]
"""Five places (x, y), pixels: the right eye (on the left of the picture), the left eye, the tip of the nose, the right
and the left corner of the mouth."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that a detector has found.

    Attributes
    ----------
    box : Box, wholly inside the picture
    cut : Cut, what is to be cut out
    score : float, 0-1, how sure the detector is; 1 where it does not say
    points : Points, or None where the detector gives none
    """

    box: Box
    cut: Cut
    score: float = 1.0
    points: Points | None = None

    @property
    def tilt(self) -> float:
        """Degrees, -180 to 180: how far the line of the eyes is turned, clockwise; 0 where no eyes are known."""
        if self.points is None:
            return 0.0
        (right_x, right_y), (left_x, left_y) = self.points[:2]
        return math.degrees(math.atan2(left_y - right_y, left_x - right_x))


class FaceDetector(Protocol):
    """Finds the faces of pictures. May be shared between threads.

    Attributes
    ----------
    name : str
        Changes with all that decides which faces are found and how they are cut out: tables and votes that are gone on
        with must be of one and the same.
    """

    @property
    def name(self) -> str:
        """Which detector this is."""
        ...

    def detect(self, image_bgr: BGRImage) -> list[Detection]:
        """Find the faces of a picture, largest first."""
        ...


def square_around(box: Box, margin: float = 0.0) -> Cut:
    """Give the square around the middle of a box.

    Parameters
    ----------
    box : Box, not empty
    margin : float, >= 0, share of the box's longer side added on each side (0.1: ten per cent)

    Returns
    -------
    Cut, upright

    Raises
    ------
    ValueError
        If the margin is negative, or the box is empty.
    """
    if margin < 0:
        raise ValueError(f"margin must not be negative, got {margin}")
    if box.area <= 0:
        raise ValueError(f"{box} is empty")
    side = max(1, round(max(box.w, box.h) * (1.0 + 2.0 * margin)))
    return Cut(box.x + (box.w - side) // 2, box.y + (box.h - side) // 2, side)


def box_within(x: float, y: float, w: float, h: float, width: int, height: int) -> Box:
    """Round a rectangle to whole pixels, and keep it inside a picture.

    Parameters
    ----------
    x, y, w, h : float, pixels
    width, height : int, pixels, of the picture

    Returns
    -------
    Box, at least one pixel wide and high
    """
    left, top = min(max(0, round(x)), width - 1), min(max(0, round(y)), height - 1)
    right, bottom = min(max(left + 1, round(x + w)), width), min(max(top + 1, round(y + h)), height)
    return Box(left, top, right - left, bottom - top)


def largest_first(found: list[Detection]) -> list[Detection]:
    """Sort faces by the area of their boxes, equal ones from top to bottom and from left to right.

    Parameters
    ----------
    found : list of Detection

    Returns
    -------
    list of Detection
    """
    return sorted(found, key=lambda face: (-face.box.area, face.box.y, face.box.x))


class _Loaded(threading.local):
    """OpenCV's classifier keeps buffers between calls and must not be shared; each thread loads its own (30 ms)."""

    def __init__(self) -> None:
        self.cascades: dict[Path, cv2.CascadeClassifier] = {}


_loaded = _Loaded()


class HaarDetector:
    """Finds frontal, upright faces with OpenCV's Haar cascade (Viola and Jones, 2001), as the project's first version
    did: for data sets and models that were made with it. May be shared between threads.

    Parameters
    ----------
    cascade_file : Path

    Raises
    ------
    DetectorError
        On first use, if the cascade file is missing or is not a cascade.
    """

    name = f"haar-{_HAAR_SIDE}-{_HAAR_MARGIN}"

    def __init__(self, cascade_file: Path = config.CASCADE_FILE) -> None:
        self.cascade_file = cascade_file

    def detect(self, image_bgr: BGRImage) -> list[Detection]:
        """Find the faces of a picture.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

        Returns
        -------
        list of Detection, largest first, without scores and points; empty where there is no face

        Raises
        ------
        DetectorError
            If the cascade file is missing or is not a cascade.
        """
        height, width = image_bgr.shape[:2]
        scale = min(1.0, _HAAR_SIDE / max(height, width))
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        if scale < 1.0:
            reduced = (max(1, round(width * scale)), max(1, round(height * scale)))
            grey = cv2.resize(grey, reduced, interpolation=cv2.INTER_AREA)
        found = self._cascade().detectMultiScale(
            grey, scaleFactor=_SCALE_FACTOR, minNeighbors=_MIN_NEIGHBORS, minSize=(_MIN_FACE_SIDE, _MIN_FACE_SIDE)
        )
        boxes = [_scaled_box(x, y, w, h, 1.0 / scale, width, height) for x, y, w, h in found]
        return largest_first([Detection(box, square_around(box, _HAAR_MARGIN)) for box in boxes])

    def _cascade(self) -> cv2.CascadeClassifier:
        if self.cascade_file not in _loaded.cascades:
            _loaded.cascades[self.cascade_file] = _load_cascade(self.cascade_file)
        return _loaded.cascades[self.cascade_file]


def _load_cascade(file: Path) -> cv2.CascadeClassifier:
    cascade = cv2.CascadeClassifier()
    try:
        # Of a missing file load() says False, on a malformed one it raises.
        loaded = cascade.load(str(file))
    except cv2.error:
        loaded = False
    if not loaded or cascade.empty():
        raise DetectorError(
            f"The face detector's file {file.name} is missing or damaged; restore it from the repository."
        )
    return cascade


def _scaled_box(x: int, y: int, w: int, h: int, factor: float, width: int, height: int) -> Box:
    left, top = min(round(x * factor), width - 1), min(round(y * factor), height - 1)
    return Box(left, top, min(round(w * factor), width - left), min(round(h * factor), height - top))
