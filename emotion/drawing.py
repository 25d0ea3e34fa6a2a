"""Boxes and labels on pictures: one look for the webcam, the image page and the notebooks."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from emotion.faces import BGRImage
from emotion.recognizer import FaceEmotion
from emotion.voting import Vote

# Blue and orange of Okabe and Ito's palette (2008), which colour-blind people tell apart; the words say it too.
CERTAIN_BGR: Final = (178, 114, 0)
UNCERTAIN_BGR: Final = (0, 159, 230)
_NOTICE_BGR: Final = (60, 60, 60)
_TEXT_SHARE: Final = 1 / 22


def vote_text(vote: Vote) -> str:
    """Say a vote in a few words.

    Parameters
    ----------
    vote : Vote

    Returns
    -------
    str, such as ``Happy 5/5`` or ``Uncertain: Sad 2/5``
    """
    text = f"{vote.label} {vote.agreement}/{len(vote.ballots)}"
    return f"Uncertain: {text}" if vote.uncertain else text


def draw_faces(image_bgr: BGRImage, faces: Sequence[FaceEmotion]) -> BGRImage:
    """Draw the box and the vote of each face.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    faces : sequence of FaceEmotion

    Returns
    -------
    ndarray of the same shape and kind, a copy
    """
    drawn = image_bgr.copy()
    thickness = max(2, round(min(drawn.shape[:2]) / 240))
    for face in faces:
        x, y, w, h = face.box
        colour = UNCERTAIN_BGR if face.vote.uncertain else CERTAIN_BGR
        cv2.rectangle(drawn, (x, y), (x + w, y + h), colour, thickness, cv2.LINE_AA)
        tile = _text_tile(vote_text(face.vote), _text_pixels(drawn), colour)
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
    """White text on a coloured ground; kept, since a stream shows the same few texts at every frame."""
    font = ImageFont.load_default(size)
    left, _, right, _ = font.getbbox(text)
    pad = size // 3
    tile = Image.new("RGB", (round(right - left) + 2 * pad, size + 2 * pad), background_bgr[::-1])
    ImageDraw.Draw(tile).text((pad - left, pad + size // 2), text, fill="white", font=font, anchor="lm")
    return np.ascontiguousarray(np.asarray(tile)[:, :, ::-1])


def _paste(image_bgr: BGRImage, tile: BGRImage, x: int, y: int) -> None:
    """Put a tile at a place, moved inside the picture and cut where the picture is smaller."""
    height, width = image_bgr.shape[:2]
    x, y = max(0, min(x, width - tile.shape[1])), max(0, min(y, height - tile.shape[0]))
    part = tile[: height - y, : width - x]
    image_bgr[y : y + part.shape[0], x : x + part.shape[1]] = part
