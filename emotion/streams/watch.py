"""What is known of the faces of a video: who is there, what the models say of each, and why nobody is seen.

Each step takes one picture and its time and waits for nothing, so that a film and a webcam, whose threads share the
steps, come to the same.
"""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from emotion import config
from emotion.faces.crop import FaceVector
from emotion.faces.detect import Box, Detection
from emotion.faces.pixels import BGRImage
from emotion.faces.tracking import MOST_FOLLOWED, FaceTracker, Track
from emotion.streams.films.colours import colours_of, thumbnail
from emotion.streams.films.returning import KnownFaces
from emotion.streams.record import FaceRecord, Moment, SessionRecord
from emotion.vote.recognizer import FaceEmotion
from emotion.vote.voting import VoteSmoother

SECONDS_BETWEEN_SEARCHES: Final = 0.2
"""So long, and what a search takes, until the box of a new face appears."""

_PATIENCE_SECONDS: Final = 3.0
"""After so long without a face, the reason is looked for; and again after as long."""

_GLANCE_SECONDS: Final = 0.5
"""So often, votes or not, the models look at the faces that are there. One face takes them some 10 ms."""

_EARLY_SECONDS: Final = 0.02
"""A vote that is due within half a frame is taken on this one."""


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """What a visitor may choose.

    Attributes
    ----------
    interval_seconds : float, > 0, from one vote to the next
    smoothing_seconds : float, >= 0, the time constant of `VoteSmoother`
    show_smoothed : bool, whether smoothed votes are drawn, or those that the models gave
    """

    interval_seconds: float = config.VOTE_INTERVAL_SECONDS
    smoothing_seconds: float = config.LIVE_SMOOTHING_SECONDS
    show_smoothed: bool = True


class RecognizesFaces(Protocol):
    """What watching a video needs of `emotion.Recognizer`."""

    def find(self, image_bgr: BGRImage) -> list[tuple[Detection, FaceVector]]:
        """Find the faces of a picture."""
        ...

    def find_near(self, image_bgr: BGRImage, box: Box) -> Box | None:
        """Find a face again in the next frame."""
        ...

    def why_no_face(self, image_bgr: BGRImage) -> str:
        """Say why no face was found."""
        ...

    def vote(self, found: Sequence[tuple[Detection, FaceVector]]) -> list[FaceEmotion]:
        """Let the models vote on faces."""
        ...


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known at one moment.

    Attributes
    ----------
    faces : tuple of (Track, FaceRecord or None), largest face first; None where there was no vote on it yet
    looked : bool, whether any picture was searched with success
    votes : int, how many there have been, with or without a face
    seconds_to_vote : float, >= 0, until the next one is due
    glances : mapping of int to FaceRecord, by the number of the face: what a vote on it would have come to when the
        models last looked at it, which they do between votes, too
    why : str, why there may be no face; empty where there is one, or for the first seconds
    """

    faces: tuple[tuple[Track, FaceRecord | None], ...]
    looked: bool
    votes: int
    seconds_to_vote: float
    glances: Mapping[int, FaceRecord]
    why: str


class FaceWatch:
    """Watches the faces of one video.

    `follow` and `look` may run on two threads, each of them always on the same one; `sight` on any. What is known is
    under a lock that nobody holds while models or detector work.

    Parameters
    ----------
    recognizer : RecognizesFaces
    uncertain_below : float, 0-1, for smoothed votes; see `emotion.vote.voting.Calibration`
    settings : VideoSettings

    Attributes
    ----------
    settings : VideoSettings, may be replaced at any time on any thread
    record : SessionRecord, grows by a moment a vote
    """

    def __init__(
        self, recognizer: RecognizesFaces, uncertain_below: float, settings: VideoSettings | None = None
    ) -> None:
        self.settings = settings or VideoSettings()
        self.record = SessionRecord()
        self._recognizer = recognizer
        self._uncertain_below = uncertain_below
        self._lock = threading.Lock()
        self._tracker = FaceTracker()
        self._known = KnownFaces()
        self._smoothers: dict[int, VoteSmoother] = {}
        self._faces: dict[int, FaceRecord] = {}
        self._glances: dict[int, FaceRecord] = {}
        self._looked = False
        self._votes = 0
        self._began_at = math.inf
        self._began_utc = datetime.now(UTC)
        self._tried_at = -math.inf
        self._glanced_at = -math.inf
        self._faceless_since = math.inf
        self._why = ""

    def sight(self, now: float) -> Sight:
        """Say what is known.

        Parameters
        ----------
        now : float, seconds

        Returns
        -------
        Sight
        """
        with self._lock:
            faces = tuple((track, self._faces.get(track.number)) for track in self._tracker.visible(now))
            left = max(0.0, self._tried_at + self.settings.interval_seconds - now) if self._votes else 0.0
            return Sight(faces, self._looked, self._votes, left, self._glances, self._why)

    def seconds_to_next_look(self, now: float) -> float:
        """Tell how long the next search can wait: as long as one does, or until a vote is due, whichever is sooner.

        Parameters
        ----------
        now : float, seconds, when the last one began

        Returns
        -------
        float, seconds, <= `SECONDS_BETWEEN_SEARCHES`
        """
        return min(SECONDS_BETWEEN_SEARCHES, self._tried_at + self.settings.interval_seconds - now)

    def seconds_at(self, now: float) -> float:
        """Give the seconds of a session, as its moments, marks and pauses count them.

        Parameters
        ----------
        now : float, seconds, on the clock of the pictures

        Returns
        -------
        float, >= 0, since the first picture that was searched; 0 before it
        """
        return max(0.0, now - self._began_at)

    def follow(self, image_bgr: BGRImage, at: float) -> None:
        """Look for the known faces where they were.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
        at : float, seconds, of the picture, later than those before

        Raises
        ------
        DetectorError
            If the detector's file is missing or is another one.
        """
        with self._lock:
            tracks = self._tracker.tracks
        if not tracks:
            return
        # Found outside the lock, and taken over under it: a face that was just seen for the first time waits a frame.
        near = {track.box: self._recognizer.find_near(image_bgr, track.box) for track in tracks[:MOST_FOLLOWED]}
        with self._lock:
            self._tracker.follow(near.get, at)

    def look(self, image_bgr: BGRImage, at: float) -> bool:
        """Search a whole picture, and take a vote if it is time for one or a face is there that has none.

        Parameters
        ----------
        image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
        at : float, seconds, of the picture, later than those before

        Returns
        -------
        bool, whether a vote was taken

        Raises
        ------
        DetectorError
            If the detector's file is missing or is another one.
        """
        if math.isinf(self._began_at):
            # The clock of the day is read once: it may be set meanwhile, and votes come later than their pictures.
            self._began_at, self._began_utc = at, datetime.now(UTC)
        found = self._recognizer.find(image_bgr)
        self._look_for_reason(image_bgr, at, is_there=bool(found))
        with self._lock:
            numbers = self._numbers(image_bgr, [face.box for face, _ in found], at)
            unknown = any(number not in self._faces for number in numbers.values())
            self._looked = True
        interval = self.settings.interval_seconds
        late = at - self._tried_at - interval
        if late < -_EARLY_SECONDS and not unknown:
            if at - self._glanced_at >= _GLANCE_SECONDS:
                self._glance(numbers, found, at)
            return False
        # From when it was due, not from when it came: else each vote would be late by what those before it were.
        self._tried_at = at - late if -_EARLY_SECONDS <= late < interval / 2 else at
        self._count(list(numbers.values()), self._recognizer.vote([found[n] for n in numbers]), at)
        for place, number in numbers.items():
            box = found[place][0].box
            self._known.learn(number, colours_of(image_bgr, box), box, thumbnail(image_bgr), at)
        self._glanced_at = at
        return True

    def _numbers(self, image_bgr: BGRImage, boxes: Sequence[Box], at: float) -> dict[int, int]:
        """Number the faces that were found, from place to number; those who come back have the number that they had."""
        before = {track.number for track in self._tracker.tracks}
        numbers = self._tracker.see(boxes, at)
        new = {number: boxes[place] for place, number in numbers.items() if number not in before}
        if not new:
            return numbers
        scene = thumbnail(image_bgr)
        looks = {number: (colours_of(image_bgr, box), box, scene) for number, box in new.items()}
        again = self._known.again(looks, set(numbers.values()))
        self._tracker.rename(again)
        return {place: again.get(number, number) for place, number in numbers.items()}

    def _look_for_reason(self, image_bgr: BGRImage, at: float, *, is_there: bool) -> None:
        """Where there was no face for some seconds, find out why."""
        if is_there:
            self._faceless_since, self._why = math.inf, ""
        elif math.isinf(self._faceless_since):
            self._faceless_since = at
        elif at - self._faceless_since >= _PATIENCE_SECONDS:
            self._why = self._recognizer.why_no_face(image_bgr)
            self._faceless_since = at

    def _glance(self, numbers: Mapping[int, int], found: Sequence[tuple[Detection, FaceVector]], at: float) -> None:
        """Have the models look between votes: what they say counts for the next smoothed vote, and is none itself."""
        places = [place for place, number in numbers.items() if number in self._smoothers]
        faces = self._recognizer.vote([found[place] for place in places]) if places else []
        glances = {}
        for place, face in zip(places, faces, strict=True):
            smoothed = self._smoothers[numbers[place]].add(face.vote, at, self.settings.smoothing_seconds)
            glances[numbers[place]] = FaceRecord(numbers[place], face.vote, smoothed, face.box)
        self._glanced_at = at
        with self._lock:
            self._glances = glances

    def _count(self, numbers: Sequence[int], faces: Sequence[FaceEmotion], at: float) -> None:
        settings, seconds = self.settings, at - self._began_at
        smoothing = settings.smoothing_seconds
        records = []
        for number, face in zip(numbers, faces, strict=True):
            smoother = self._smoothers.setdefault(number, VoteSmoother(self._uncertain_below))
            records.append(FaceRecord(number, face.vote, smoother.add(face.vote, at, smoothing), face.box))
        utc = self._began_utc + timedelta(seconds=seconds)
        self.record.add(Moment(seconds, utc, tuple(records), None, settings.interval_seconds, smoothing))
        with self._lock:
            known = {track.number for track in self._tracker.tracks}
            self._faces = {n: f for n, f in self._faces.items() if n in known} | {f.number: f for f in records}
            self._smoothers = {n: s for n, s in self._smoothers.items() if n in known}
            self._glances = {f.number: f for f in records}
            self._votes += 1
