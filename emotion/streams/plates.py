"""The texts on faces: how they look, and where they stand, which is beside the box and on nobody's face."""

from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from importlib.metadata import distribution
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from emotion.faces.detect import Box
from emotion.faces.pixels import BGRImage

_DARK: Final = (20, 20, 20)
_BRIGHT: Final = 0.179
"""Luminance, 0-1, of a ground from which black has the contrast that white has; it is written on in black above."""

_FONT_FILE: Final = str(distribution("matplotlib").locate_file("matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf"))
"""Has Latin, Greek and Cyrillic letters with all accents, which Pillow's own has not: classes are called what their
folders are. Found without importing matplotlib, which takes its time."""

_MOST_DRIFT: Final = 1 / 6
"""Share of a text's size by which another must differ to be taken in the next frame."""


Size = tuple[int, int]
"""Width and height, pixels."""


class Side(IntEnum):
    """Sides of a box, the one that is tried first in front."""

    ABOVE = 0
    BELOW = 1
    RIGHT = 2
    LEFT = 3


class Area(NamedTuple):
    """A rectangle in pixels; what is at `right` and `bottom` is outside."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def at(cls, place: tuple[int, int], size: Size) -> "Area":
        """Give the one of this left upper corner, width and height."""
        return cls(*place, place[0] + size[0], place[1] + size[1])

    def overlaps(self, other: "Area") -> bool:
        """Whether the two have a pixel in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def grown(self, by: int) -> "Area":
        """Move each side outwards by some pixels."""
        return Area(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def turned(self) -> "Area":
        """Exchange across and down."""
        return Area(self.top, self.left, self.bottom, self.right)


def around(box: Box, margin: int) -> Area:
    """Give the pixels that a face and the line around it take.

    Parameters
    ----------
    box : Box, pixels
    margin : int, pixels, of the line that are outside of the box

    Returns
    -------
    Area
    """
    return Area(box.x, box.y, box.x + box.w, box.y + box.h).grown(margin)


def beside(side: Side, plate: Size, face: Area, taken: Iterable[Area], picture: Size) -> tuple[int, int] | None:
    """Find the place for a plate on one side of a face, along which it is moved as little as can be.

    Parameters
    ----------
    side : Side
    plate : (int, int), pixels, its width and height
    face : Area, beside which it is to stand; at least half of the shorter of the two lies against the other
    taken : iterable of Area, that it may not cover
    picture : (int, int), pixels, the width and height that it may not leave

    Returns
    -------
    (int, int), the pixel of its left upper corner; None where there is no place
    """
    if side in (Side.LEFT, Side.RIGHT):
        turned = Side.ABOVE if side is Side.LEFT else Side.BELOW
        place = beside(turned, plate[::-1], face.turned(), [area.turned() for area in taken], picture[::-1])
        return None if place is None else place[::-1]
    width, height = plate
    y = face.top - height if side is Side.ABOVE else face.bottom
    if y < 0 or y + height > picture[1]:
        return None
    held = min(width, face.right - face.left) // 2
    first, last = max(0, face.left - width + held), min(picture[0] - width, face.right - held)
    barred = [(area.left, area.right) for area in taken if area.top < y + height and area.bottom > y]
    wished = min(max(face.left, first), last)
    places = [wished, *(left - width for left, _ in barred), *(right for _, right in barred)]
    free = [x for x in places if first <= x <= last and all(x + width <= left or right <= x for left, right in barred)]
    return None if not free else (min(free, key=lambda x: (abs(x - wished), x)), y)


def corner(plate: Size, face: Area, others: Sequence[Area]) -> tuple[int, int]:
    """Find the place for a plate in a corner of a face's own box: where there is one, in a corner that nobody shares.

    Parameters
    ----------
    plate : (int, int), pixels, its width and height
    face : Area, of the box
    others : sequence of Area, of all else

    Returns
    -------
    (int, int), the pixel of its left upper corner
    """
    left, top = max(0, face.left), max(0, face.top)
    right, bottom = max(left, face.right - plate[0]), max(top, face.bottom - plate[1])
    places = [(left, top), (right, top), (left, bottom), (right, bottom)]
    return next(
        (place for place in places if not any(Area.at(place, plate).overlaps(area) for area in others)), places[0]
    )


class Steady:
    """Where the plates of a video stood a frame before, so that they stay there as long as there is room."""

    def __init__(self) -> None:
        self._sides: dict[int, Side | None] = {}
        self._sizes: dict[int, int] = {}

    def forget_all_but(self, numbers: Collection[int]) -> None:
        """Forget the faces that are there no more.

        Parameters
        ----------
        numbers : collection of int, of the faces that are
        """
        for known in (self._sides, self._sizes):
            for number in known.keys() - set(numbers):
                del known[number]

    def size(self, number: int, wished: int) -> int:
        """Choose the size of a face's text: that of before, unless the face's own has become much another.

        Parameters
        ----------
        number : int, of the face
        wished : int, pixels

        Returns
        -------
        int, pixels
        """
        before = self._sizes.get(number, wished)
        self._sizes[number] = before if abs(before - wished) <= before * _MOST_DRIFT else wished
        return self._sizes[number]

    def place(
        self, number: int, plate: Size, face: Area, taken: Sequence[Area], picture: Size
    ) -> tuple[int, int] | None:
        """Find a place for a plate, on the side of before if there is one.

        Another side, or one at all where there was none, is only taken with room to spare: what fits by a pixel would
        not in the next frame.

        Parameters
        ----------
        number : int, of the face
        plate, face, taken, picture
            As in `beside`.

        Returns
        -------
        (int, int), the pixel of its left upper corner; None where there is no place
        """
        known = number in self._sides
        before = self._sides.get(number)
        spare = plate[1] // 3 if known else 0
        wide = [area if area == face else area.grown(spare) for area in taken]
        for side in Side if before is None else (before, *(other for other in Side if other is not before)):
            place = beside(side, plate, face, taken if side is before else wide, picture)
            if place is not None:
                self._sides[number] = side
                return place
        self._sides[number] = None
        return None


@lru_cache(maxsize=256)
def ems(text: str) -> float:
    """Give the width of a text's tile, in sizes of the text.

    Parameters
    ----------
    text : str

    Returns
    -------
    float, > 0
    """
    left, _, right, _ = ImageFont.truetype(_FONT_FILE, 100).getbbox(text)
    return (right - left) / 100 + 2 / 3


@lru_cache(maxsize=256)
def text_tile(text: str, size: int, background_bgr: tuple[int, int, int], *, framed: bool = True) -> BGRImage:
    """Draw a white or a black text on a coloured ground; kept, since a stream shows the same few at every frame.

    Parameters
    ----------
    text : str
    size : int, pixels
    background_bgr : (int, int, int), 0-255, blue-green-red
    framed : bool, whether a dark line runs around it

    Returns
    -------
    ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, not to be changed
    """
    font = ImageFont.truetype(_FONT_FILE, size)
    left, _, right, _ = font.getbbox(text)
    pad = size // 3
    blue, green, red = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in background_bgr)
    )
    fill = "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _BRIGHT else "white"
    tile = Image.new("RGB", (round(right - left) + 2 * pad, size + 2 * pad), background_bgr[::-1])
    pen = ImageDraw.Draw(tile)
    if framed:
        pen.rectangle((0, 0, tile.width - 1, tile.height - 1), outline=_DARK)
    pen.text((pad - left, pad + size // 2), text, fill=fill, font=font, anchor="lm")
    return np.ascontiguousarray(np.asarray(tile)[:, :, ::-1])
