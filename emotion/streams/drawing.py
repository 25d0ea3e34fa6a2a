"""Boxes and labels on pictures: one look for the webcam, the image page and the notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distribution
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from emotion.faces.detect import Box
from emotion.faces.pixels import BGRImage
from emotion.vote.recognizer import FaceEmotion
from emotion.vote.voting import Vote

# Okabe and Ito's palette (2008), which colour-blind people tell apart; numbers and words say the same.
FACE_COLOURS_BGR: Final = (
    (178, 114, 0),
    (0, 94, 213),
    (115, 158, 0),
    (167, 121, 204),
    (0, 159, 230),
    (233, 180, 86),
)
"""One for each face in turn: blue, vermilion, green, purple, orange, sky blue."""

# Found by a search over sRGB for the ten whose closest two are farthest apart (CIEDE2000) as the three kinds of
# dichromats see them (Machado et al., 2009), their first seven still farther; to everybody else, a third more. Each has
# a contrast of 2.3 or more with white, and of 2.7 with the page's dark ground. tests/streams/test_palette.py measures.
_EXPRESSION_COLOURS: Final = (
    *("#b42802", "#f69325", "#7418fa", "#20c194", "#777777", "#8184fb", "#bba3c1"),
    *("#7b554b", "#9d7f53", "#2c647e"),
)
"""Red, orange, violet, green, grey, blue and lilac, for the seven that ship; umber, ochre and petrol."""

_NOTICE_BGR: Final = (60, 60, 60)
_BRIGHT: Final = 140
"""Brightness, 0-255, of a ground that is written on in black."""

_TEXT_SHARE: Final = 1 / 22

_FONT_FILE: Final = str(distribution("matplotlib").locate_file("matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf"))
"""Has Latin, Greek and Cyrillic letters with all accents, which Pillow's own has not: classes are called what their
folders are. Found without importing matplotlib, which takes its time."""


def expression_colour(place: int) -> str:
    """Give the colour of an expression in charts.

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
    number : int, from 1; decides the colour
    box : Box, pixels
    text : str
    """

    number: int
    box: Box
    text: str


def marks(faces: Sequence[FaceEmotion]) -> list[Mark]:
    """Number the faces of a picture in their order.

    Parameters
    ----------
    faces : sequence of FaceEmotion

    Returns
    -------
    list of Mark
    """
    return [Mark(number, face.box, vote_text(face.vote)) for number, face in enumerate(faces, start=1)]


def draw_marks(image_bgr: BGRImage, marked: Sequence[Mark], *, numbered: bool = False) -> BGRImage:
    """Draw the box and the text of each face; where there are several, each text begins with its number.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    marked : sequence of Mark
    numbered : bool, whether the text of a single face begins with its number, too

    Returns
    -------
    ndarray of the same shape and kind, a copy
    """
    drawn = image_bgr.copy()
    thickness = max(2, round(min(drawn.shape[:2]) / 240))
    for mark in marked:
        x, y, w, h = mark.box
        text = f"{mark.number}  {mark.text}" if numbered or len(marked) > 1 else mark.text
        colour = FACE_COLOURS_BGR[(mark.number - 1) % len(FACE_COLOURS_BGR)]
        cv2.rectangle(drawn, (x, y), (x + w, y + h), colour, thickness, cv2.LINE_AA)
        tile = _text_tile(text, _text_pixels(drawn), colour)
        above = y - tile.shape[0]
        _paste(drawn, tile, x - thickness // 2, above if above >= 0 else y + h)
    return drawn


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
    _paste(drawn, _text_tile(text, _text_pixels(drawn), _NOTICE_BGR), 0, 0)
    return drawn


def _text_pixels(image_bgr: BGRImage) -> int:
    shorter_side: int = min(image_bgr.shape[:2])
    return max(14, round(shorter_side * _TEXT_SHARE))


@lru_cache(maxsize=256)
def _text_tile(text: str, size: int, background_bgr: tuple[int, int, int]) -> BGRImage:
    """White or black text on a coloured ground; kept, since a stream shows the same few texts at every frame."""
    font = ImageFont.truetype(_FONT_FILE, size)
    left, _, right, _ = font.getbbox(text)
    pad = size // 3
    blue, green, red = background_bgr
    fill = "black" if 0.114 * blue + 0.587 * green + 0.299 * red > _BRIGHT else "white"  # luma of ITU-R BT.601
    tile = Image.new("RGB", (round(right - left) + 2 * pad, size + 2 * pad), background_bgr[::-1])
    ImageDraw.Draw(tile).text((pad - left, pad + size // 2), text, fill=fill, font=font, anchor="lm")
    return np.ascontiguousarray(np.asarray(tile)[:, :, ::-1])


def _paste(image_bgr: BGRImage, tile: BGRImage, x: int, y: int) -> None:
    """Put a tile at a place, moved inside the picture and cut where the picture is smaller."""
    height, width = image_bgr.shape[:2]
    x, y = max(0, min(x, width - tile.shape[1])), max(0, min(y, height - tile.shape[0]))
    part = tile[: height - y, : width - x]
    image_bgr[y : y + part.shape[0], x : x + part.shape[1]] = part
