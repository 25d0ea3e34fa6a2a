"""Films that FFmpeg decodes, by PyAV: the only place that calls it for films.

FFmpeg opens whatever it takes a file for, and a playlist makes it open others of this machine. So a film is opened from
a file object of our own, as what its first bytes are, and nothing else is opened for it.
"""

import functools
import io
import itertools
import logging
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition

from emotion.errors import FilmError, NoVideoError
from emotion.faces.files.kinds import Kind
from emotion.faces.pixels import BGRImage
from emotion.streams.films.frames import LONGEST_PICTURE, MOST_PIXELS, Faults, Film, Frame, check_size

log = logging.getLogger(__name__)

DECODERS: Final = (
    *("h264", "hevc", "vp8", "vp9", "libvpx-vp9", "av1", "libdav1d", "mpeg4", "mjpeg", "prores", "theora", "vc1"),
    *("mpeg1video", "mpeg2video", "h263", "flv", "msmpeg4", "msmpeg4v2", "wmv1", "wmv2", "wmv3", "dvvideo", "rawvideo"),
)
"""Of FFmpeg's, those that are used: what cameras, phones and programs write."""

_MOST_THREADS: Final = 4
"""Each holds frames of its own."""
_ENCRYPTED: Final = ("encv", "drmi")
_USUAL_RATE: Final = 25.0
_BACK_SECONDS: Final = 1.0
_EARLY_SHARE: Final = 0.95
_EARLY_SECONDS: Final = 0.5
_LEAST_STEP_SECONDS: Final = 0.001
_MOST_ASPECT: Final = 4.0
"""Of a pixel's sides; no film that is meant has more."""
_SMOOTH: Final = cv2.INTER_LINEAR
_SEEK_MARGIN_SECONDS: Final = 10.0
"""So much earlier a film is gone on with than it is looked at: after a jump, a decoder may need some frames."""
_WORTH_SEEKING_SECONDS: Final = 30.0


def is_film(kind: Kind) -> bool:
    """Tell whether files of a kind are opened as films, though they may hold nothing but sound."""
    return kind.family == "film" and bool(kind.opens_as)


@contextmanager
def open_coded(source: BinaryIO, kind: Kind) -> Iterator[Film]:
    """Open a film that FFmpeg decodes.

    Parameters
    ----------
    source : binary file that can seek
    kind : Kind, for which `is_film` is true

    Yields
    ------
    Film

    Raises
    ------
    FilmError
        If it is damaged, encrypted, without video, coded in a way that is not read, or too large.
    """
    container = open_container(source, kind)
    with container:
        yield _CodedFilm(container)


def open_container(source: BinaryIO, kind: Kind, decoders: Sequence[str] = DECODERS) -> Any:
    """Open a film's file with PyAV, and nothing that it may name.

    Parameters
    ----------
    source : binary file that can seek
    kind : Kind, for which `is_film` is true
    decoders : sequence of str, those of FFmpeg's that may be used

    Returns
    -------
    container of PyAV

    Raises
    ------
    FilmError
        If it is damaged.
    """
    try:
        return av.open(
            source,
            format=kind.opens_as,
            options={
                "codec_whitelist": ",".join(decoders),
                "protocol_whitelist": "none",
                "max_pixels": str(MOST_PIXELS),
            },
            io_open=_nothing_else,
            metadata_errors="replace",
        )
    except av.error.FFmpegError as error:
        log.info("a film could not be opened", exc_info=True)
        raise FilmError(_damaged(source, kind)) from error


def _nothing_else(url: str, *_: Any) -> Any:
    raise FilmError("The film names other files, which are not opened: use a film that is whole in itself.")


def _damaged(source: BinaryIO, kind: Kind) -> str:
    if kind.opens_as == "mov" and not _has_index(source):
        return (
            "The film's index, which cameras write last, is missing: it was cut off, or its recording was not ended. "
            "Copy it anew."
        )
    return "The film is damaged or incomplete; use another copy of it."


def _has_index(source: BinaryIO) -> bool:
    """Look for the box `moov` among the outermost (ISO/IEC 14496-12)."""
    end = source.seek(0, io.SEEK_END)
    at = 0
    while at + 8 <= end:
        source.seek(at)
        head = source.read(16)
        size = int.from_bytes(head[:4], "big")
        if head[4:8] == b"moov":
            return True
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:
            return False
        at += size
    return False


class _CodedFilm:
    def __init__(self, container: Any) -> None:
        self._container = container
        self._stream = _video_of(container)
        self.faults = Faults()
        self._broke_off = False
        # It has no stamps but the order in which frames are decoded.
        self._is_avi = container.format.name == "avi"
        self.rate = float(self._stream.average_rate or self._stream.guessed_rate or _USUAL_RATE)
        self.duration = self._said_duration()
        context = self._stream.codec_context
        context.thread_type = "AUTO"
        context.thread_count = _MOST_THREADS
        self._rest = self._decoded()
        first = next(self._rest, None)
        if first is None:
            raise FilmError("The film has no picture that can be read: use another copy of it.")
        self._first = first
        begins = None if self._is_avi else self._container.start_time
        self._clock = _Clock(begins, self._stamp(first), self.rate)
        self._aspect = float(self._stream.sample_aspect_ratio or context.sample_aspect_ratio or 1)
        self.width, self.height = _Form.of(first, self._aspect).shown

    def _said_duration(self) -> float:
        stream = self._stream
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        return float(self._container.duration or 0) / av.time_base

    def frames(self, since: float = 0.0) -> Iterator[Frame]:
        number = 0
        frames: Iterator[Any] = itertools.chain([self._first], self._rest)
        if since > _WORTH_SEEKING_SECONDS:
            number, frames = self._from(since - _SEEK_MARGIN_SECONDS) or (number, frames)
        for frame in frames:
            form = _Form.of(frame, self._aspect)
            yield Frame(
                number, self._clock.seconds(self._stamp(frame)), functools.partial(_picture, frame, form), form.scale
            )
            number += 1
        self._judge_end()

    def _stamp(self, frame: Any) -> float | None:
        """Seconds on the film's own clock; not by the frame's time base, which the last ones lack."""
        stamp = frame.dts if self._is_avi else frame.pts
        base = self._stream.time_base
        return None if stamp is None or not base else float(stamp * base)

    def _judge_end(self) -> None:
        """Tell a film that was cut off from one whose sound is longer than its picture."""
        knows = self._stream.duration or not self._container.streams.audio
        end = self._clock.last + 1 / self.rate
        if self._broke_off or (knows and end < _EARLY_SHARE * self.duration - _EARLY_SECONDS):
            self.faults.ended_at = end

    def _from(self, seconds: float) -> tuple[int, Iterator[Any]] | None:
        """Jump to a frame at or before a time, and count those before it, which are not decoded for that.

        None where frames have no stamps; the film is read from its beginning then, as it is after that.
        """
        base = self._stream.time_base
        stamp = round((seconds + self._clock.zero) / base) if base else None
        if stamp is not None and (jumped := self._jump(stamp)) is not None and self._stamp(jumped) is not None:
            number = self._count_before(jumped.pts)
            again = self._jump(stamp)
            if number and again is not None and again.pts == jumped.pts:
                return number, itertools.chain([again], self._rest)
        self.faults = Faults()
        first = self._jump(None)
        return None if first is None else (0, itertools.chain([first], self._rest))

    def _jump(self, stamp: int | None) -> Any:
        """Give the first frame that is decoded from a place on; from the beginning, where there is no stamp."""
        try:
            if stamp is None:
                self._container.seek(0)
            else:
                self._container.seek(stamp, stream=self._stream)
        except av.error.FFmpegError:
            log.info("a film could not be sought through", exc_info=True)
            return None
        self.faults = Faults()
        self._rest = self._decoded()
        return next(self._rest, None)

    def _count_before(self, stamp: int) -> int:
        """Count the packets of frames that are shown before one; 0 where any has no stamp."""
        self._container.seek(0)
        count = 0
        for packet in self._packets():
            if packet.pts is None or packet.dts is None:
                return 0
            if packet.dts > stamp:
                break
            count += packet.pts < stamp
        return count

    def _packets(self) -> Iterator[Any]:
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    yield packet
        except av.error.FFmpegError:
            log.info("a film ended early", exc_info=True)
            self._broke_off = True

    def _decoded(self) -> Iterator[Any]:
        for packet in itertools.chain(self._packets(), [None]):
            try:
                yield from self._stream.codec_context.decode(packet)
            except EOFError:
                return
            except av.error.FFmpegError:
                log.info("a piece of a film could not be decoded", exc_info=True)
                self.faults.damaged += 1


class _Clock:
    """Turns the stamps of frames into seconds from the beginning, which always grow."""

    def __init__(self, begins: int | None, first: float | None, rate: float) -> None:
        of_first = first or 0.0
        # Players stand at nought where the first of picture and sound begins.
        self.zero = of_first if begins is None else min(of_first, begins / av.time_base)
        self._step = 1.0 / rate
        self.last = -self._step

    def seconds(self, time: float | None) -> float:
        if time is None:
            seconds = self.last + self._step
        else:
            seconds = time - self.zero
            if seconds <= self.last:
                went_back = seconds < self.last - _BACK_SECONDS
                seconds = self.last + (self._step if went_back else _LEAST_STEP_SECONDS)
                if went_back:  # another recording follows in the same file
                    self.zero = time - seconds
        self.last = seconds
        return seconds


@dataclass(frozen=True, slots=True)
class _Form:
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

    @classmethod
    def of(cls, frame: Any, aspect: float) -> "_Form":
        usual = 1 / _MOST_ASPECT <= aspect <= _MOST_ASPECT
        width, height = max(1, round(frame.width * aspect)) if usual else frame.width, frame.height
        scale = min(1.0, LONGEST_PICTURE / max(width, height))
        across, flip = _orientation(frame)
        reduced = max(1, round(width * scale)), max(1, round(height * scale))
        return cls((height, width) if across else (width, height), reduced, across, flip)

    @property
    def scale(self) -> float:
        return max(self.shown) / max(self.reduced)


def _orientation(frame: Any) -> tuple[bool, int | None]:
    """Read the display matrix (ISO/IEC 14496-12, 6.2.2) to the nearest quarter turn: phones turn their films so."""
    matrix = frame.side_data.get(SideDataType.DISPLAYMATRIX)
    if matrix is None:
        return False, None
    a, b, _, c, d = struct.unpack("=5i", bytes(matrix)[:20])
    across = abs(b) + abs(c) > abs(a) + abs(d)
    along_x, along_y = (c, b) if across else (a, d)
    return across, {(True, True): -1, (True, False): 1, (False, True): 0}.get((along_x < 0, along_y < 0))


def _picture(frame: Any, form: _Form) -> BGRImage:
    width, height = form.reduced
    if frame.interlaced_frame:
        # One of the two half pictures: the other is of another moment.
        rows = frame.to_ndarray(format="bgr24")[::2]
        picture = cv2.resize(rows, (width, height), interpolation=cv2.INTER_AREA if width < frame.width else _SMOOTH)
    else:
        picture = frame.to_ndarray(format="bgr24", width=width, height=height)
    if form.across:
        picture = cv2.transpose(picture)
    if form.flip is not None:
        picture = cv2.flip(picture, form.flip)
    return np.ascontiguousarray(picture, dtype=np.uint8)


def _video_of(container: Any) -> Any:
    """Choose what is to be looked at: the video that is played by default, and no picture on a cover."""
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    ]
    if not streams:
        raise NoVideoError("The file has no video track, only sound or nothing: use a film with pictures.")
    stream = max(streams, key=lambda each: bool(each.disposition & Disposition.default))
    context = stream.codec_context
    if context is None or context.codec_tag in _ENCRYPTED:
        if context is not None:
            raise FilmError("The film is encrypted, as shops and streaming services sell them: it cannot be read.")
        raise FilmError("The film is coded in a way that is not known here: convert it to MP4 (H.264).")
    if context.name not in DECODERS:
        raise FilmError(f"The film is coded as {context.name}, which is not read: convert it to MP4 (H.264).")
    check_size(context.width, context.height)
    return stream
