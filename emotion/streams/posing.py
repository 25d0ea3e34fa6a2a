"""Frames of one person who poses expressions, taken out of a video: some seconds of each, after a count-down.

The *page's* thread says which expression is posed (`Posing.begin`) and reads what came of it; the *worker* of the video
brings what it found in each frame (`Posing.offer`).
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from emotion.faces.crop import FaceVector
from emotion.faces.detect import Detection
from emotion.faces.fitness import fitness
from emotion.faces.pixels import BGRImage
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import VideoRecognizer

FRAMES: Final = 10
"""Of each expression."""
COUNT_DOWN_SECONDS: Final = 3.0
MOST_SECONDS: Final = 10.0
"""For `FRAMES` that are fit; then what there is must do."""

NO_FACE: Final = "no face"
SEVERAL_FACES: Final = "several faces"

_SECONDS_APART: Final = 0.25
"""Of frames that follow one another faster, each is like the one before."""
_BESIDE: Final = 0.5
"""A face whose side is this share of the largest one's may be that of the person who poses."""


def face_of(found: Sequence[tuple[Detection, FaceVector]]) -> tuple[FaceVector | None, str]:
    """Choose the face of the person who poses, if it is fit to be learnt.

    Parameters
    ----------
    found : sequence of (Detection, ndarray of shape (2304,), uint8), largest face first

    Returns
    -------
    face : ndarray of shape (2304,), uint8, 0-255; None where there is none
    reason : str, why there is none, in a word or two; empty where there is one
    """
    if not found:
        return None, NO_FACE
    sides = [max(face.box[2:]) for face, _ in found]
    if any(side > _BESIDE * sides[0] for side in sides[1:]):
        return None, SEVERAL_FACES
    reason = fitness(*found[0]).reason
    return (None, reason) if reason else (found[0][1], "")


@dataclass(frozen=True)
class Pose:
    """What came of an expression that is, or was, posed.

    Attributes
    ----------
    label : str
    seconds_to_begin : float, >= 0, what is left of the count-down
    faces : tuple of ndarray of shape (2304,), uint8, 0-255, at most `FRAMES`
    left_out : mapping of str, why frames were not taken, to int, how many
    is_done : bool, whether there will be no more
    """

    label: str
    seconds_to_begin: float
    faces: tuple[FaceVector, ...]
    left_out: dict[str, int]
    is_done: bool


class Posing:
    """Takes frames of one expression at a time. May be shared between threads.

    Parameters
    ----------
    clock : callable that gives seconds
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._label = ""
        self._begins_at = math.inf
        self._taken_at = -math.inf
        self._faces: list[FaceVector] = []
        self._left_out: Counter[str] = Counter()

    def begin(self, label: str) -> None:
        """Count down, then take frames; those of another expression that was not done are forgotten.

        Parameters
        ----------
        label : str, what is posed
        """
        with self._lock:
            self._label = label
            self._begins_at = self._clock() + COUNT_DOWN_SECONDS
            self._taken_at = -math.inf
            self._faces, self._left_out = [], Counter()

    def cancel(self) -> None:
        """Take no more frames, and forget those of the expression that is posed."""
        with self._lock:
            self._label = ""
            self._begins_at = math.inf

    def finish(self) -> Pose | None:
        """Hand over what came of an expression that is done, once; None where none is."""
        with self._lock:
            pose = self._pose(self._clock())
            if pose is None or not pose.is_done:
                return None
            self._label = ""
            self._begins_at = math.inf
            return pose

    def offer(self, found: Sequence[tuple[Detection, FaceVector]]) -> None:
        """Take a frame if it is time for one and its face is fit.

        Parameters
        ----------
        found : sequence of (Detection, ndarray of shape (2304,), uint8), largest face first
        """
        now = self._clock()
        with self._lock:
            if now < self._begins_at or self._is_done(now) or now < self._taken_at + _SECONDS_APART:
                return
            face, reason = face_of(found)
            if face is None:
                self._left_out[reason] += 1
            else:
                self._faces.append(face)
                self._taken_at = now

    @property
    def pose(self) -> Pose | None:
        """What has come of an expression so far; None where none is posed."""
        with self._lock:
            return self._pose(self._clock())

    def _pose(self, now: float) -> Pose | None:
        if not self._label:
            return None
        to_begin = max(0.0, self._begins_at - now)
        return Pose(self._label, to_begin, tuple(self._faces), dict(self._left_out), self._is_done(now))

    def _is_done(self, now: float) -> bool:
        return len(self._faces) >= FRAMES or now >= self._begins_at + MOST_SECONDS


class PosingRecognizer(VideoRecognizer):
    """A recogniser for a video in which somebody poses: what it finds is offered as examples, too.

    Parameters
    ----------
    models : Ensemble
    posing : Posing
    """

    def __init__(self, models: Ensemble, posing: Posing) -> None:
        super().__init__(models)
        self._posing = posing

    def find(self, image_bgr: BGRImage | Image.Image, *, whole: bool = False) -> list[tuple[Detection, FaceVector]]:
        """Find the faces of a frame; see `emotion.Recognizer.find`.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
        whole : bool, whether the whole frame is one face

        Returns
        -------
        list of (Detection, ndarray of shape (2304,), uint8), largest face first

        Raises
        ------
        DetectorError
            If the detector's file is missing or is another one.
        """
        found = super().find(image_bgr, whole=whole)
        self._posing.offer(found)
        return found
