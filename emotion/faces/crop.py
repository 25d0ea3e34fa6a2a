"""Picture and boxes -> face vectors: the only place that cuts faces out and resizes them.

Training (`image_to_vector.py`) and serving (the page, the command line) both come through here, so that the same
picture gives bit-equal face vectors on both sides.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emotion import config
from emotion.faces.detect import Box, Cut, Detection, FaceDetector, HaarDetector
from emotion.faces.pixels import BGRImage, as_bgr
from emotion.faces.yunet import YuNetDetector

FaceVector = NDArray[np.uint8]
"""ndarray of shape (2304,), uint8, 0-255, grey, row-major 48x48."""

FaceVectors = NDArray[np.uint8]
"""ndarray of shape (n, 2304), uint8, 0-255, grey, row-major 48x48."""

DETECTORS: Final[dict[str, Callable[[], FaceDetector]]] = {"yunet": YuNetDetector, "haar": HaarDetector}
"""What the command line offers, the usual one first."""


def cut_out(image_bgr: BGRImage, cut: Cut) -> BGRImage:
    """Cut a square out of a picture, upright, padding past the border with the edge.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    cut : Cut

    Returns
    -------
    ndarray of shape (side, side, 3), uint8, a copy

    Raises
    ------
    ValueError
        If an upright square is wholly outside the picture.
    """
    height, width = image_bgr.shape[:2]
    left, top, side, degrees = cut
    if degrees:
        turn = cv2.getRotationMatrix2D((left + (side - 1) / 2, top + (side - 1) / 2), degrees, 1.0)
        turn[:, 2] -= left, top
        turned = cv2.warpAffine(image_bgr, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(turned, dtype=np.uint8)
    if left >= width or top >= height or left + side <= 0 or top + side <= 0:
        raise ValueError(f"{cut} has no part in a picture of {width} x {height} pixels")
    inside = image_bgr[max(0, top) : top + side, max(0, left) : left + side]
    above, before = max(0, -top), max(0, -left)
    below, after = side - above - inside.shape[0], side - before - inside.shape[1]
    return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)


def face_vector(crop_bgr: BGRImage) -> FaceVector:
    """Turn the picture of one face into the vector that the models take.

    Parameters
    ----------
    crop_bgr : ndarray of shape (side, side, 3), uint8, 0-255, blue-green-red

    Returns
    -------
    ndarray of shape (2304,), uint8, 0-255, grey, row-major 48x48
    """
    grey = cv2.cvtColor(crop_bgr, cv2.COLOR_BGR2GRAY)
    side = config.FACE_SIDE
    if grey.shape != (side, side):
        shrinking = min(grey.shape) > side
        grey = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
    return grey.reshape(-1).astype(np.uint8, copy=False)


def find_faces(
    image_bgr: BGRImage | Image.Image, detector: FaceDetector, *, whole: bool = False
) -> list[tuple[Detection, FaceVector]]:
    """Find the faces of a picture and turn each into its vector.

    A picture of exactly 48x48 pixels is taken as a face that somebody already cut out: the form in which data sets of
    faces come.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, or what else
        `emotion.faces.pixels.as_bgr` takes
    detector : FaceDetector
    whole : bool
        Whether any picture is such a face: the largest square in its middle is taken.

    Returns
    -------
    list of (Detection, ndarray of shape (2304,), uint8), largest face first

    Raises
    ------
    ValueError
        As `emotion.faces.pixels.as_bgr`.
    DetectorError
        If the detector's file is missing or is another one.
    """
    image_bgr = as_bgr(image_bgr)
    height, width = image_bgr.shape[:2]
    if whole or (height, width) == (config.FACE_SIDE, config.FACE_SIDE):
        side = min(height, width)
        left, top = (width - side) // 2, (height - side) // 2
        found = [Detection(Box(left, top, side, side), Cut(left, top, side))]
    else:
        found = detector.detect(image_bgr)
    return [(face, face_vector(cut_out(image_bgr, face.cut))) for face in found]
