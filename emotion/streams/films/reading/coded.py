"""Films that FFmpeg decodes -> their frames, in the order in which they are shown, from any place on."""

import functools
import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

import av

from emotion.errors import FilmError
from emotion.faces.files.kinds import Kind
from emotion.streams.films.reading.clock import LONGEST_SECONDS, Clock
from emotion.streams.films.reading.containers import (
    lacks_index,
    refers_to_others,
    said_size,
    size_of,
)
from emotion.streams.films.reading.frames import MOST_PIXELS, Faults, Film, Frame
from emotion.streams.films.reading.inputs import ELSEWHERE, FAILS, NO_INDEX, open_container, video_of
from emotion.streams.films.reading.upright import Forms

log = logging.getLogger(__name__)

_MOST_THREADS: Final = 4
"""Each holds frames of its own."""
_LARGE_PIXELS: Final = 4096 * 2304
_USUAL_RATE: Final = 25.0
_LEAST_RATE: Final = 0.1
_MOST_RATE: Final = 480.0
"""Frames a second; what is said beyond is a guess from stamps that are written in milliseconds."""
_EARLY_SHARE: Final = 0.95
_EARLY_SECONDS: Final = 0.5
_SEEK_MARGIN_SECONDS: Final = 10.0
"""So much earlier a film is gone on with than it is looked at: after a jump, a decoder may need some frames."""
_WORTH_SEEKING_SECONDS: Final = 30.0
_STAMPS_ARE_GUESSED: Final = ("mpeg", "mpegvideo")
"""In these most frames have none of their own; after a jump, others are guessed."""
_Place = tuple[int | None, int | None]
"""Of a packet: its stamp, and where in the file it is."""
_NO_PICTURE: Final = "The film has no picture that can be read: use another copy of it."


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
    film = _CodedFilm(source, kind)
    try:
        film.begin()
        yield film
    finally:
        film.close()


class _CodedFilm:
    def __init__(self, source: BinaryIO, kind: Kind) -> None:
        self._open = functools.partial(open_container, source, kind)
        self._source = source
        self._is_mov = kind.opens_as == "mov"
        # It has no stamps but the order in which frames are decoded.
        self._is_avi = kind.opens_as == "avi"
        size, said = size_of(source), said_size(source, kind)
        self._is_cut_off = said > size
        self._container: Any = None
        self._stream: Any = None
        self._first: Any = None
        self._rest: Any = None
        # Of an AVI that is cut off, FFmpeg gives the share of its length that is there.
        self._share = said / size if self._is_avi and self._is_cut_off else 1.0

    def close(self) -> None:
        """End FFmpeg's threads now, and not when the garbage collector comes by: what gives the frames holds the film
        that holds it. A process that is forked would wait for ever for threads that it does not have.
        """
        for open_one in (self._rest, self._container):
            if open_one is not None:
                open_one.close()
        self._container = self._stream = self._first = self._rest = None

    def begin(self) -> None:
        """Open the film, and decode its first frame."""
        self.close()
        self._container = self._open()
        self._stream = stream = video_of(self._container)
        self.rate = next(
            (float(rate) for rate in (stream.average_rate, stream.guessed_rate) if _is_usual(rate)), _USUAL_RATE
        )
        self.duration = self._said_duration()
        context = stream.codec_context
        context.options = {"max_pixels": str(MOST_PIXELS)}
        context.thread_type = "AUTO"
        context.thread_count = _MOST_THREADS if context.width * context.height <= _LARGE_PIXELS else 1
        self._restart_at_place()
        first = next(self._rest, None)
        if first is None:
            raise FilmError(self._why_nothing_is_shown())
        self._first = first
        self._is_at_first = True
        begins = None if self._is_avi else self._container.start_time
        begins = None if begins is None else begins / av.time_base
        self._clock = Clock(begins, self._stamp(first), self.rate, self.duration)
        self._forms = Forms(float(stream.sample_aspect_ratio or context.sample_aspect_ratio or 1))
        self.width, self.height = self._forms.of(first).shown

    def _why_nothing_is_shown(self) -> str:
        if self._is_mov and lacks_index(self._source):
            return NO_INDEX
        if self._is_mov and refers_to_others(self._source):
            return ELSEWHERE
        return _NO_PICTURE

    def _restart_at_place(self) -> None:
        """Decode from where the file is read now."""
        self.faults = Faults()
        self._broke_off = False
        self._landed: _Place | None = None
        self._rest = self._decoded()

    def _said_duration(self) -> float:
        stream = self._stream
        if stream.duration and stream.time_base:
            said = float(stream.duration * stream.time_base)
        else:
            said = float(self._container.duration or 0) / av.time_base
        said *= self._share
        return said if 0 < said < LONGEST_SECONDS else 0.0

    def frames(self, since: float = 0.0) -> Iterator[Frame]:
        if not self._is_at_first:
            self.begin()
        number, frame = (self._from(since - _SEEK_MARGIN_SECONDS) if since > _WORTH_SEEKING_SECONDS else None) or (
            0,
            self._first,
        )
        self._is_at_first = False
        for each in itertools.chain([frame], self._rest):
            form = self._forms.of(each)
            seconds = self._clock.seconds(self._stamp(each))
            yield Frame(number, seconds, functools.partial(form.picture, each), form.scale)
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
        is_short = knows and end < _EARLY_SHARE * self.duration - _EARLY_SECONDS
        if self._broke_off or self._is_cut_off or is_short:
            self.faults.ended_at = end

    def _from(self, seconds: float) -> tuple[int, Any] | None:
        """Jump to a frame at or before a time, and count those before it, which are not decoded for that.

        None where that cannot be done without doubt; the film is at its beginning then.
        """
        jumped = self._jump(seconds)
        try:
            number = None if jumped is None else self._count_before(jumped.pts)
        except FAILS:
            log.info("the frames of a film could not be counted", exc_info=True)
            number = None
        if number is None:
            self.begin()
            return None
        return number, jumped

    def _jump(self, seconds: float) -> Any:
        """Give the first frame that is decoded from a place on; None where there is no way to it."""
        base = self._stream.time_base
        if not base or self._container.format.name in _STAMPS_ARE_GUESSED:
            return None
        try:
            self._container.seek(round((seconds + self._clock.zero) / base), stream=self._stream)
        except (*FAILS, OverflowError):
            log.info("a film could not be sought through", exc_info=True)
            return None
        self._restart_at_place()
        jumped = next(self._rest, None)
        stamp = None if jumped is None or jumped.pts is None else self._stamp(jumped)
        if stamp is None:
            return None
        self._clock.jump_to(stamp)
        return jumped

    def _count_before(self, stamp: int) -> int | None:
        """Count the frames that are shown before one; None where stamps do not say it.

        The place where the jump went must be met again on the way there: recordings that follow one another in a file
        may have the same stamps, and stamps that are guessed are other ones after a jump.
        """
        begins = self._first.pts
        count, last, met = 0, None, False
        with self._open() as container:
            stream = container.streams[self._stream.index]
            for packet in _packets_of(container, stream):
                if packet.pts is None or begins is None:
                    return None
                if packet.dts is not None:
                    if packet.dts > stamp:
                        break
                    if last is not None and packet.dts < last:
                        return None
                    last = packet.dts
                met |= _place_of(packet) == self._landed
                count += begins <= packet.pts < stamp and _is_shown(packet, stream.codec_context.name)
        return count if met else None

    def _packets(self) -> Iterator[Any]:
        try:
            for packet in _packets_of(self._container, self._stream):
                if packet.is_corrupt:
                    self.faults.damaged += 1
                else:
                    self._landed = self._landed or _place_of(packet)
                    yield packet
        except FAILS:
            log.info("a film ended early", exc_info=True)
            self._broke_off = True

    def _decoded(self) -> Iterator[Any]:
        for packet in itertools.chain(self._packets(), [None]):
            try:
                frames = self._stream.codec_context.decode(packet)
            except EOFError:
                return
            except FAILS:
                log.info("a piece of a film could not be decoded", exc_info=True)
                self.faults.damaged += 1
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.faults.damaged += 1
                else:
                    yield frame


def _packets_of(container: Any, stream: Any) -> Iterator[Any]:
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except IndexError:  # PyAV's own, at the end of a film in which a track appeared after its beginning
        log.info("a track appeared within a film", exc_info=True)


def _is_usual(rate: Any) -> bool:
    return rate is not None and _LEAST_RATE <= rate <= _MOST_RATE


def _place_of(packet: Any) -> _Place:
    return packet.pts, packet.pos


def _is_shown(packet: Any, decoder: str) -> bool:
    """Tell apart what is only referred to: pictures before an edit, and the hidden ones of VP8 (RFC 6386, 9.1)."""
    hidden = decoder in ("vp8", "libvpx") and not bytes(packet)[0] & 0x10
    return not packet.is_discard and not hidden
