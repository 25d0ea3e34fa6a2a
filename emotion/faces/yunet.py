"""Picture -> where its faces are, by YuNet; `looks` says how pictures are looked at."""

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.faces.detect import Box, Cut, Detection, Points, box_within, largest_first, square_around
from emotion.faces.looks import (
    LEAST_SCORE,
    LEAST_SIDE,
    SIDES,
    Rows,
    distinct,
    first_look,
    longer_sides,
    look,
    second_looks,
)
from emotion.faces.pixels import BGRImage

LEVEL_DEGREES: Final = 10.0
"""From this tilt of the head on, a face is cut out level with its eyes: below, that changes votes no more than the
scatter of the boxes does."""
_LEVEL_TILT: Final = 6.0
"""Degrees. Faces of a video whose points are as level as this pass for upright. The points alone do not tell how far a
head is tilted: YuNet sees them more upright than they are. But it is surer, the more upright a face is."""
_TILTS: Final = (0.0, -30.0, 30.0)
_FAR_TILTS: Final = (-60.0, 60.0, 90.0, -90.0, 180.0)
_UPRIGHT_SCORE: Final = 0.88
"""Where none of the near tilts makes a face as sure as this, the far ones are tried."""
_AROUND: Final = 2.2
"""Of a face's longer side: the square around it that is turned, and reduced to `_AROUND_SIDE`."""
_AROUND_SIDE: Final = 160

_FOLLOWED_SIDE: Final = 64
_FOLLOWED_AROUND: Final = 2.2


class Effort(Enum):
    """How hard faces are sought."""

    QUICK = "-once"
    """The first of the sizes in which there are faces is enough: for live video."""
    ONCE = "-first"
    """In all sizes, but for a face that fills the picture where others are sure: for films, of many frames."""
    TWICE = ""
    """In all sizes, and, where nothing is found, brighter, with room around, turned, or closer: for pictures."""


class YuNetDetector:
    """Finds faces with YuNet, also tilted, partly turned away and small ones. May be shared between threads.

    Parameters
    ----------
    sides : sequence of int, pixels
        A picture is looked at reduced to each of them on its longer side.
    effort : Effort

    Raises
    ------
    DetectorError
        On first use, if the file of the network is missing or is another one.
    """

    def __init__(self, sides: Sequence[int] = SIDES, *, effort: Effort = Effort.TWICE) -> None:
        self.sides = tuple(sides)
        self.effort = effort

    @property
    def name(self) -> str:
        """Which detector this is."""
        return f"yunet-{LEAST_SCORE}-{'-'.join(map(str, self.sides))}{self.effort.value}"

    def detect(self, image_bgr: BGRImage) -> list[Detection]:
        """Find the faces of a picture.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

        Returns
        -------
        list of Detection, largest first; empty where there is no face

        Raises
        ------
        DetectorError
            If the file of the network is missing or is another one.
        """
        is_quick = self.effort is Effort.QUICK
        rows = (
            self._quick_look(image_bgr)
            if is_quick
            else first_look(image_bgr, self.sides, sparing=self.effort is Effort.ONCE)
        )
        if self.effort is Effort.TWICE and not len(rows):
            for look in second_looks(image_bgr, self.sides):
                rows = look()
                if len(rows):
                    break
        height, width = image_bgr.shape[:2]
        within = (rows[:, :2] < (width, height)).all(axis=1) & (rows[:, :2] + rows[:, 2:4] > 1).all(axis=1)
        rows = distinct(rows[within & (longer_sides(rows) >= LEAST_SIDE)])
        return largest_first([_detection(row, image_bgr, trusting=is_quick) for row in rows])

    def _quick_look(self, image_bgr: BGRImage) -> Rows:
        longest = max(image_bgr.shape[:2])
        for side in self.sides:
            rows = look(image_bgr, min(1.0, side / longest))
            if len(rows):
                break
        return rows

    def find_near(self, image_bgr: BGRImage, box: Box) -> Box | None:
        """Find a face again, in the next frame of a video: two milliseconds, however large the frame.

        Sought around its last place, in a part of the frame reduced until the face measures some 64 pixels.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
        box : Box, pixels, where the face was

        Returns
        -------
        Box, wholly inside the picture, or None if no face is there

        Raises
        ------
        DetectorError
            If the file of the network is missing or is another one.
        """
        height, width = image_bgr.shape[:2]
        longer = max(box.w, box.h)
        reach = round(longer * _FOLLOWED_AROUND / 2)
        middle_x, middle_y = box.x + box.w / 2, box.y + box.h / 2
        left, top = max(0, round(middle_x) - reach), max(0, round(middle_y) - reach)
        around = image_bgr[top : round(middle_y) + reach, left : round(middle_x) + reach]
        if not around.size:
            return None
        rows = look(around, min(1.0, _FOLLOWED_SIDE / longer))
        alike = rows[(longer_sides(rows) / longer > 0.6) & (longer_sides(rows) / longer < 1.7)]
        if not len(alike):
            return None
        # The one that moved least: a neighbour's face may reach into the square.
        moved = alike[:, :2] + alike[:, 2:4] / 2 - (middle_x - left, middle_y - top)
        x, y, w, h = map(float, alike[np.square(moved).sum(axis=1).argmin(), :4])
        return box_within(left + x, top + y, w, h, width, height)


def _detection(row: NDArray[np.float32], image_bgr: BGRImage, *, trusting: bool) -> Detection:
    height, width = image_bgr.shape[:2]
    x, y, w, h = map(float, row[:4])
    points: Points = tuple((float(px), float(py)) for px, py in row[4:14].reshape(5, 2))
    cut = square_around(Box(round(x), round(y), max(1, round(w)), max(1, round(h))))
    found = Detection(box_within(x, y, w, h, width, height), cut, float(row[14]), points)
    if trusting and abs(found.tilt) < _LEVEL_TILT:
        return found
    return replace(found, cut=_upright(found, image_bgr))


def _upright(found: Detection, image_bgr: BGRImage) -> Cut:
    """Turn what is around a face until its face is surest, and cut it out as it is there: the box of a tilted head lies
    otherwise than that of an upright one.
    """
    degrees, (score, tilt) = 0.0, (0.0, 0.0)
    for tilts in (_TILTS, _FAR_TILTS):
        if score >= _UPRIGHT_SCORE:
            break
        for turn in tilts:
            seen = _seen_around(found.cut, image_bgr, turn)
            if seen is not None and seen[0] > score:
                degrees, (score, tilt) = turn, seen[:2]
    total = degrees + (tilt if degrees else found.tilt)
    if abs(total) < LEVEL_DEGREES:
        return found.cut
    seen = _seen_around(found.cut, image_bgr, total)
    return found.cut._replace(degrees=total) if seen is None else seen[2]


def _seen_around(cut: Cut, image_bgr: BGRImage, degrees: float) -> tuple[float, float, Cut] | None:
    """See whether the face of a cut is there when what is around it is turned: its score, its tilt then, its cut."""
    middle = np.array([cut.x + cut.side / 2, cut.y + cut.side / 2])
    scale = _AROUND_SIDE / (_AROUND * cut.side)
    turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), degrees, scale)
    turn[:, 2] = turn[:, 2] + _AROUND_SIDE / 2 - middle
    size, how = (_AROUND_SIDE, _AROUND_SIDE), cv2.INTER_LINEAR
    around = cv2.warpAffine(image_bgr, turn, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    rows = look(np.asarray(around, dtype=np.uint8))
    places = rows[:, :2] + rows[:, 2:4] / 2
    near = np.abs(places - _AROUND_SIDE / 2).max(axis=1) < _AROUND_SIDE / 4
    if not near.any():
        return None
    best = int(np.where(near, rows[:, 14], 0).argmax())
    back = cv2.invertAffineTransform(turn)
    x, y = back[:, :2] @ places[best] + back[:, 2]
    side = max(1, round(float(longer_sides(rows)[best]) / scale))
    right, left = rows[best, 4:6], rows[best, 6:8]
    tilt = float(np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0])))
    return float(rows[best, 14]), tilt, Cut(round(x - side / 2), round(y - side / 2), side, degrees)
