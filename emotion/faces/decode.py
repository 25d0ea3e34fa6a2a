"""Bytes -> picture: the only place that decodes, upright, without transparency, within limits of size and time."""

import io
import logging
import warnings
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final

import cv2
import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from emotion import config
from emotion.errors import ImageError
from emotion.faces.kinds import FIRST_BYTES, check_picture

BGRImage = NDArray[np.uint8]
"""ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red."""

GreyImage = NDArray[np.uint8]
"""ndarray of shape (height, width), uint8, 0-255."""

log = logging.getLogger(__name__)

# What is odd in a file that can be read, as most cameras' are somewhere, is nobody's business here.
warnings.filterwarnings("ignore", module=r"PIL\.")

_STRIP_PIXELS: Final = 1_000_000
_TILE_WIDTH: Final = 322  # of TIFF's tags
_TILE_LENGTH: Final = 323
_PHOTOMETRIC: Final = 262
_WHITE_IS_ZERO: Final = 0
_USUAL_TILE_PIXELS: Final = 1024 * 1024
_RUN_LENGTHS: Final = (1, 2)  # kinds of compression in BMP
_SENSOR_BITS: Final = 12
_JPEG_SCAN: Final = b"\xff\xda"
_JPEG_END: Final = b"\xff\xd9"
_JPEG_SCALES: Final = (1, 2, 4, 8)
_JPEG_MISSING: Final = 128
"""In all colours, what decoders put where a JPEG has ended too early."""
_MOST_RUN_LENGTH_PIXELS: Final = 2_000_000
_MOST_SCANNED_PIXELS: Final = 1_000_000_000
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


@dataclass(frozen=True)
class Decoded:
    """A picture, and what was done with it.

    Attributes
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, upright
    reduced : int
        1, 2, 4 or 8: so many pixels of the file's rows and columns became one. More than 1 only for a JPEG of more
        than `config.MAX_IMAGE_PIXELS`.
    missing : float, 0-1, the share of the picture's rows that are not in the file, which ends too early
    """

    image_bgr: BGRImage
    reduced: int = 1
    missing: float = 0.0

    @property
    def note(self) -> str:
        """What a user should know, in a sentence; empty where there is nothing."""
        if self.missing:
            return f"The file ends too early: {max(self.missing, 0.01):.0%} of the picture is missing."
        return ""


def decode_image(data: bytes) -> BGRImage:
    """Decode the bytes of a picture file, upright and without transparency; see `decode`.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

    Raises
    ------
    ImageError
        As `decode`.
    """
    return decode(data).image_bgr


def decode(data: bytes) -> Decoded:
    """Decode the bytes of a picture file, upright and without transparency.

    The first frame of an animation is taken, an EXIF rotation is applied, transparent parts become white, 16-bit
    values keep their upper eight bits (of up to twelve bits in a 16-bit file, as some cameras write them, the upper
    eight of those that are used), and other values without an agreed range (32-bit, floating point) are stretched
    from their smallest to 0 and their largest to 255. Of a JPEG, PNG or GIF that ends too early, what is there is
    given, as browsers do; a JPEG that is larger than other pictures may be is read at a half, a quarter or an eighth of
    its size.

    Parameters
    ----------
    data : bytes
        A whole AVIF, BMP, GIF, HEIC, JPEG, PNG, PNM, TIFF or WebP file.

    Returns
    -------
    Decoded

    Raises
    ------
    NotAPictureError
        A child of `ImageError`, if the bytes are something else.
    ImageError
        If they are damaged, or the picture has over 64 megapixels (a JPEG, over 220) or 20 000 pixels a side, larger
        tiles than that, hundreds of scans, or a form that takes far longer to decode than others (judged before
        anything is decoded).
    """
    opens_as = check_picture(data[:FIRST_BYTES]).opens_as
    try:
        if opens_as == "HEIF":
            return Decoded(_decoded_heif(data))
        stored, orientation, reduced, missing = _as_stored(data, opens_as)
        return Decoded(_turned(stored, orientation), reduced, missing)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(_too_large("far too many pixels")) from error
    except Exception as error:  # on damaged files decoders raise whatever they stumble over
        log.info("a picture could not be decoded", exc_info=True)
        raise ImageError("The picture file is damaged or incomplete; use another copy of it.") from error


class _Jpeg(JpegImageFile):
    """A JPEG that is given its end where the file lacks it; `ended_early` tells that it was."""

    ended_early = False

    def load_read(self, read_bytes: int) -> bytes:
        content: bytes = self.fp.read(read_bytes) if self.fp else b""
        if content or self.ended_early:
            return content
        self.ended_early = True
        return _JPEG_END


def _as_stored(data: bytes, opens_as: str) -> tuple[BGRImage, int, int, float]:
    """Decode a picture as it lies in its file, and say how it lies there, how far it was reduced, and how much of it is
    missing. Pillow's own copy is gone before it is turned.
    """
    # Pillow's opener would refuse a JPEG by its size, though it is to be read reduced.
    opened: Any = _Jpeg(io.BytesIO(data)) if opens_as == "JPEG" else Image.open(io.BytesIO(data), formats=(opens_as,))
    with opened as image:
        _check_size(image.size, _most_pixels(image))
        _refuse_what_expands(image, data)
        reduced = _reduce(image)
        try:
            image.load()
        except OSError as error:
            if image.format not in ("PNG", "GIF") or "truncated" not in str(error):
                raise
            image.tile = []  # what was decoded is there
            missing = _rows_missing(np.asarray(image), 0)
        else:
            missing = _rows_missing(np.asarray(image), _JPEG_MISSING) if getattr(image, "ended_early", False) else 0
        if missing == image.height:
            raise ImageError("The picture file is damaged or incomplete; use another copy of it.")
        return _to_bgr(image), _orientation(image), reduced, missing / image.height


def _most_pixels(image: Image.Image) -> int:
    # Of a progressive JPEG, the decoder keeps all of the picture in full size.
    large = image.format == "JPEG" and not image.info.get("progressive")
    return config.MAX_JPEG_PIXELS if large else config.MAX_IMAGE_PIXELS


def _check_size(size: tuple[int, int], most: int = config.MAX_IMAGE_PIXELS) -> None:
    width, height = size
    if max(width, height) > config.MAX_IMAGE_SIDE or width * height > most:
        raise ImageError(_too_large(f"{width} x {height} pixels", most))


def _reduce(image: Image.Image) -> int:
    """Have a large JPEG decoded at a fraction of its size."""
    reduced = next(n for n in _JPEG_SCALES if image.width * image.height <= config.MAX_IMAGE_PIXELS * n * n)
    if reduced > 1:
        image.draft("", (image.width // reduced, image.height // reduced))
    return reduced


def _rows_missing(values: NDArray[Any], nothing: int) -> int:
    """Count the lowest rows in which all is what a decoder puts where there is nothing."""
    there = (values != nothing).reshape(len(values), -1).any(axis=1)
    return len(values) - int(there.nonzero()[0][-1]) - 1 if there.any() else len(values)


def _decoded_heif(data: bytes) -> BGRImage:
    """Decode HEIC, which libheif gives upright: its rotation is part of the picture."""
    file = pi_heif.open_heif(io.BytesIO(data), bgr_mode=True)
    _check_size(file.size)
    values = np.asarray(file)
    if values.dtype != np.uint8:
        values = (values >> 8).astype(np.uint8)
    return _of_channels(values)


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
        return _turned(_to_bgr(picture), _orientation(picture))
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
    return _of_channels(picture)


def _of_channels(values: NDArray[np.uint8]) -> BGRImage:
    """Make one to four channels three: grey, grey with opacity, blue-green-red, blue-green-red with opacity."""
    channels = 1 if values.ndim == 2 else values.shape[2]
    if channels == 3:
        return values
    if channels == 1:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(values), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    colours, opacity = values[:, :, :-1].astype(np.uint16), values[:, :, -1:].astype(np.uint16)
    mixed = (colours * opacity + 255 * (255 - opacity) + 127) // 255
    return np.repeat(mixed, 3, axis=2).astype(np.uint8) if channels == 2 else mixed.astype(np.uint8)


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


def _too_large(size: str, most: int = config.MAX_IMAGE_PIXELS) -> str:
    return (
        f"The picture is too large ({size}); at most {most // 1_000_000} megapixels "
        f"and {config.MAX_IMAGE_SIDE} pixels a side are read: reduce it in a photo program."
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
    # Each scan of a progressive JPEG passes over all pixels again. Within a scan, the marker of one cannot occur.
    if image.format == "JPEG" and data.count(_JPEG_SCAN) * image.width * image.height > _MOST_SCANNED_PIXELS:
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
