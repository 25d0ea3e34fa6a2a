"""A film that is being looked at, on a thread of its own: how far it is, what was found, the film with its boxes."""

import logging
import math
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import BinaryIO, Final

import cv2
import numpy as np

from emotion.errors import EmotionError, FilmError
from emotion.faces.detect import Box
from emotion.faces.fitness import why_no_face
from emotion.faces.pixels import BGRImage
from emotion.page.elements import FAULT
from emotion.page.films.asking import MOST_SECONDS, Asked
from emotion.streams.course import clock
from emotion.streams.drawing import Mark, draw_marks
from emotion.streams.films.annotating import annotate
from emotion.streams.films.reading.frames import Film, note_on
from emotion.streams.films.reading.opening import open_film
from emotion.streams.films.watching import FilmWatch, Look
from emotion.streams.record import MOST_VOTES, Moment
from emotion.vote.ensemble import Ensemble

log = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 60.0
"""So long a film goes on when nobody has the page open any more: a connection may come back."""
MOST_ANNOTATED_BYTES: Final = 300_000_000
"""The film with its boxes is in memory as long as the page shows it."""

_PICTURE_SIDE: Final = 480
_SETTLED_SHARE: Final = 0.02
"""Before so much is done, how long the rest takes is a guess."""


class Stage(Enum):
    """What is being done."""

    FETCHING = auto()
    LOOKING = auto()
    WRITING = auto()
    DONE = auto()


class FilmRun:
    """Looks at a film, then writes it with its boxes. What it knows may be read on any thread.

    Parameters
    ----------
    asked : Asked
    models : Ensemble
    is_watched : callable, tells whether the visitor's page is open; called on the thread of the film

    Attributes
    ----------
    asked : Asked
    models : Ensemble
    stage : Stage
    seconds : float, how far into the film the stage is
    begin, end : float, seconds of the film, between which the stage goes; `end` is infinite where that is not known
    moments : list of Moment, that grows
    why : str, where no moment has a face, the likely reason
    notes : list of str, sentences on what else the visitor should know
    error : str, why there is nothing, or nothing more; empty where nothing went wrong
    annotated : bytes, of the MP4 with the boxes; empty where there is none
    """

    def __init__(self, asked: Asked, models: Ensemble, is_watched: Callable[[], bool]) -> None:
        self.asked = asked
        self.models = models
        self.stage = Stage.FETCHING
        self.begin, self.end = asked.choice.start, asked.choice.end
        self.seconds = self.begin
        self.moments: list[Moment] = []
        self.why = ""
        self.notes: list[str] = []
        self.error = ""
        self.annotated = b""
        self._is_watched = is_watched
        self._watched_at = self._began_at = time.monotonic()
        self._stopped = threading.Event()
        self._ended = threading.Event()
        self._given_up = False
        self._votes = 0
        self._last: Look | None = None
        self._brightest: tuple[float, BGRImage] | None = None
        self._file = asked.open()
        self._thread = threading.Thread(target=self._run, name="emotion-film", daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End what is being done: what was found until now stays."""
        self._stopped.set()
        if self.stage is Stage.FETCHING:
            self._given_up = True
            self._file.close()

    def on_ended(self) -> None:
        """End everything: nobody wants it any more."""
        self._ended.set()
        self.stop()

    @property
    def needs_place(self) -> bool:
        """Whether it is at work, and to go on."""
        return self.stage is not Stage.DONE and not self._ended.is_set()

    @property
    def share(self) -> float | None:
        """How much of the stage is done, 0-1; None where that is not known."""
        if self.stage is Stage.FETCHING or math.isinf(self.end) or self.end <= self.begin:
            return None
        return min(1.0, max(0.0, (self.seconds - self.begin) / (self.end - self.begin)))

    @property
    def seconds_left(self) -> float | None:
        """How long the stage will take from now on; None as long as that is not known."""
        share = self.share
        if share is None or share < _SETTLED_SHARE:
            return None
        return (time.monotonic() - self._began_at) * (1 - share) / share

    @property
    def fetched_bytes(self) -> int:
        """How much of the film has arrived."""
        try:
            return self._file.tell()
        except ValueError:  # it was closed meanwhile
            return 0

    def picture(self) -> BGRImage | None:
        """Draw the newest frame that was looked at, with its boxes.

        Returns
        -------
        ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, of at most 480 pixels a side; None before
        the first
        """
        look = self._last
        if look is None or look.moment is None:
            return None
        height, width = look.image_bgr.shape[:2]
        scale = min(1.0, _PICTURE_SIDE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.asarray(cv2.resize(look.image_bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        marks = [
            Mark(
                face.number,
                Box(*(round(edge * scale / look.scale) for edge in face.box)),
                face.smoothed,
            )
            for face in look.moment.faces
        ]
        return draw_marks(picture, marks)

    def _run(self) -> None:
        try:
            with self._file as file:
                self.asked.fill(file)
                self._look(file)
                if any(moment.faces for moment in self.moments) and not self._ended.is_set():
                    self._write(file)
        except EmotionError as error:
            self._say(str(error))
        except Exception:  # a fault of ours: the visitor gets a sentence, the log the traceback
            if not self._given_up:
                log.exception("a film could not be looked at")
            self._say(FAULT)
        finally:
            self._last = self._brightest = None
            self.stage = Stage.DONE

    def _say(self, error: str) -> None:
        self.error = "The film was not fetched: you stopped it." if self._given_up else error

    def _enter(self, stage: Stage, begin: float, end: float) -> None:
        self.begin, self.end = begin, end
        self.seconds = begin
        self._began_at = time.monotonic()
        self._stopped.clear()
        self.stage = stage

    def _is_to_stop(self) -> bool:
        now = time.monotonic()
        if self._is_watched():
            self._watched_at = now
        elif now - self._watched_at > PATIENCE_SECONDS:
            self._ended.set()
        return self._stopped.is_set() or self._ended.is_set()

    def _look(self, file: BinaryIO) -> None:
        choice = self.asked.choice
        with open_film(file) as film:
            ends = film.duration or math.inf
            if ends <= choice.start:
                raise FilmError(
                    f"The film is {clock(ends)} long, so nothing comes after the start that was chosen: choose an "
                    "earlier one."
                )
            self._enter(Stage.LOOKING, choice.start, min(choice.end, ends))
            for look in FilmWatch(self.models, choice).looks(film, self._has_looked_enough):
                self._take(look)
            self._note(film)
        if self._votes >= MOST_VOTES:
            self.notes.append(
                f"There are {self._votes:,} votes up to {clock(self.seconds)}, as many as are kept: for what comes "
                "after that, choose it as the start."
            )
        elif self._stopped.is_set() and self.moments:
            self.notes.append(f"You stopped it: it was looked at up to {clock(self.seconds)}.")
        if not any(moment.faces for moment in self.moments) and self._brightest is not None:
            self.why = why_no_face(self._brightest[1])

    def _has_looked_enough(self) -> bool:
        return self._votes >= MOST_VOTES or self._is_to_stop()

    def _take(self, look: Look) -> None:
        """Keep what a frame has come to."""
        self.seconds = look.seconds
        if look.moment is None:
            return
        self._last = look
        self.moments.append(look.moment)
        if not look.moment.faces:
            brightness = float(look.image_bgr[::8, ::8].mean())
            if self._brightest is None or brightness > self._brightest[0]:
                self._brightest = brightness, look.image_bgr
        self._votes += max(1, len(look.moment.faces))

    def _note(self, film: Film) -> None:
        if note := note_on(film):
            self.notes.append(note)
        limit = self.asked.choice.start + MOST_SECONDS
        is_longer = film.duration > limit + 1 or (not film.duration and self.seconds > limit - 1)
        if self.asked.wished_end > limit and is_longer:
            self.notes.append(
                f"At most {MOST_SECONDS / 60:.0f} minutes are looked at at one time: for what comes after "
                f"{clock(limit)}, choose that as the start."
            )

    def _write(self, file: BinaryIO) -> None:
        if self.moments[-1].seconds < self.end - 1 or self._stopped.is_set():
            until = self.moments[-1].seconds + self.asked.choice.every
        else:
            until = self.end
        choice = replace(self.asked.choice, end=min(until, self.asked.choice.end))
        self._enter(Stage.WRITING, choice.start, until)
        with tempfile.TemporaryDirectory(prefix="emotion-film-") as folder:
            path = Path(folder) / "annotated.mp4"
            written = annotate(
                file,
                self.moments,
                path,
                choice=choice,
                stopping=lambda: self._is_to_stop() or _size(path) > MOST_ANNOTATED_BYTES,
                told=self._written,
            )
            if written is not None:
                self.annotated = path.read_bytes()
                self.notes += [note for note in [_without(written.note, self.notes)] if note]
            elif self._stopped.is_set():
                self.notes.append("The film was not written with its boxes: you stopped it.")
            else:
                self.notes.append(
                    f"With its boxes, the film would have more than {MOST_ANNOTATED_BYTES // 1_000_000} MB, too much "
                    "for the page: choose a shorter piece of it."
                )

    def _written(self, seconds: float) -> None:
        self.seconds = self.begin + seconds


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _without(note: str, notes: Sequence[str]) -> str:
    """Leave out of a note what was said before."""
    for said in notes:
        note = note.replace(said, "")
    return note.strip()
