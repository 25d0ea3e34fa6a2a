"""Bytes -> picture: the only place that decodes, upright, without transparency, within limits of size and time."""

import contextlib
import ctypes
import io
import logging
import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, _imaging
from PIL.JpegImagePlugin import JpegImageFile

from emotion import config
from emotion.errors import ImageError
from emotion.faces.files.kinds import check_picture
from emotion.faces.files.texts import FIRST_BYTES
from emotion.faces.pixels import BGRImage, orientation_of, pillow_to_bgr, to_three_channels, turned

log = logging.getLogger(__name__)

# What is odd in a file is told in a sentence, or is nobody's business: most cameras' files are odd somewhere. libtiff
# writes to the terminal by itself, unless it is told not to (TIFFSetErrorHandler(3TIFF)), for which Pillow has no call.
# Where libtiff is a part of Pillow's own library, as on Windows, there is no such function to be found.
warnings.filterwarnings("ignore", module=r"PIL\.")
with contextlib.suppress(AttributeError, OSError):
    _libtiff = ctypes.CDLL(_imaging.__file__)
    for _silenced in (_libtiff.TIFFSetErrorHandler, _libtiff.TIFFSetWarningHandler):
        _silenced.restype = ctypes.c_void_p
        _silenced(None)

_TILE_WIDTH: Final = 322  # of TIFF's tags
_TILE_LENGTH: Final = 323
_USUAL_TILE_PIXELS: Final = 1024 * 1024
_RUN_LENGTHS: Final = (1, 2)  # kinds of compression in BMP
_JPEG_SCAN: Final = b"\xff\xda"
_JPEG_END: Final = b"\xff\xd9"
_JPEG_SCALES: Final = (1, 2, 4, 8)
_JPEG_MISSING: Final = 128
"""In all colours, what decoders put where a JPEG has ended too early."""
_MOST_RUN_LENGTH_PIXELS: Final = 2_000_000
_MOST_SCANNED_PIXELS: Final = 20 * config.MAX_IMAGE_PIXELS
"""Pictures as cameras and programs write them have about ten scans, or one."""


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
        If they are damaged, or the picture has over 52 megapixels (a JPEG, over 220) or 20 000 pixels a side, larger
        tiles than that, hundreds of scans, or a form that takes far longer to decode than others (judged before
        anything is decoded).
    """
    opens_as = check_picture(data[:FIRST_BYTES]).opens_as
    try:
        if opens_as == "HEIF":
            return Decoded(_decoded_heif(data))
        stored, orientation, reduced, missing = _as_stored(data, opens_as)
        return Decoded(turned(stored, orientation), reduced, missing)
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
        return pillow_to_bgr(image), orientation_of(image), reduced, missing / image.height


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
    # A copy, since the memory that is shown goes with the file; its rows may be longer than the picture is wide.
    values = np.array(file)[:, : file.size[0]]
    if values.dtype != np.uint8:
        values = (values >> 8).astype(np.uint8)
    return np.ascontiguousarray(to_three_channels(values))


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
