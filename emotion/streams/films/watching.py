"""A film -> the faces in it, with votes over time.

Frames are decoded in turn. Those that are to be looked at are searched and voted on side by side, on every core; which
face is which, and what votes come to over time, is worked out in the order of the film. So the outcome does not depend
on how many cores there are, or how fast they are.
"""

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import cv2

from emotion import config
from emotion.errors import FilmError
from emotion.faces.crop import DETECTORS
from emotion.faces.detect import Box, FaceDetector
from emotion.faces.pixels import BGRImage
from emotion.faces.yunet import Effort, YuNetDetector
from emotion.streams.films.colours import Colours, Thumbnail, colours_of, thumbnail
from emotion.streams.films.reading.frames import Film, Frame
from emotion.streams.films.returning import FilmFaces
from emotion.streams.record import FaceRecord, Moment
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import FaceEmotion, Recognizer
from emotion.vote.voting import VoteSmoother

EVERY_SECONDS: Final = 0.2
"""From one vote to the next, unless another time is asked for."""
_LOOK_SECONDS: Final = 0.2
"""Faces are followed from look to look; in longer, a face moves too far."""
EARLY_SECONDS: Final = 0.005
"""A frame that comes so much too early for a vote is taken for it: stamps are rounded, to milliseconds in some."""
_MOST_SMOOTHERS: Final = 200


@dataclass(frozen=True)
class Choice:
    """What of a film is looked at.

    Attributes
    ----------
    every : float, seconds from one vote to the next; 0 for one on every frame
    start, end : float, seconds, of the film
    smoothing_seconds : float, >= 0, the time constant of `emotion.vote.voting.VoteSmoother`
    """

    every: float = EVERY_SECONDS
    start: float = 0.0
    end: float = math.inf
    smoothing_seconds: float = config.SMOOTHING_SECONDS


@dataclass(frozen=True, slots=True)
class Look:
    """A frame that was looked at.

    Attributes
    ----------
    frame : int, >= 0, its number in the film
    seconds : float, from the beginning of the film
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    scale : float, >= 1, so many pixels of the film are one of the picture
    moment : Moment, the votes on its faces, largest face first, boxes in pixels of the film; None where none was due
    """

    frame: int
    seconds: float
    image_bgr: BGRImage
    scale: float
    moment: Moment | None


def film_detector(name: str) -> FaceDetector:
    """Give the detector for films: the one for pictures, without its second look where there is no face.

    Parameters
    ----------
    name : str, a key of `emotion.faces.crop.DETECTORS`

    Returns
    -------
    FaceDetector
    """
    return YuNetDetector(effort=Effort.ONCE) if name == "yunet" else DETECTORS[name]()


class FilmWatch:
    """Watches a film; may go on where another one was broken off.

    Parameters
    ----------
    models : Ensemble
    choice : Choice
    detector : str, a key of `emotion.faces.crop.DETECTORS`
    cores : int, how many are worked on; by default all
    stored : mapping, what `as_stored` gave; optional
    """

    def __init__(
        self,
        models: Ensemble,
        choice: Choice | None = None,
        *,
        detector: str = "yunet",
        cores: int | None = None,
        stored: Mapping[str, Any] | None = None,
    ) -> None:
        self._choice = choice or Choice()
        self._cores = cores or os.cpu_count() or 1
        self._recognizer = Recognizer(models, film_detector(detector))
        self._uncertain_below = models.calibration.uncertain_below
        self._faces = FilmFaces()
        self._smoothers: dict[int, VoteSmoother] = {}
        self._last: tuple[int, float] | None = None
        if stored is not None:
            self._faces = FilmFaces.read(stored["faces"])
            self._smoothers = {n: VoteSmoother.read(known, self._uncertain_below) for n, known in stored["smoothers"]}
            self._last = stored["frame"], stored["seconds"]

    def as_stored(self) -> dict[str, Any]:
        """Give what is known after the last look, to go on from.

        Returns
        -------
        dict, of which JSON keeps every digit
        """
        frame, seconds = self._last or (-1, -math.inf)
        return {
            "frame": frame,
            "seconds": seconds,
            "faces": self._faces.as_stored(),
            "smoothers": [[number, smoother.as_stored()] for number, smoother in self._smoothers.items()],
        }

    def looks(self, film: Film, stopping: Callable[[], bool] = lambda: False) -> Iterator[Look]:
        """Look at a film, to its end or the end that was chosen.

        Parameters
        ----------
        film : Film
        stopping : callable, asked at every frame; once it gives True, what was begun is given and no more

        Yields
        ------
        Look, in the order of the film

        Raises
        ------
        FilmError
            If no frame can be read, or none lies between the start and the end.
        DetectorError
            If the detector's file is missing or damaged.
        """
        cv2.setNumThreads(1)  # the frames themselves are spread over the cores
        looked = False
        waiting: deque[tuple[Frame, bool, Future[_Seen]]] = deque()
        with ThreadPoolExecutor(self._cores, "film") as pool:
            try:
                for frame, votes in self._due(film):
                    looked = True
                    if stopping():
                        break
                    waiting.append((frame, votes, pool.submit(self._see, frame, votes=votes)))
                    while len(waiting) > 2 * self._cores:
                        yield self._take(*waiting.popleft())
                while waiting:
                    yield self._take(*waiting.popleft())
                if not looked and self._last is None:
                    raise FilmError(
                        "Nothing of the film is shown between the start and the end that were asked for: it has "
                        f"{film.duration:.1f} seconds."
                    )
            finally:
                for _, _, future in waiting:
                    future.cancel()

    def _due(self, film: Film) -> Iterator[tuple[Frame, bool]]:
        """Give the frames that are to be looked at, and whether a vote is due."""
        choice = self._choice
        looks_a_vote = max(1, math.ceil(choice.every / _LOOK_SECONDS - 1e-9))
        interval = choice.every / looks_a_vote
        done, next_look = -1, 0
        if self._last is not None:
            done, seconds = self._last
            next_look = _count(seconds - choice.start, interval) + 1
        since = max(choice.start, 0.0 if self._last is None else self._last[1])
        for frame in film.frames(since):
            if frame.seconds < choice.start - EARLY_SECONDS or frame.number <= done:
                continue
            if frame.seconds > choice.end:
                return
            look = _count(frame.seconds - choice.start, interval)
            if interval and look < next_look:
                continue
            # Where frames are far apart, one stands for all looks that were due since the last.
            votes = not interval or look // looks_a_vote > (next_look - 1) // looks_a_vote
            next_look = look + 1
            yield frame, votes

    def _see(self, frame: Frame, *, votes: bool) -> "_Seen":
        image_bgr = frame.picture()
        found = self._recognizer.find(image_bgr)
        boxes = [face.box for face, _ in found]
        faces = self._recognizer.vote(found) if votes else []
        return _Seen(image_bgr, boxes, faces, [colours_of(image_bgr, box) for box in boxes], thumbnail(image_bgr))

    def _take(self, frame: Frame, votes: bool, future: "Future[_Seen]") -> Look:
        seen = future.result()
        numbers = self._faces.see(seen.boxes, seen.colours, seen.scene, frame.seconds)
        moment = None
        if votes:
            records = [self._record(number, seen.faces[place], frame) for place, number in numbers.items()]
            moment = Moment(frame.seconds, None, tuple(records), frame.number)
        self._last = frame.number, frame.seconds
        return Look(frame.number, frame.seconds, seen.image_bgr, frame.scale, moment)

    def _record(self, number: int, face: FaceEmotion, frame: Frame) -> FaceRecord:
        # The one that spoke last stands last: of a crowd that passes by, the oldest are forgotten.
        smoother = self._smoothers.pop(number, None) or VoteSmoother(self._uncertain_below)
        self._smoothers[number] = smoother
        if len(self._smoothers) > _MOST_SMOOTHERS:
            del self._smoothers[next(iter(self._smoothers))]
        smoothed = smoother.add(face.vote, frame.seconds, self._choice.smoothing_seconds)
        box = Box(*(round(edge * frame.scale) for edge in face.box))
        return FaceRecord(number, face.vote, smoothed, box)


@dataclass(frozen=True, slots=True)
class _Seen:
    image_bgr: BGRImage
    boxes: list[Box]
    faces: list[FaceEmotion]
    colours: list[Colours]
    scene: Thumbnail


def _count(seconds: float, interval: float) -> int:
    """Count the looks that are due before a time has passed, the first at once."""
    return math.floor((seconds + EARLY_SECONDS) / interval) if interval else 0
