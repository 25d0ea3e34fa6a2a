"""Boxes and labels on pictures: one look for the webcam, the image page and the notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import cv2
import numpy as np

from emotion.faces.detect import Box
from emotion.faces.pixels import BGRImage
from emotion.streams.plates import Area, Side, Steady, around, beside, corner, ems, text_tile
from emotion.vote.recognizer import FaceEmotion
from emotion.vote.voting import Vote

# Found by a search over sRGB for the ten whose closest two are farthest apart (CIEDE2000) as the three kinds of
# dichromats see them (Machado et al., 2009), their first seven still farther; to everybody else, a third more. Each has
# a contrast of 2.3 or more with white, and of 2.7 with the page's dark ground. tests/streams/test_palette.py measures.
_EXPRESSION_COLOURS: Final = (
    *("#b42802", "#f69325", "#7418fa", "#20c194", "#777777", "#8184fb", "#bba3c1"),
    *("#7b554b", "#9d7f53", "#2c647e"),
)
"""Red, orange, violet, green, grey, blue and lilac, for the seven that ship; umber, ochre and petrol."""

_WHITE: Final = (255, 255, 255)
_DARK: Final = (20, 20, 20)
"""Lines outside and inside of a box's own: on any ground, one of them is seen."""
_NOTICE_BGR: Final = (60, 60, 60)
_FADED: Final = 0.4
"""The share of a box's own colours where its face was not found for a moment."""

_TEXT_SHARE: Final = 1 / 22
_LEAST_TEXT_SHARE: Final = 1 / 48
_LEAST_TEXT: Final = 12
"""Pixels. Of the shorter side of a picture: a text's height, which follows the face that it is on, and its least."""

_MOST_WIDTH: Final = 1.25
"""Of a text that can be read at a smaller size, in widths of its face."""

_MOST_HIDDEN: Final = 1 / 12
"""Share of a box that a text may cover which has no place beside it."""

_SMALL_SIDE: Final = 480
"""Pixels; of a smaller picture, faces are hardly seen on a page."""


def expression_colour(place: int) -> str:
    """Give the colour of an expression in charts and on faces.

    Parameters
    ----------
    place : int, >= 0, in the list of classes

    Returns
    -------
    str, as in HTML: ``#d55e00``
    """
    return _EXPRESSION_COLOURS[place % len(_EXPRESSION_COLOURS)]


def vote_text(vote: Vote) -> str:
    """Say a vote in a few words.

    Parameters
    ----------
    vote : Vote

    Returns
    -------
    str, such as ``Happy 5/5``, ``Uncertain: Sad 2/5`` or ``Too small: Happy 4/5``
    """
    text = f"{vote.label} {vote.agreement}/{len(vote.ballots)}"
    return f"{vote.unfit.capitalize() or 'Uncertain'}: {text}" if vote.uncertain else text


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn of a face.

    Attributes
    ----------
    number : int, from 1
    box : Box, pixels
    vote : Vote, whose label decides the colour; None where there was none yet
    fading : bool, whether the face was not found for a moment, so that it may have left
    """

    number: int
    box: Box
    vote: Vote | None
    fading: bool = False


def marks(faces: Sequence[FaceEmotion]) -> list[Mark]:
    """Number the faces of a picture in their order.

    Parameters
    ----------
    faces : sequence of FaceEmotion

    Returns
    -------
    list of Mark
    """
    return [Mark(number, face.box, face.vote) for number, face in enumerate(faces, start=1)]


def draw_marks(
    image_bgr: BGRImage, marked: Sequence[Mark], *, numbered: bool = False, steady: Steady | None = None
) -> BGRImage:
    """Draw the box of each face in the colour of its expression, dashed where the vote is uncertain, and the text.

    A text stands beside its box and on nobody's face; where there are several, it begins with the number. Where there
    is no room for it, the number stands alone, and if need be in a corner of the box.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    marked : sequence of Mark
    numbered : bool, whether the text of a single face begins with its number, too
    steady : Steady, of the video that this is the next frame of; it keeps where texts stand

    Returns
    -------
    ndarray of the same shape and kind, a copy
    """
    drawn = image_bgr.copy()
    plates = _plates(image_bgr, marked, steady or Steady(), numbered=numbered or len(marked) > 1)
    for fading in (True, False):
        those = [mark for mark in marked if mark.fading is fading]
        for mark in those:
            _draw_box(drawn, mark)
        for plate in plates:
            if plate.fading is fading:
                _paste(drawn, plate.tile, plate.x, plate.y)
        if fading and those:
            drawn = np.asarray(cv2.addWeighted(drawn, _FADED, image_bgr, 1 - _FADED, 0), dtype=np.uint8)
    return drawn


def with_room(image_bgr: BGRImage, marked: Sequence[Mark]) -> tuple[BGRImage, list[Mark]]:
    """Enlarge a small picture, and give one whose only face leaves no room for its text a strip below for it.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    marked : sequence of Mark

    Returns
    -------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    marked : list of Mark, with their boxes in pixels of that
    """
    times = max(1, round(_SMALL_SIDE / max(image_bgr.shape[:2])))
    larger = np.asarray(cv2.resize(image_bgr, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    moved = [replace(mark, box=Box(*(times * edge for edge in mark.box))) for mark in marked]
    if len(moved) != 1 or _has_room(larger, moved[0]):
        return larger, moved
    strip = 2 * _text_pixels(larger) + 2 * _margin(larger, moved[0].box)
    roomy = np.asarray(
        cv2.copyMakeBorder(larger, 0, strip, 0, 0, cv2.BORDER_CONSTANT, value=_NOTICE_BGR), dtype=np.uint8
    )
    return (roomy if _has_room(roomy, moved[0]) else larger), moved


def draw_caption(image_bgr: BGRImage, lines: Sequence[str]) -> BGRImage:
    """Write lines into a strip below a picture.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    lines : sequence of str

    Returns
    -------
    ndarray of the same width and kind, higher
    """
    width = image_bgr.shape[1]
    size = min(round(0.8 * _text_pixels(image_bgr)), *(max(_LEAST_TEXT, int(width / ems(line))) for line in lines))
    tiles = [text_tile(line, size, _NOTICE_BGR, framed=False) for line in lines]
    strip: BGRImage = np.full((sum(len(tile) for tile in tiles), width, 3), _NOTICE_BGR, dtype=np.uint8)
    y = 0
    for tile in tiles:
        _paste(strip, tile, 0, y)
        y += len(tile)
    return np.concatenate([image_bgr, strip])


def draw_notice(image_bgr: BGRImage, text: str) -> BGRImage:
    """Write a line into the top left corner.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    text : str

    Returns
    -------
    ndarray of the same shape and kind, a copy
    """
    drawn = image_bgr.copy()
    _paste(drawn, text_tile(text, _text_pixels(drawn), _NOTICE_BGR, framed=False), 0, 0)
    return drawn


def _text_pixels(image_bgr: BGRImage) -> int:
    shorter_side: int = min(image_bgr.shape[:2])
    return max(14, round(shorter_side * _TEXT_SHARE))


def _colour_of(mark: Mark) -> tuple[int, int, int]:
    if mark.vote is None:
        return _WHITE
    colour = expression_colour(list(mark.vote.probabilities).index(mark.vote.label))
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return blue, green, red


def _line_pixels(image_bgr: BGRImage, box: Box) -> int:
    """How wide the coloured line of a box is: wider in larger pictures, and not so wide that it hides a small face.

    Three pixels at least, where the face allows: videos have half as many pixels of colour as of brightness.
    """
    shorter_side: int = min(image_bgr.shape[:2])
    return max(2, min(max(3, round(shorter_side / 160)), round(min(box.w, box.h) / 10)))


def _margin(image_bgr: BGRImage, box: Box) -> int:
    """How many pixels of a box's lines are outside of it: half of the coloured one, and the dark one."""
    thickness = _line_pixels(image_bgr, box)
    return thickness // 2 + thickness // 4 + 1


def _draw_box(drawn: BGRImage, mark: Mark) -> None:
    """Draw a coloured line between a dark and a white one."""
    x, y, w, h = mark.box
    colour, thickness, margin = _colour_of(mark), _line_pixels(drawn, mark.box), _margin(drawn, mark.box)
    rim = margin - thickness // 2
    is_uncertain = mark.vote is not None and mark.vote.uncertain
    dash = max(2, min(5 * thickness, min(w, h) // 3)) if is_uncertain else 0
    across, down = (_dashes(start - margin, start + length + margin, dash) for start, length in ((x, w), (y, h)))
    inner = _DARK if colour == _WHITE else _WHITE
    for line, out, wide in (
        (_DARK, margin, rim),
        (colour, thickness // 2, thickness),
        (inner, thickness // 2 - thickness, rim),
    ):
        left, top, right, bottom = around(mark.box, out)
        for start, end in across:
            start, end = max(start, left), min(end, right)
            _fill(drawn, start, top, end, top + wide, line)
            _fill(drawn, start, bottom - wide, end, bottom, line)
        for start, end in down:
            start, end = max(start, top), min(end, bottom)
            _fill(drawn, left, start, left + wide, end, line)
            _fill(drawn, right - wide, start, right, end, line)


def _dashes(start: int, end: int, dash: int) -> list[tuple[int, int]]:
    """Divide a line into dashes, one at each end, with gaps that are shorter; with nought, leave it whole."""
    gaps = round((end - start - dash) / (1.7 * dash)) if dash else 0
    if gaps < 1:
        return [(start, end)]
    period = (end - start - dash) / gaps
    return [(start + round(n * period), start + round(n * period) + dash) for n in range(gaps + 1)]


def _fill(drawn: BGRImage, left: int, top: int, right: int, bottom: int, colour: tuple[int, int, int]) -> None:
    if left < right and top < bottom:
        cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), colour, cv2.FILLED)


class _Plate(NamedTuple):
    """A text, and the pixel of its left upper corner."""

    tile: BGRImage
    x: int
    y: int
    fading: bool


def _plates(image_bgr: BGRImage, marked: Sequence[Mark], steady: Steady, *, numbered: bool) -> list[_Plate]:
    """Find a place for the text of each face, or for its number; in order of numbers, which frames have in common."""
    picture = _size(image_bgr)
    faces = [around(mark.box, _margin(image_bgr, mark.box)) for mark in marked]
    taken, plates = list(faces), []
    steady.forget_all_but([mark.number for mark in marked])
    for mark, face in sorted(zip(marked, faces, strict=True), key=lambda pair: pair[0].number):
        text = _text_of(mark, numbered=numbered)
        size = steady.size(mark.number, _text_size(image_bgr, face, text))
        tile = text_tile(text, size, _colour_of(mark))
        place = steady.place(mark.number, _size(tile), face, taken, picture)
        if place is None and numbered:
            tile = text_tile(str(mark.number), _least_text(image_bgr), _colour_of(mark))
            place = _somewhere(tile, face, taken, picture)
        if place is None:
            # In a corner of the box: a number always, a text where it hides next to nothing of a face.
            if not numbered and tile[:, :, 0].size > mark.box.area * _MOST_HIDDEN:
                continue
            place = corner(_size(tile), around(mark.box, 0), [area for area in taken if area != face])
        plates.append(_Plate(tile, *place, mark.fading))
        taken.append(Area.at(place, _size(tile)))
    return plates


def _somewhere(tile: BGRImage, face: Area, taken: Sequence[Area], picture: tuple[int, int]) -> tuple[int, int] | None:
    places = (beside(side, _size(tile), face, taken, picture) for side in Side)
    return next((place for place in places if place is not None), None)


def _has_room(image_bgr: BGRImage, mark: Mark) -> bool:
    """Whether the text of the only face stands beside it."""
    face, text = around(mark.box, _margin(image_bgr, mark.box)), _text_of(mark, numbered=False)
    tile = text_tile(text, _text_size(image_bgr, face, text), _colour_of(mark))
    return _somewhere(tile, face, [face], _size(image_bgr)) is not None


def _text_of(mark: Mark, *, numbered: bool) -> str:
    text = "…" if mark.vote is None else vote_text(mark.vote)
    return f"{mark.number}  {text}" if numbered else text


def _text_size(image_bgr: BGRImage, face: Area, text: str) -> int:
    """Give the size at which a text is hardly wider than its face, in the bounds of what the picture wants."""
    least = _least_text(image_bgr)
    as_wide = int(_MOST_WIDTH * (face.right - face.left) / ems(text))
    return min(max(least, as_wide), max(least, _text_pixels(image_bgr)))


def _least_text(image_bgr: BGRImage) -> int:
    shorter_side: int = min(image_bgr.shape[:2])
    return max(_LEAST_TEXT, round(shorter_side * _LEAST_TEXT_SHARE))


def _size(picture_bgr: BGRImage) -> tuple[int, int]:
    return picture_bgr.shape[1], picture_bgr.shape[0]


def _paste(image_bgr: BGRImage, tile: BGRImage, x: int, y: int) -> None:
    """Put a tile at a place, moved inside the picture and cut where the picture is smaller."""
    height, width = image_bgr.shape[:2]
    x, y = max(0, min(x, width - tile.shape[1])), max(0, min(y, height - tile.shape[0]))
    part = tile[: height - y, : width - x]
    image_bgr[y : y + part.shape[0], x : x + part.shape[1]] = part
