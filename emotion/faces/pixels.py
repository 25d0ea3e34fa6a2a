"""Pictures as decoders and programs hold them -> blue-green-red, upright, without transparency."""

import logging
from os import PathLike
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

BGRImage = NDArray[np.uint8]
"""ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red."""

GreyImage = NDArray[np.uint8]
"""ndarray of shape (height, width), uint8, 0-255."""

log = logging.getLogger(__name__)

_STRIP_PIXELS: Final = 1_000_000
_PHOTOMETRIC: Final = 262
_WHITE_IS_ZERO: Final = 0
_SENSOR_BITS: Final = 12

_EXIF_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    1: (False, None),
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}
"""For each value of that tag (CIPA DC-008), whether rows become columns, and how OpenCV is to flip them then."""


def as_bgr(picture: Any) -> BGRImage:
    """Take a picture as programs hand it over.

    Parameters
    ----------
    picture : ndarray, uint8, 0-255, of shape (height, width) for grey, (height, width, 3) for blue-green-red, or
        (height, width, 4) with opacity behind these, or a picture of Pillow's, in any mode

    Returns
    -------
    ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red; transparent parts are white, and Pillow's
    picture is turned upright; an array that is this already is given as it is

    Raises
    ------
    ValueError
        If it is anything else; the text says what it is.
    """
    if isinstance(picture, Image.Image):
        if not picture.width * picture.height:
            raise ValueError("The picture is empty: it has no pixels.")
        return turned(pillow_to_bgr(picture), orientation_of(picture))
    if picture is None:
        raise ValueError(
            "The picture is None, which OpenCV's imread gives for a file that it cannot read: look at the path."
        )
    if isinstance(picture, (str, bytes, PathLike)):
        raise ValueError(
            f"{str(picture)[:60]!r} is no picture but the name of one, or its bytes: open it with Pillow or OpenCV, or "
            "decode it with emotion.faces.decode.decode_image(bytes)."
        )
    if not isinstance(picture, np.ndarray):
        raise ValueError(f"A picture is an array or a picture of Pillow's, not {type(picture).__name__}.")
    if not picture.size:
        raise ValueError(f"The picture is empty: its shape is {picture.shape}.")
    if picture.dtype != np.uint8:
        raise ValueError(f"A picture has values from 0 to 255 as uint8, and this one has {picture.dtype}: convert it.")
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] not in (1, 3, 4)):
        raise ValueError(
            "A picture has the shape (height, width), (height, width, 3) or (height, width, 4), and this one "
            f"{picture.shape}."
        )
    return to_three_channels(picture)


def to_three_channels(values: NDArray[np.uint8]) -> BGRImage:
    """Make one to four channels three: grey, grey with opacity, blue-green-red, blue-green-red with opacity."""
    channels = 1 if values.ndim == 2 else values.shape[2]
    if channels == 3:
        return values
    if channels == 1:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(values), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    colours, opacity = values[:, :, :-1].astype(np.uint16), values[:, :, -1:].astype(np.uint16)
    mixed = (colours * opacity + 255 * (255 - opacity) + 127) // 255
    return np.repeat(mixed, 3, axis=2).astype(np.uint8) if channels == 2 else mixed.astype(np.uint8)


def orientation_of(image: Image.Image) -> int:
    """Read how the camera was held: a key of `_UPRIGHT`. Of a TIFF, Pillow has turned the pixels by itself.

    No more is read of what the camera wrote: programs leave much there that is against the rules, in pictures that are
    whole.
    """
    try:
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # on damaged tables Pillow raises whatever it stumbles over
        log.debug("what the camera wrote could not be read", exc_info=True)
        return 1
    return orientation if orientation in _UPRIGHT else 1


def turned(image_bgr: BGRImage, orientation: int) -> BGRImage:
    rows_become_columns, flip = _UPRIGHT[orientation]
    if rows_become_columns:
        image_bgr = np.asarray(cv2.transpose(image_bgr), dtype=np.uint8)
    if flip is not None:
        image_bgr = np.asarray(cv2.flip(image_bgr, flip), dtype=np.uint8)
    return image_bgr


def pillow_to_bgr(image: Image.Image) -> BGRImage:
    """Convert a picture in strips: of a large one, nothing but the result is there as a whole a second time."""
    bgr = np.empty((image.height, image.width, 3), dtype=np.uint8)
    height = max(1, _STRIP_PIXELS // image.width)
    strips = [(top, min(top + height, image.height)) for top in range(0, image.height, height)]
    wide = image.mode in ("I", "F") or image.mode.startswith("I;16")
    values = _EightBits(image.info.get("transparency") if image.mode.startswith("I;16") else None) if wide else None
    if values is not None:
        for strip in strips:
            values.include(_strip(image, strip))
    for strip in strips:
        part = _strip(image, strip)
        rgb = _opaque_rgb(part) if values is None else values.of(part)[:, :, None]
        bgr[slice(*strip)] = rgb[:, :, ::-1]
    return np.subtract(255, bgr, out=bgr) if _is_negative(image) else bgr


def _is_negative(image: Image.Image) -> bool:
    """Whether nought stands for white; where values have eight bits, Pillow has inverted them."""
    if image.format != "TIFF" or not image.mode.startswith("I;16"):
        return False
    return bool(image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO)  # type: ignore[attr-defined]


def _strip(image: Image.Image, rows: tuple[int, int]) -> Image.Image:
    return image.crop((0, rows[0], image.width, rows[1]))


def _opaque_rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        image = opaque
    return np.asarray(image.convert("RGB"))


class _EightBits:
    """Brings values of a wider type to 0-255, once all strips of a picture were included; one may stand for nothing,
    which becomes white.
    """

    def __init__(self, transparent: int | None) -> None:
        self._low, self._high = np.inf, -np.inf
        self._are_sixteen_bits = True
        self._transparent = transparent

    def include(self, part: Image.Image) -> None:
        values = np.asarray(part, dtype=np.float64)
        if self._transparent is not None:
            values = values[values != self._transparent]
        if not values.size:
            return
        finite = _finite(values)
        self._low, self._high = min(self._low, finite.min()), max(self._high, finite.max())
        self._are_sixteen_bits &= bool((values == finite.round()).all())

    def of(self, part: Image.Image) -> NDArray[np.uint8]:
        values = _finite(np.asarray(part, dtype=np.float64))
        if self._high < self._low:  # all of it stands for nothing
            return np.full(values.shape, 255, dtype=np.uint8)
        if self._are_sixteen_bits and self._low >= 0 and 255 < self._high <= 65535:
            # Sensors of ten or twelve bits leave the upper ones empty.
            bits = int(self._high).bit_length()
            eight = (values.astype(np.uint16) >> (bits - 8 if bits <= _SENSOR_BITS else 8)).astype(np.uint8)
            return eight if self._transparent is None else np.where(values == self._transparent, 255, eight)
        return np.asarray((values - self._low) * (255.0 / (self._high - self._low or 1.0)), dtype=np.uint8)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nan_to_num(values, posinf=0.0, neginf=0.0)
