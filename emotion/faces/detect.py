"""Picture -> boxes of faces, by OpenCV's Haar cascade."""

import threading
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from emotion import config
from emotion.errors import DetectorError
from emotion.faces.decode import BGRImage, GreyImage

_SCALE_FACTOR: Final = 1.1
_MIN_NEIGHBORS: Final = 5
_MIN_FACE_SIDE: Final = 30
_FOLLOWED_SIDE: Final = 48
_FOLLOWING_NEIGHBORS: Final = 2
"""Fewer than for a search: that a face is near is known already."""


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


class _Loaded(threading.local):
    """OpenCV's classifier keeps buffers between calls and must not be shared; each thread loads its own (30 ms)."""

    def __init__(self) -> None:
        self.cascades: dict[Path, cv2.CascadeClassifier] = {}


_loaded = _Loaded()


class FaceDetector:
    """Finds frontal faces with OpenCV's Haar cascade (Viola and Jones, 2001). May be shared between threads.

    Parameters
    ----------
    longest_side : int, pixels
        A picture whose longer side exceeds this is reduced to it before faces are sought.
    cascade_file : Path

    Raises
    ------
    DetectorError
        On first use, if the cascade file is missing or is not a cascade.
    """

    def __init__(self, longest_side: int = config.DETECTION_SIDE, cascade_file: Path = config.CASCADE_FILE) -> None:
        self.longest_side = longest_side
        self.cascade_file = cascade_file

    def detect(self, image_bgr: BGRImage) -> list[Box]:
        """Find the faces of a picture.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

        Returns
        -------
        list of Box, largest first, wholly inside the picture; empty where there is no face

        Raises
        ------
        DetectorError
            If the cascade file is missing or is not a cascade.
        """
        height, width = image_bgr.shape[:2]
        scale = min(1.0, self.longest_side / max(height, width))
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        if scale < 1.0:
            reduced = (max(1, round(width * scale)), max(1, round(height * scale)))
            grey = cv2.resize(grey, reduced, interpolation=cv2.INTER_AREA)
        found = self._cascade().detectMultiScale(
            grey, scaleFactor=_SCALE_FACTOR, minNeighbors=_MIN_NEIGHBORS, minSize=(_MIN_FACE_SIDE, _MIN_FACE_SIDE)
        )
        boxes = [_scaled_box(x, y, w, h, 1.0 / scale, width, height) for x, y, w, h in found]
        return sorted(boxes, key=lambda box: (-box.area, box.y, box.x))

    def find_near(self, grey: GreyImage, box: Box) -> Box | None:
        """Find a face again, in the next frame of a video: some milliseconds, however large the frame.

        Sought in the square of twice the box's side around it, reduced until the face measures some 48 pixels, for
        faces of nearly the box's size.

        Parameters
        ----------
        grey : ndarray of shape (height, width), uint8, 0-255
        box : Box, pixels, where the face was

        Returns
        -------
        Box, wholly inside the picture, or None if no face is there

        Raises
        ------
        DetectorError
            If the cascade file is missing or is not a cascade.
        """
        height, width = grey.shape
        left, top = max(0, box.x - box.w // 2), max(0, box.y - box.h // 2)
        around = grey[top : box.y + box.h + box.h // 2, left : box.x + box.w + box.w // 2]
        if min(around.shape) < _MIN_FACE_SIDE:
            return None
        scale = min(1.0, _FOLLOWED_SIDE / box.w)
        if scale < 1.0:
            reduced = max(1, round(around.shape[1] * scale)), max(1, round(around.shape[0] * scale))
            around = np.asarray(cv2.resize(around, reduced, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        side = box.w * scale
        smallest, largest = round(side * 0.8), round(side * 1.25)
        found = self._cascade().detectMultiScale(
            around,
            scaleFactor=_SCALE_FACTOR,
            minNeighbors=_FOLLOWING_NEIGHBORS,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        if len(found) == 0:
            return None
        # The one that moved least: a neighbour's face may reach into the square.
        middle_x, middle_y = (box.x + box.w / 2 - left) * scale, (box.y + box.h / 2 - top) * scale
        x, y, w, h = min(found, key=lambda b: (b[0] + b[2] / 2 - middle_x) ** 2 + (b[1] + b[3] / 2 - middle_y) ** 2)
        found_again = _scaled_box(x, y, w, h, 1.0 / scale, width - left, height - top)
        return found_again._replace(x=left + found_again.x, y=top + found_again.y)

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
