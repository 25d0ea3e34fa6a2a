"""Why there is no face in a picture, as far as that can be told, and what to do."""

from typing import Final

import cv2
import numpy as np

from emotion.faces.decode import BGRImage
from emotion.faces.looks import LEAST_SIDE, sees_tiny_faces, sees_turned_faces

_BLACK: Final = 10
_DARK: Final = 60
"""Brightness, 0-255, that 99 % of the pixels do not exceed."""

BLACK: Final = "The picture is black: is the shutter closed?"
DARK: Final = "It is too dark: more light would help."
TINY: Final = f"The faces in it are smaller than {LEAST_SIDE} pixels: come nearer, or use a larger picture."
ON_ITS_SIDE: Final = "The picture lies on its side: turn it, or the camera."
OTHERWISE: Final = "Faces that are turned away, covered or very small are not found."


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
