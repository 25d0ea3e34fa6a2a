"""Animated GIF, WebP and PNG -> frames, as films give them."""

import functools
import io
import itertools
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
from emotion.streams.films.frames import LONGEST_PICTURE, Faults, Film, Frame, check_size

log = logging.getLogger(__name__)

_FORMATS: Final = ("GIF", "WEBP", "PNG")
_LEAST_SECONDS: Final = 0.01
_USUAL_SECONDS: Final = 0.1
"""Browsers show a frame for so long that is said to be shown for a hundredth of a second or less."""
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
    if not is_animation(content):
        raise FilmError(f"This is {kind.name} that does not move, not a film: use a film.")
    with Image.open(io.BytesIO(content), formats=(kind.opens_as,)) as image:
        check_size(*image.size)
        yield _Animation(image)


class _Animation:
    def __init__(self, image: Any) -> None:
        self._image = image
        self.width, self.height = image.size
        self.duration = 0.0
        self.rate = 1 / _USUAL_SECONDS
        self.faults = Faults()

    def frames(self, since: float = 0.0) -> Iterator[Frame]:  # each frame is drawn over those before
        seconds = 0.0
        scale = max(1.0, max(self._image.size) / LONGEST_PICTURE)
        for number in itertools.count():
            try:
                self._image.seek(number)
                picture = pillow_to_bgr(self._image)
            except EOFError:
                return
            except Exception as error:  # on damaged files Pillow raises whatever it stumbles over
                log.info("a frame of an animation could not be decoded", exc_info=True)
                if not number:
                    raise FilmError(_DAMAGED) from error
                self.faults.ended_at = seconds
                return
            yield Frame(number, seconds, functools.partial(_reduced, picture, scale), scale)
            shown = self._image.info.get("duration", 0) / 1000
            seconds += shown if shown > _LEAST_SECONDS else _USUAL_SECONDS


def _reduced(picture: BGRImage, scale: float) -> BGRImage:
    if scale == 1.0:
        return picture
    size = max(1, round(picture.shape[1] / scale)), max(1, round(picture.shape[0] / scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
