"""Bytes -> picture: the only place that decodes, upright, without transparency, within limits of size and time."""

import io
import logging
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from emotion import config
from emotion.errors import ImageError

BGRImage = NDArray[np.uint8]
"""ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red."""

GreyImage = NDArray[np.uint8]
"""ndarray of shape (height, width), uint8, 0-255."""

log = logging.getLogger(__name__)

# Only these decoders are tried: others either start programs (EPS) or are no pictures of people.
_FORMATS: Final = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_STRIP_PIXELS: Final = 1_000_000
_TILE_WIDTH: Final = 322  # of TIFF's tags
_TILE_LENGTH: Final = 323
_PHOTOMETRIC: Final = 262
_WHITE_IS_ZERO: Final = 0
_USUAL_TILE_PIXELS: Final = 1024 * 1024
_RUN_LENGTHS: Final = (1, 2)  # kinds of compression in BMP
_SENSOR_BITS: Final = 12
_JPEG_SCAN: Final = b"\xff\xda"
_MOST_RUN_LENGTH_PIXELS: Final = 2_000_000
_MOST_SCANNED_PIXELS: Final = 20 * config.MAX_IMAGE_PIXELS
"""Pictures as cameras and programs write them have about ten scans, or one."""

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


def decode_image(data: bytes) -> BGRImage:
    """Decode the bytes of a picture file, upright and without transparency.

    The first frame of an animation is taken, an EXIF rotation is applied, transparent parts become white, 16-bit
    values keep their upper eight bits (of up to twelve bits in a 16-bit file, as some cameras write them, the upper
    eight of those that are used), and other values without an agreed range (32-bit, floating point) are stretched
    from their smallest to 0 and their largest to 255.

    Parameters
    ----------
    data : bytes
        A whole AVIF, BMP, GIF, JPEG, PNG, PNM, TIFF or WebP file.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

    Raises
    ------
    ImageError
        If the bytes are not such a file, are damaged, or the picture has over 50 megapixels or 20 000 pixels a side,
        larger tiles than that, hundreds of scans, or a form that takes far longer to decode than others (judged
        before anything is decoded).
    """
    try:
        return _turned(*_as_stored(data))
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(_too_large("far too many pixels")) from error
    except UnidentifiedImageError as error:
        raise ImageError("This is not a picture in a known format; use JPEG, PNG, WebP, GIF, BMP or TIFF.") from error
    except Exception as error:  # on damaged files decoders raise whatever they stumble over
        log.info("a picture could not be decoded", exc_info=True)
        raise ImageError("The picture file is damaged or incomplete; use another copy of it.") from error


def _as_stored(data: bytes) -> tuple[BGRImage, int]:
    """Decode a picture as it lies in its file, and say how it lies. Pillow's own copy is gone before it is turned."""
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        width, height = image.size
        if max(width, height) > config.MAX_IMAGE_SIDE or width * height > config.MAX_IMAGE_PIXELS:
            raise ImageError(_too_large(f"{width} x {height} pixels"))
        _refuse_what_expands(image, data)
        image.load()
        return _to_bgr(image), _orientation(image)


def _orientation(image: Image.Image) -> int:
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


def _turned(image_bgr: BGRImage, orientation: int) -> BGRImage:
    rows_become_columns, flip = _UPRIGHT[orientation]
    if rows_become_columns:
        image_bgr = np.asarray(cv2.transpose(image_bgr), dtype=np.uint8)
    if flip is not None:
        image_bgr = np.asarray(cv2.flip(image_bgr, flip), dtype=np.uint8)
    return image_bgr


def _too_large(size: str) -> str:
    return (
        f"The picture is too large ({size}); at most {config.MAX_IMAGE_PIXELS // 1_000_000} megapixels "
        f"and {config.MAX_IMAGE_SIDE} pixels a side are read."
    )


def _refuse_what_expands(image: Image.Image, data: bytes) -> None:
    """Some files take far more memory or time than their number of pixels tells."""
    if image.format == "TIFF":
        tile_pixels = image.tag_v2.get(_TILE_WIDTH, 1) * image.tag_v2.get(_TILE_LENGTH, 1)  # type: ignore[attr-defined]
        if tile_pixels > max(image.width * image.height, _USUAL_TILE_PIXELS):
            raise ImageError(_too_large("in tiles larger than the picture itself"))
    # Pillow reads both value by value, the first with a search for comments that takes the square of their number.
    if data.startswith((b"P1", b"P2", b"P3")):
        raise ImageError("Pictures written out in digits (plain PNM) are not read; use PNG.")
    if image.info.get("compression") in _RUN_LENGTHS and image.width * image.height > _MOST_RUN_LENGTH_PIXELS:
        raise ImageError(_too_large("a compressed BMP of over 2 megapixels"))
    # Each scan of a progressive JPEG passes over all pixels again. Within a scan, the marker of one cannot occur. MPO
    # is what Pillow calls a JPEG with others behind it.
    if image.format in ("JPEG", "MPO") and data.count(_JPEG_SCAN) * image.width * image.height > _MOST_SCANNED_PIXELS:
        raise ImageError(_too_large("a JPEG of far too many scans"))


def _to_bgr(image: Image.Image) -> BGRImage:
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
