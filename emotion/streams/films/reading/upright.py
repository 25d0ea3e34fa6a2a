"""A decoded frame -> a picture as it is to be shown: upright, with square pixels, of one moment."""

import logging
import struct
from dataclasses import dataclass
from typing import Any, Final

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType

from emotion.errors import FilmError
from emotion.faces.pixels import BGRImage
from emotion.streams.films.reading.frames import LONGEST_PICTURE

log = logging.getLogger(__name__)

_MOST_ASPECT: Final = 4.0
"""Of a pixel's sides; no film that is meant has more."""
_QUARTERS: Final = {0: (1, 0, 0, 1), 90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}
"""Degrees counter-clockwise, and the four numbers of a display matrix that turn so."""


class Forms:
    """Tells how the frames of a film are to be shown.

    Parameters
    ----------
    aspect : float, a pixel's width in heights
    """

    def __init__(self, aspect: float) -> None:
        self._aspect = aspect if 1 / _MOST_ASPECT <= aspect <= _MOST_ASPECT else 1.0
        self._turned: dict[int, tuple[bool, int | None]] = {}

    def of(self, frame: Any) -> "Form":
        """Read it from a frame.

        Parameters
        ----------
        frame : av.VideoFrame

        Returns
        -------
        Form
        """
        width, height = max(1, round(frame.width * self._aspect)), frame.height
        scale = min(1.0, LONGEST_PICTURE / max(width, height))
        # The matrix itself is read once: PyAV's way to it ties the frame to itself, and 600 KB a frame would wait for
        # the garbage collector.
        if frame.rotation not in self._turned:
            self._turned[frame.rotation] = _orientation(frame)
        across, flip = self._turned[frame.rotation]
        reduced = max(1, round(width * scale)), max(1, round(height * scale))
        return Form((height, width) if across else (width, height), reduced, across, flip)


@dataclass(frozen=True, slots=True)
class Form:
    """How a frame is to be shown.

    Attributes
    ----------
    shown : (int, int), pixels, width and height, upright and with square pixels
    reduced : (int, int), pixels, of the frame as it lies, before it is turned
    across : bool, whether rows become columns
    flip : int, for `cv2.flip`, after that; None for none
    """

    shown: tuple[int, int]
    reduced: tuple[int, int]
    across: bool
    flip: int | None

    @property
    def scale(self) -> float:
        return max(self.shown) / max(self.reduced)

    def picture(self, frame: Any) -> BGRImage:
        """Make a frame's picture.

        Parameters
        ----------
        frame : av.VideoFrame

        Returns
        -------
        ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

        Raises
        ------
        FilmError
            If its pixels are kept in a way that is not known.
        """
        try:
            picture = self._as_it_lies(frame)
        except (av.error.FFmpegError, ValueError, MemoryError) as error:
            log.info("a frame could not be made a picture", exc_info=True)
            raise FilmError("The film's pictures cannot be converted: convert it to MP4 (H.264).") from error
        if self.across:
            picture = cv2.transpose(picture)
        if self.flip is not None:
            picture = cv2.flip(picture, self.flip)
        return np.ascontiguousarray(picture, dtype=np.uint8)

    def _as_it_lies(self, frame: Any) -> Any:
        width, height = self.reduced
        # On one thread: those that are made for a frame take longer than they help, and live as long as it does.
        if not frame.interlaced_frame:
            return frame.to_ndarray(format="bgr24", width=width, height=height, threads=1)
        # One of the two half pictures: the other is of another moment.
        rows = frame.to_ndarray(format="bgr24", threads=1)[::2]
        smooth = cv2.INTER_AREA if width < frame.width else cv2.INTER_LINEAR
        return cv2.resize(rows, (width, height), interpolation=smooth)


def _orientation(frame: Any) -> tuple[bool, int | None]:
    """Read the display matrix (ISO/IEC 14496-12, 6.2.2) to the nearest quarter turn: phones turn their films so."""
    a, b, c, d = _matrix_of(frame)
    across = abs(b) + abs(c) > abs(a) + abs(d)
    along_x, along_y = (c, b) if across else (a, d)
    return across, {(True, True): -1, (True, False): 1, (False, True): 0}.get((along_x < 0, along_y < 0))


def _matrix_of(frame: Any) -> tuple[int, int, int, int]:
    try:
        matrix = frame.side_data.get(SideDataType.DISPLAYMATRIX)
    except ValueError:  # there is something beside it that PyAV has no name for, as Exif
        return _QUARTERS[round(frame.rotation / 90) * 90 % 360]
    if matrix is None:
        return _QUARTERS[0]
    a, b, _, c, d = struct.unpack("=5i", bytes(matrix)[:20])
    return a, b, c, d
