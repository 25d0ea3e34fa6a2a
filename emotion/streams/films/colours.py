"""What tells people of a film apart without knowing their faces: the colours of hair and clothes. And cuts, by those of
whole pictures.

These are counts of colours, kept while a film is looked at and no longer. They are no measure of a face, know nobody
again in another film, and are lost when somebody changes clothes, which is meant.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.faces.detect import Box
from emotion.faces.pixels import BGRImage

Colours = NDArray[np.float32]
"""ndarray of shape (4, 48), float32, 0-1: for hair, face, shoulders and chest, the roots of the shares of 36 kinds of
colour and twelve kinds of grey; all nought for a part that is out of the picture."""

_HUES: Final = 12
_SATURATIONS: Final = 3
_GREYS: Final = 12
_COLOURLESS: Final = 48
"""Saturation and brightness, 0-255, below which a colour is counted as a grey."""
_PARTS: Final = ((-0.1, -0.4, 1.2, 0.6), (0.1, 0.25, 0.8, 0.7), (-0.4, 1.1, 1.8, 0.6), (-0.4, 1.7, 1.8, 0.8))
"""Left, top, width and height of each part, in widths and heights of a face's box, from its corner."""
_SIDE: Final = 32
"""Pixels, to which each part is reduced."""
_LEAST_VISIBLE: Final = 0.3
_THUMBNAIL: Final = (32, 18)
_CUT: Final = 28.0
"""Mean difference, 0-255, of two thumbnails of different scenes."""

Thumbnail = NDArray[np.int16]
"""ndarray of shape (18, 32, 3), 0-255."""


def thumbnail(image_bgr: BGRImage) -> Thumbnail:
    """Reduce a picture to what `is_cut` compares.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

    Returns
    -------
    Thumbnail
    """
    return np.asarray(cv2.resize(image_bgr, _THUMBNAIL, interpolation=cv2.INTER_AREA), dtype=np.int16)


def is_cut(before: Thumbnail, after: Thumbnail) -> bool:
    """Tell whether another scene has begun between two pictures a moment apart.

    Parameters
    ----------
    before, after : Thumbnail

    Returns
    -------
    bool
    """
    return float(np.abs(after - before).mean()) > _CUT


def colours_of(image_bgr: BGRImage, box: Box) -> Colours:
    """Count the colours of a head and of the clothes below it.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    box : Box, pixels, of the face

    Returns
    -------
    Colours
    """
    x, y, w, h = box
    return np.stack(
        [_counted(image_bgr, x + left * w, y + top * h, wide * w, high * h) for left, top, wide, high in _PARTS]
    )


def _counted(image_bgr: BGRImage, x: float, y: float, w: float, h: float) -> NDArray[np.float32]:
    height, width = image_bgr.shape[:2]
    left, top, right, bottom = (round(edge) for edge in (max(0, x), max(0, y), min(width, x + w), min(height, y + h)))
    counts = np.zeros(_HUES * _SATURATIONS + _GREYS, dtype=np.float32)
    if right <= left or bottom <= top or (right - left) * (bottom - top) < _LEAST_VISIBLE * w * h:
        return counts
    part = cv2.resize(image_bgr[top:bottom, left:right], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    hue, saturation, brightness = np.moveaxis(cv2.cvtColor(part, cv2.COLOR_BGR2HSV).astype(np.intp), 2, 0)
    grey = (saturation < _COLOURLESS) | (brightness < _COLOURLESS)
    colour = hue * _HUES // 180 * _SATURATIONS + (saturation - _COLOURLESS) * _SATURATIONS // (256 - _COLOURLESS)
    kinds = np.where(grey, _HUES * _SATURATIONS + brightness * _GREYS // 256, colour)
    counts += np.bincount(kinds.ravel(), minlength=len(counts))
    return np.sqrt(counts / _SIDE**2)


def likeness(a: Colours, b: Colours) -> float:
    """Say how alike the colours of two people are: the mean of Bhattacharyya's coefficients of the parts.

    Parameters
    ----------
    a, b : Colours

    Returns
    -------
    float, 0-1, of the parts that are in the picture of both; 0 where none is
    """
    both = a.any(axis=1) & b.any(axis=1)
    return float((a * b).sum(axis=1)[both].mean()) if both.any() else 0.0
