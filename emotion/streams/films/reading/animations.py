"""Animated GIF, WebP and PNG -> frames, as films give them."""

import functools
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

import cv2
import numpy as np
from PIL import Image

from emotion import config
from emotion.errors import FilmError
from emotion.faces.files.kinds import Kind, kind_of
from emotion.faces.pixels import BGRImage, pillow_to_bgr
from emotion.streams.films.reading.frames import LONGEST_PICTURE, Faults, Film, Frame, check_size

log = logging.getLogger(__name__)

_FORMATS: Final = ("GIF", "WEBP", "PNG")
_LEAST_SECONDS: Final = 0.01
_USUAL_SECONDS: Final = 0.1
"""Browsers show a frame for so long that is said to be shown for a hundredth of a second or less."""
_MOST_PIXELS_IN_ALL: Final = 20_000_000_000
"""Some minutes of decoding; a few bytes may stand for a frame of any size."""
_GIF_END: Final = b";"
_DAMAGED: Final = "The animated picture is damaged or incomplete; use another copy of it."


def is_animation(content: bytes) -> bool:
    """Tell whether a picture file holds several frames that follow one another.

    Parameters
    ----------
    content : bytes, the whole file

    Returns
    -------
    bool; False also for what is damaged, or is no picture
    """
    opens_as = kind_of(content).opens_as
    if opens_as not in _FORMATS:
        return False
    try:
        with Image.open(io.BytesIO(content), formats=(opens_as,)) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # on damaged files Pillow raises whatever it stumbles over
        log.debug("whether a picture is animated could not be told", exc_info=True)
        return False


@contextmanager
def open_animation(file: BinaryIO, kind: Kind) -> Iterator[Film]:
    """Open an animated picture.

    Parameters
    ----------
    file : binary file
    kind : Kind, of the family "picture"

    Yields
    ------
    Film

    Raises
    ------
    FilmError
        If it does not move, is damaged, or too large.
    """
    most = config.MAX_IMAGE_FILE_BYTES
    content = file.read(most + 1)
    if len(content) > most:
        raise FilmError(f"The file is larger than {most // 1_000_000} MB, too large for {kind.name}: use a film.")
    with _animation_of(content, kind) as animation:
        yield animation


@contextmanager
def _animation_of(content: bytes, kind: Kind) -> Iterator["_Animation"]:
    if kind.opens_as not in _FORMATS:  # the pages of a TIFF, and the views of a JPEG, are no film
        raise FilmError(f"This is {kind.name} that does not move, not a film: use a film.")
    try:
        image: Any = Image.open(io.BytesIO(content), formats=(kind.opens_as,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FilmError(f"This is {kind.name} that is too large: reduce it in a photo program.") from error
    except Exception as error:  # on damaged files Pillow raises whatever it stumbles over
        log.info("an animation could not be opened", exc_info=True)
        raise FilmError(_DAMAGED) from error
    with image:
        check_size(*image.size)
        count, is_whole = _counted(content, kind)
        if count < 2:
            raise FilmError(
                f"This is {kind.name} that does not move, not a film: use a film." if is_whole else _DAMAGED
            )
        if count * image.width * image.height > _MOST_PIXELS_IN_ALL:
            raise FilmError(
                f"The animated picture is too long for its size ({count:,} of {image.width} x {image.height} pixels): "
                "make it a film (MP4)."
            )
        yield _Animation(image, count, is_whole=is_whole)


def _counted(content: bytes, kind: Kind) -> tuple[int, bool]:
    """Count the pictures in a file, and tell whether that is all of them."""
    is_whole = kind.opens_as != "GIF" or content.rstrip(b"\0").endswith(_GIF_END)
    with Image.open(io.BytesIO(content), formats=(kind.opens_as,)) as image:
        try:
            return int(getattr(image, "n_frames", 1)), is_whole
        except Exception:  # on damaged files Pillow raises whatever it stumbles over
            log.info("the frames of an animation could not be counted", exc_info=True)
            return image.tell() + 1, False


class _Animation:
    def __init__(self, image: Any, count: int, *, is_whole: bool) -> None:
        self._image = image
        self._count = count
        self._is_whole = is_whole
        self.width, self.height = image.size
        self.duration = 0.0
        self.rate = 1 / _USUAL_SECONDS
        self.faults = Faults()

    def frames(self, since: float = 0.0) -> Iterator[Frame]:  # each frame is drawn over those before
        seconds = 0.0
        scale = max(1.0, max(self.width, self.height) / LONGEST_PICTURE)
        # The picture of an animated PNG that is there for programs that do not know such.
        hidden = int(bool(getattr(self._image, "default_image", False)))
        for number in range(self._count - hidden):
            try:
                self._image.seek(number + hidden)
                check_size(*self._image.size)  # Pillow makes room for what reaches beyond the edges
                picture = pillow_to_bgr(self._image)[: self.height, : self.width]
            except Exception as error:  # on damaged files Pillow raises whatever it stumbles over
                log.info("a frame of an animation could not be decoded", exc_info=True)
                if not number:
                    raise FilmError(_DAMAGED) from error
                self.faults.ended_at = seconds
                return
            shown = self._image.info.get("duration", 0) / 1000
            yield Frame(number, seconds, functools.partial(_reduced, picture, scale), scale)
            seconds += shown if shown > _LEAST_SECONDS else _USUAL_SECONDS
        if not self._is_whole:
            self.faults.ended_at = seconds


def _reduced(picture: BGRImage, scale: float) -> BGRImage:
    if scale == 1.0:
        return picture
    size = max(1, round(picture.shape[1] / scale)), max(1, round(picture.shape[0] / scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
