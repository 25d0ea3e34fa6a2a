"""The sound of a film, for a copy of it: taken along as it is where every browser plays it so, else encoded anew."""

import itertools
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, BinaryIO, Final

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.stream import Disposition
from numpy.typing import NDArray

from emotion.errors import FilmError
from emotion.faces.files.kinds import Kind, kind_of
from emotion.faces.files.texts import FIRST_BYTES
from emotion.streams.films.reading.inputs import is_film, open_container

log = logging.getLogger(__name__)

UNREADABLE: Final = "The film's sound could not be read and was left out."
PARTLY: Final = "A part of the film's sound could not be read and was left out."

_FAILS: Final = (av.error.FFmpegError, MemoryError)
_DECODERS: Final = (
    *("aac", "aac_latm", "mp3", "mp3float", "mp2", "mp2float", "ac3", "eac3", "dca", "opus", "vorbis", "flac", "alac"),
    *("amrnb", "amrwb", "wmav1", "wmav2", "wmapro", "speex", "nellymoser", "adpcm_ms", "adpcm_ima_wav", "adpcm_swf"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be"),
    *("pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw"),
)
_KEPT: Final = ("aac", "mp3")
"""MP4 takes others, too, which only some browsers play."""
_USUAL_RATES: Final = (44_100, 48_000)
_FRAME: Final = 1024
"""Samples, of AAC."""
_BACK_SECONDS: Final = 1.0
"""So much earlier than the piece before, it is of another recording in the same file."""
_MOST_SILENCE_SECONDS: Final = 3600.0
"""In all; a stamp that is later than that is damaged."""
_LONGEST_SECONDS: Final = 7 * 24 * 3600.0
_GAP_SECONDS: Final = 0.1
"""Shorter ones are of rounded stamps."""
_MOST_TRIED: Final = 200
"""Packets, within which sound that can be read is heard."""


@contextmanager
def sound_of(source: BinaryIO, start: float, end: float) -> Iterator["Sound | None"]:
    """Open the sound of a film.

    Parameters
    ----------
    source : binary file that can seek; others may read it in turn
    start, end : float, seconds of the film, between which it is taken

    Yields
    ------
    Sound; None where the film has none, and none is missed
    """
    source.seek(0)
    kind = kind_of(source.read(FIRST_BYTES))
    if not is_film(kind):
        yield None
        return
    is_there, can_be_read = _tried(source, kind)
    if not is_there:
        yield None
    elif not can_be_read:
        yield Sound(None, start, end)
    else:
        with open_container(source, kind, _DECODERS) as container:
            yield Sound(container, start, end)


def _tried(source: BinaryIO, kind: Kind) -> tuple[bool, bool]:
    """Tell whether a film has sound, and whether it can be read: headers alone do not say."""
    try:
        with open_container(source, kind, _DECODERS) as container:
            if not container.streams.audio:
                return False, False
            if (stream := _readable(container)) is None:
                return True, False
            frames = _decoded(itertools.islice(_packets(container, stream), _MOST_TRIED), stream.codec_context)
            return True, next(frames, None) is not None
    except FilmError:
        return False, False


def _readable(container: Any) -> Any:
    """Choose what is heard by default; of sound that is encrypted, nothing but the tag tells."""
    streams = [
        stream
        for stream in container.streams.audio
        if (context := stream.codec_context) is not None
        and context.name in _DECODERS
        and context.codec_tag != "enca"
        and stream.time_base
    ]
    return max(streams, key=lambda stream: bool(stream.disposition & Disposition.default), default=None)


class Sound:
    """Sound that is written into a film beside its pictures.

    Parameters
    ----------
    container : of PyAV, whose sound can be read; None where it cannot
    start, end : float, seconds of the film

    Attributes
    ----------
    note : str, a sentence on what is missing; empty where nothing is
    """

    def __init__(self, container: Any, start: float, end: float) -> None:
        self._container = container
        self._start, self._length = start, min(end - start, _LONGEST_SECONDS)
        self._pieces: Iterator[tuple[float, Any]] = iter(())
        self._next: tuple[float, Any] | None = None
        self._out: Any = None
        self._stream: Any = None
        self.note = "" if container else UNREADABLE

    def begin(self, out: Any) -> None:
        """Add the sound's stream to a film, before anything is written to it.

        Parameters
        ----------
        out : container of PyAV
        """
        if self._container is None:
            return
        self._out = out
        stream = _readable(self._container)
        if stream.codec_context.codec.canonical_name in _KEPT:
            self._stream = out.add_stream_from_template(stream)
            self._pieces = self._kept(stream)
        else:
            rate = stream.codec_context.sample_rate
            self._stream = out.add_stream("aac", rate=rate if rate in _USUAL_RATES else _USUAL_RATES[-1])
            self._stream.layout = "mono" if stream.codec_context.channels == 1 else "stereo"
            self._pieces = self._anew(stream)
        self._next = next(self._pieces, None)

    def write(self, until: float = math.inf) -> None:
        """Write what is heard before a time.

        Parameters
        ----------
        until : float, seconds from the start that was chosen
        """
        while self._next is not None and self._next[0] < until:
            try:
                self._out.mux(self._next[1])
            except (av.error.InvalidDataError, av.error.ArgumentError, av.error.PatchWelcomeError):
                # Packets that are taken along as they are may be damaged.
                log.info("a piece of a film's sound could not be written", exc_info=True)
                self._miss()
            self._next = next(self._pieces, None)

    def _miss(self) -> None:
        self.note = PARTLY

    def _read(self, stream: Any) -> Iterator[Any]:
        if self._start > 0:
            try:
                self._container.seek(round(self._start * av.time_base + self._zero()))
            except _FAILS:
                log.info("the sound of a film could not be sought through", exc_info=True)
        return _packets(self._container, stream)

    def _zero(self) -> int:
        # As the film's own clock has it: an AVI begins at nought.
        return 0 if self._container.format.name == "avi" else self._container.start_time or 0

    def _kept(self, stream: Any) -> Iterator[tuple[float, Any]]:
        stamps = _Stamps(self._zero() / av.time_base + self._start, stream.time_base, self._miss)
        for packet in self._read(stream):
            at = stamps.moved(packet.dts, packet.duration or 0)
            # Before nought there may be what decoders need to begin.
            if at is None or (self._start > 0 and at + (packet.duration or 0) <= 0):
                continue
            seconds = float(at * stream.time_base)
            if seconds >= self._length:
                return
            packet.pts = packet.dts = at
            packet.stream = self._stream
            yield seconds, packet

    def _anew(self, stream: Any) -> Iterator[tuple[float, Any]]:
        encoder = _Encoder(self._stream)
        stamps = _Stamps(self._zero() / av.time_base + self._start, stream.time_base, self._miss)
        for frame in _decoded(self._read(stream), stream.codec_context, self._miss):
            at = stamps.moved(frame.pts, round(frame.samples / frame.sample_rate / stream.time_base))
            if at is None:
                continue
            seconds = float(at * stream.time_base)
            if seconds >= self._length:
                break
            yield from encoder.add(frame, seconds)
        yield from encoder.end()


class _Stamps:
    """Moves stamps to where a film that is cut out begins, so that they always grow."""

    def __init__(self, zero: float, base: Any, missed: Callable[[], None]) -> None:
        self._missed = missed
        self._zero = round(zero / base)
        self._back, self._silence = round(_BACK_SECONDS / base), round(_MOST_SILENCE_SECONDS / base)
        self._last: int | None = None
        self._due = 0

    def moved(self, stamp: int | None, duration: int) -> int | None:
        """Give the stamp as it is to be; None of what was heard already, and where it cannot be."""
        at = self._due if stamp is None else stamp - self._zero
        silence = max(0, at - self._due)
        if silence > self._silence or (self._last is None and at < -self._silence):
            self._missed()
            return None
        self._silence -= silence
        if self._last is not None and at <= self._last:
            if stamp is None or at > self._last - self._back:
                return None
            at = self._due = max(self._due, self._last + 1)
            self._zero = stamp - at
        self._last, self._due = at, at + duration
        return at


class _Encoder:
    """Encodes sound as AAC, without gaps, from nought on."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._layout = stream.layout.name
        self._waiting = np.zeros((stream.layout.nb_channels, 0), np.float32)
        self._encoded = 0
        self._form: tuple[Any, ...] = ()
        self._resampler: Any = None

    def add(self, frame: Any, seconds: float) -> Iterator[tuple[float, Any]]:
        """Encode a frame that is heard at a time: after silence, if need be, and without what is before nought."""
        form = frame.format.name, frame.layout.name, frame.sample_rate
        if form != self._form:
            self._form, self._resampler = form, AudioResampler("fltp", self._layout, self._stream.rate)
        frame.pts = None
        samples = np.concatenate(
            [each.to_ndarray() for each in self._resampler.resample(frame)] or [self._waiting[:, :0]], axis=1
        )
        so_far = self._encoded + self._waiting.shape[1]
        missing = round(seconds * self._stream.rate) - so_far
        if missing < 0 and not so_far:
            samples = samples[:, -missing:]
        if missing > _GAP_SECONDS * self._stream.rate:
            for begin in range(0, missing, _FRAME):
                yield from self._encode(np.zeros((len(samples), min(_FRAME, missing - begin)), np.float32))
        yield from self._encode(samples)

    def end(self) -> Iterator[tuple[float, Any]]:
        """Give what is left."""
        yield from self._encode(self._waiting[:, :0], whole=True)
        yield from ((self._encoded / self._stream.rate, packet) for packet in self._stream.encode(None))

    def _encode(self, samples: NDArray[np.float32], *, whole: bool = False) -> Iterator[tuple[float, Any]]:
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        while (n := self._waiting.shape[1]) >= _FRAME or (whole and n):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(self._waiting[:, :_FRAME]), "fltp", self._layout)
            frame.sample_rate, frame.pts = self._stream.rate, self._encoded
            frame.time_base = Fraction(1, self._stream.rate)
            seconds = self._encoded / self._stream.rate
            self._waiting = self._waiting[:, _FRAME:]
            self._encoded += frame.samples
            yield from ((seconds, packet) for packet in self._stream.encode(frame))


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    try:
        yield from (packet for packet in container.demux(stream) if packet.size)
    except _FAILS:
        log.info("the sound of a film ended early", exc_info=True)


def _decoded(packets: Iterator[Any], context: Any, failed: Callable[[], None] = lambda: None) -> Iterator[Any]:
    for packet in itertools.chain(packets, [None]):
        try:
            yield from context.decode(packet)
        except EOFError:
            return
        except _FAILS:
            log.info("a piece of a film's sound could not be decoded", exc_info=True)
            failed()
