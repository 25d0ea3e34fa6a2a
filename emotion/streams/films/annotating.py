"""A film and the votes on it -> the film with a box, a number and a label on each face, and with its sound.

It is written as MP4 (H.264 with 4:2:0 colours, and AAC), which every browser plays, and from the beginning of which a
player knows where everything is.
"""

import io
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Final

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from emotion.errors import FilmError
from emotion.faces.detect import Box
from emotion.faces.pixels import BGRImage
from emotion.streams.drawing import Mark, draw_marks
from emotion.streams.films.reading.frames import Film, Frame, note_on
from emotion.streams.films.reading.opening import open_film
from emotion.streams.films.sound import Sound, sound_of
from emotion.streams.films.watching import EARLY_SECONDS, Choice
from emotion.streams.plates import Steady
from emotion.streams.record import LONGEST_SECONDS, FaceRecord, Moment

_TICKS: Final = 90_000
"""A second, of which the usual rates, and milliseconds, are whole numbers."""
_ENCODER: Final = {
    "preset": "veryfast",
    "crf": "23",
    # Frames that are stored in another order than shown make the length of a film of varying rate wrong.
    "bf": "0",
}
_KEY_SECONDS: Final = 2.0
"""From one frame to the next to which a player can jump at once."""
_MOST_RATE: Final = 240.0
_ALONE_SECONDS: Final = 1.0
"""For so long a box stays of which the next moment has none."""
_SAME_SECONDS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Annotated:
    """A film that was written.

    Attributes
    ----------
    frames : int, > 0
    seconds : float, > 0, its length
    note : str, what a user should know: what of the film could not be read; empty where there is nothing
    """

    frames: int
    seconds: float
    note: str


def annotate(
    source: BinaryIO | bytes,
    moments: Sequence[Moment],
    out: Path,
    *,
    choice: Choice,
    smoothed: bool = True,
    stopping: Callable[[], bool] = lambda: False,
    told: Callable[[float], None] = lambda seconds: None,
) -> Annotated | None:
    """Write a film with what was voted on in it.

    Between two moments, boxes go straight from place to place. What is before the first moment has none.

    Parameters
    ----------
    source : bytes, or a binary file that can seek, of the film
    moments : sequence of Moment, of `emotion.streams.films.watching.FilmWatch`, oldest first
    out : Path, of the MP4; of a file that is put in its place when it is whole
    choice : Choice, whose `start` and `end` are taken; what is at `start` in the film is at nought in the MP4
    smoothed : bool, whether smoothed votes are shown, or those that the models gave
    stopping : callable, asked at every frame; once it gives True, nothing is left at `out`
    told : callable, called after every frame with the seconds that were written

    Returns
    -------
    Annotated; None where it was stopped

    Raises
    ------
    FilmError
        If the film cannot be read, or has no frame between start and end.
    OSError
        If the file cannot be written.
    """
    file: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source
    written = None
    try:
        with (
            open_film(file) as film,
            sound_of(file, choice.start, choice.end) as sound,
            av.open(str(out.absolute()), "w", format="mp4", options={"movflags": "faststart"}) as container,
        ):
            copy = _Copy(container, film.rate, sound)
            boxes = _Boxes(moments, smoothed=smoothed)
            for frame in _between(film, choice):
                if stopping():
                    return None
                copy.write(boxes.drawn(frame), frame.seconds - choice.start)
                told(copy.seconds)
            copy.end()
            written = Annotated(
                copy.frames, copy.seconds, " ".join(filter(None, [note_on(film), sound.note if sound else ""]))
            )
    finally:
        if written is None:
            out.unlink(missing_ok=True)
    return written


def _between(film: Film, choice: Choice) -> Iterator[Frame]:
    for frame in film.frames(choice.start):
        if frame.seconds > choice.end:
            return
        if frame.seconds >= choice.start - EARLY_SECONDS:
            yield frame


class _Copy:
    """The film that is written."""

    def __init__(self, container: Any, rate: float, sound: Sound | None) -> None:
        self._container = container
        self._sound = sound
        usual_rate = min(max(rate, 1.0), _MOST_RATE)
        self._lasts = 1 / usual_rate
        self._stream = container.add_stream(
            "libx264", rate=Fraction(usual_rate).limit_denominator(1001), options=_ENCODER
        )
        context = self._stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.gop_size = max(1, round(_KEY_SECONDS * usual_rate))
        self._stream.pix_fmt = "yuv420p"
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        if sound is not None:
            sound.begin(container)
        self._due = 0
        self.frames = 0
        self.seconds = 0.0

    def write(self, image_bgr: BGRImage, at: float) -> None:
        """Write a picture, and the sound before it.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
        at : float, seconds
        """
        if not self.frames:
            height, width = image_bgr.shape[:2]
            self._stream.width, self._stream.height = width + width % 2, height + height % 2
        at = max(at, 0.0)
        if self._sound is not None:
            self._sound.write(until=at)
        picture = _fitted(image_bgr, self._stream.width, self._stream.height)
        frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(
            threads=1, format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        # Frames of a damaged film may follow each other faster than ticks do.
        self._due = max(self._due, round(at * _TICKS))
        frame.pts, frame.time_base = self._due, Fraction(1, _TICKS)
        frame.duration = round(self._lasts * _TICKS)
        self._container.mux(self._stream.encode(frame))
        self._due += 1
        self.frames += 1
        self.seconds = at + self._lasts

    def end(self) -> None:
        """Write what is left.

        Raises
        ------
        FilmError
            If nothing was written.
        """
        if not self.frames:
            raise FilmError("The film has no picture between the start and the end that were chosen.")
        self._container.mux(self._stream.encode())
        if self._sound is not None:
            self._sound.write()


def _fitted(image_bgr: BGRImage, width: int, height: int) -> BGRImage:
    """Fit a picture into the size of the film, which has even sides; its own may change in mid-film."""
    rows, columns = image_bgr.shape[:2]
    if not (0 <= width - columns <= 1 and 0 <= height - rows <= 1):
        scale = min(width / columns, height / rows)
        size = max(1, math.floor(columns * scale)), max(1, math.floor(rows * scale))
        fitted = np.zeros((height, width, 3), np.uint8)
        top, left = (height - size[1]) // 2, (width - size[0]) // 2
        fitted[top : top + size[1], left : left + size[0]] = cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA)
        return fitted
    edges = (0, height - rows, 0, width - columns)
    return np.asarray(cv2.copyMakeBorder(image_bgr, *edges, cv2.BORDER_REPLICATE), dtype=np.uint8)


class _Boxes:
    """Where faces are at any time, and what is written on them."""

    def __init__(self, moments: Sequence[Moment], *, smoothed: bool) -> None:
        self._moments = moments
        self._times = [moment.seconds for moment in moments]
        self._smoothed = smoothed
        self._steady = Steady()
        self._are_several = len({face.number for moment in moments for face in moment.faces}) > 1

    def drawn(self, frame: Frame) -> BGRImage:
        """Draw what is known of a frame.

        Parameters
        ----------
        frame : Frame

        Returns
        -------
        ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
        """
        marked = [
            Mark(
                face.number,
                Box(*(round(edge / frame.scale) for edge in box)),
                face.shown(smoothed=self._smoothed),
            )
            for face, box in self._at(frame.seconds)
        ]
        return draw_marks(frame.picture(), marked, numbered=self._are_several, steady=self._steady)

    def _at(self, seconds: float) -> Iterator[tuple[FaceRecord, tuple[float, ...]]]:
        place = bisect_right(self._times, seconds + _SAME_SECONDS) - 1
        if place < 0:
            return
        before, after = self._moments[place], self._moments[place + 1 : place + 2]
        since = seconds - before.seconds
        # Where there was no frame for longer, nobody knows which way a face went.
        length = after[0].seconds - before.seconds if after else math.inf
        later = {face.number: face.box for face in after[0].faces} if length <= LONGEST_SECONDS else {}
        for face in before.faces:
            if face.number in later:
                share = since / length
                yield (
                    face,
                    tuple((1 - share) * a + share * b for a, b in zip(face.box, later[face.number], strict=True)),
                )
            elif since <= _ALONE_SECONDS:
                yield face, tuple(face.box)
