"""Picture and boxes -> face vectors: the only place that cuts faces out and resizes them.

Training (`image_to_vector.py`) and serving (the page, the command line) both come through here, so that the same
picture gives bit-equal face vectors on both sides.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion import config
from emotion.faces.decode import BGRImage
from emotion.faces.detect import Box, FaceDetector

FaceVector = NDArray[np.uint8]
"""ndarray of shape (2304,), uint8, 0-255, grey, row-major 48x48."""

FaceVectors = NDArray[np.uint8]
"""ndarray of shape (n, 2304), uint8, 0-255, grey, row-major 48x48."""


def crop_square(image_bgr: BGRImage, box: Box, margin: float) -> BGRImage:
    """Cut the square around a box, widened by a margin, padding past the border with the edge.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    box : Box, pixels
    margin : float, >= 0, share of the longer side added on each side (0.1: ten per cent)

    Returns
    -------
    ndarray of shape (side, side, 3), uint8, a copy

    Raises
    ------
    ValueError
        If the margin is negative, or the box is empty or wholly outside the picture.
    """
    height, width = image_bgr.shape[:2]
    if margin < 0:
        raise ValueError(f"margin must not be negative, got {margin}")
    if box.area <= 0 or box.x >= width or box.y >= height or box.x + box.w <= 0 or box.y + box.h <= 0:
        raise ValueError(f"{box} has no part in a picture of {width} x {height} pixels")
    side = max(1, round(max(box.w, box.h) * (1.0 + 2.0 * margin)))
    left = box.x + (box.w - side) // 2
    top = box.y + (box.h - side) // 2
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


def find_faces(image_bgr: BGRImage, detector: FaceDetector) -> list[tuple[Box, FaceVector]]:
    """Find the faces of a picture and turn each into its vector.

    A picture of exactly 48x48 pixels is taken as a face that somebody already cut out (the form in which data sets
    of faces come); the detector finds a face in only a third of those.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    detector : FaceDetector

    Returns
    -------
    list of (Box, ndarray of shape (2304,), uint8), largest face first

    Raises
    ------
    ValueError
        If the picture is none: None, as OpenCV gives for a file that it cannot read, or of another shape or dtype.
    DetectorError
        If the detector's cascade file is missing or is not a cascade.
    """
    if not isinstance(image_bgr, np.ndarray):
        raise ValueError(f"a picture is an array, not {image_bgr!r:.60}; OpenCV gives None where it cannot read a file")
    if image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or image_bgr.dtype != np.uint8 or not image_bgr.size:
        raise ValueError(
            f"a picture is uint8 of shape (height, width, 3), got {image_bgr.dtype} of shape {image_bgr.shape}"
        )
    side = config.FACE_SIDE
    if image_bgr.shape[:2] == (side, side):
        return [(Box(0, 0, side, side), face_vector(image_bgr))]
    boxes = detector.detect(image_bgr)
    return [(box, face_vector(crop_square(image_bgr, box, config.CROP_MARGIN))) for box in boxes]
