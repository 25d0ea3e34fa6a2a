"""Webcam frames in, annotated frames out; recognition on a thread of its own.

Three threads meet here. The *media* thread of the stream calls `FaceVideo.recv` for each frame, which follows the known
faces (some milliseconds) and draws them; the *worker*, which belongs to the same `FaceVideo`, searches whole frames and
takes the votes; the *page's* thread reads `FaceVideo.snapshot` and sets `FaceVideo.settings`. They share a one-slot
mailbox (media to worker) and what is known of the faces, under a lock that nobody holds while models or detector work.
"""

import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final, Protocol

import av
import cv2
import numpy as np

from emotion import config
from emotion.faces.crop import FaceVector
from emotion.faces.decode import BGRImage
from emotion.faces.detect import Box, Detection
from emotion.faces.tracking import MOST_FOLLOWED, FaceTracker
from emotion.streams.drawing import Mark, draw_marks, draw_notice, vote_text
from emotion.streams.passing import Mailbox, Seldom, frame_of, picture_of
from emotion.streams.record import FaceRecord, Moment, SessionRecord
from emotion.vote.voting import Vote, VoteSmoother

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_SEARCHES: Final = 0.2
"""So long, and what a search takes, until the box of a new face appears."""

_FRAMES_TO_A_FOLLOWED_ONE: Final = 2
"""Of thirty frames a second, every other one is enough for a box to stay with its face, at half the cost."""
_PATIENCE_SECONDS: Final = 3.0
"""After so long without a face, the reason is looked for; and again after as long."""

_FIRST_FRAME_SECONDS: Final = 20.0
"""A connection that was not made by then will not be: the page gives up after half of it."""

_SLOW_SECONDS: Final = 1.5
"""A search and a vote that take longer are worth a word."""


class State(Enum):
    """What a stream has come to."""

    WAITING = "waiting"
    FACES = "faces"
    NO_FACE = "no face"
    SLOW = "slow"
    FAULT = "fault"
    BUSY = "busy"


NOTICES: Final = {
    State.WAITING: "Looking for faces…",
    State.NO_FACE: "No face",
    State.SLOW: "The vote takes longer than usual…",
    State.FAULT: "Recognition failed, see the server's log",
    State.BUSY: "All places are taken, try again later",
}
"""What is said where there is no vote to show."""


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """What a visitor may choose.

    Attributes
    ----------
    interval_seconds : float, > 0, from the beginning of one vote to that of the next
    smoothing_seconds : float, >= 0, the time constant of `VoteSmoother`
    show_smoothed : bool, whether smoothed votes are drawn, or those that the models gave
    """

    interval_seconds: float = config.VOTE_INTERVAL_SECONDS
    smoothing_seconds: float = config.SMOOTHING_SECONDS
    show_smoothed: bool = True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of a stream at one moment.

    Attributes
    ----------
    state : State
    faces : tuple of FaceRecord, the last votes on the faces that are there, largest face first
    votes : int
        How many votes this stream has had, with or without a face.
    seconds_ago : float, >= 0, since the last vote; 0 before the first
    why : str, why there may be no face; empty where there is one, or for the first seconds
    """

    state: State
    faces: tuple[FaceRecord, ...]
    votes: int
    seconds_ago: float
    why: str = ""


class RecognizesFaces(Protocol):
    """What a stream needs of `emotion.Recognizer`."""

    def find(self, image_bgr: BGRImage) -> list[tuple[Detection, FaceVector]]:
        """Find the faces of a picture."""
        ...

    def find_near(self, image_bgr: BGRImage, box: Box) -> Box | None:
        """Find a face again in the next frame."""
        ...

    def why_no_face(self, image_bgr: BGRImage) -> str:
        """Say why no face was found."""
        ...

    def vote(self, vectors: Sequence[FaceVector]) -> list[Vote]:
        """Let the models vote on faces."""
        ...


class FaceVideo:
    """Annotates one video stream; a video processor as streamlit-webrtc expects it.

    Parameters
    ----------
    recognizer : RecognizesFaces
        `find_near` is only called on the media thread, all else on the worker.
    uncertain_below : float, 0-1, for smoothed votes; see `emotion.vote.voting.Calibration`
    settings : VideoSettings

    Attributes
    ----------
    turned_away : bool, False; set before the first frame, for a session that the server has no place for
    settings : VideoSettings, may be replaced at any time on any thread
    record : SessionRecord, grows by a moment a vote
    searches : int, how many frames the worker has finished with, well or not
    picture_bgr : ndarray of shape (height, width, 3), uint8, the last annotated frame; None before the first
    """

    def __init__(
        self, recognizer: RecognizesFaces, uncertain_below: float, settings: VideoSettings | None = None
    ) -> None:
        self.settings = settings or VideoSettings()
        self.record = SessionRecord()
        self.picture_bgr: BGRImage | None = None
        self._recognizer = recognizer
        self._uncertain_below = uncertain_below
        self._mailbox = Mailbox()
        self._worker: threading.Thread | None = None
        self._restarted = False
        self.turned_away = False
        self._lock = threading.Lock()
        self._tracker = FaceTracker()
        self._smoothers: dict[int, VoteSmoother] = {}
        self._faces: dict[int, FaceRecord] = {}
        self._state = State.WAITING
        self._votes = 0
        self._made_at = time.monotonic()
        self._started_at: float | None = None
        self._voted_at = -math.inf
        self._tried_at = -math.inf
        self._busy_since = math.inf
        self._frames = 0
        self._faceless_since = math.inf
        self._why = ""
        self.searches = 0
        self._frame_faults = Seldom()
        self._vote_faults = Seldom()

    @property
    def ended(self) -> bool:
        """Whether `on_ended` was called."""
        return self._mailbox.closed

    @property
    def needs_place(self) -> bool:
        """Whether it has had frames and was not ended, or may still get its first one.

        Of a stream that never had a frame, the end is not announced: its browser may have been unable to connect.
        """
        young = time.monotonic() - self._made_at < _FIRST_FRAME_SECONDS
        return not self.ended and (young or self._started_at is not None)

    @property
    def snapshot(self) -> Snapshot:
        """What is known now; may be read on any thread."""
        now = time.monotonic()
        with self._lock:
            numbers = [track.number for track in self._tracker.visible(now)]
            faces = tuple(self._faces[number] for number in numbers if number in self._faces)
            seconds_ago = now - self._voted_at if self._votes else 0.0
            return Snapshot(self._state_at(now), faces, self._votes, seconds_ago, self._why)

    def recv(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Hand a frame to the worker, follow the known faces and draw them; neither votes, nor waits, nor raises.

        Called on the media thread. An exception here, or ten seconds, would end the stream.

        Parameters
        ----------
        frame : av.VideoFrame

        Returns
        -------
        av.VideoFrame, mirrored, with what is known drawn; after a fault, `frame` itself
        """
        try:
            # Mirrored before anything is drawn: people expect a mirror of a webcam, and labels are to be legible.
            image_bgr: BGRImage = np.asarray(cv2.flip(picture_of(frame), 1), dtype=np.uint8)
            now = time.monotonic()
            self._start_worker(now)
            self._mailbox.put(image_bgr, now)
            self._frames += 1
            if self._frames % _FRAMES_TO_A_FOLLOWED_ONE == 1:
                self._follow(image_bgr, now)
            annotated = self._annotated(image_bgr, now)
            drawn = frame_of(annotated, like=frame)
        except Exception:  # whatever it is, it would end the stream; it is logged, and shown as a fault
            if self._frame_faults.due():
                log.exception("a video frame could not be annotated")
            self._state = State.FAULT
            return frame
        self.picture_bgr = annotated
        return drawn

    def on_ended(self) -> None:
        """End the worker, at the latest after the vote that it is at. May be called more than once, on any thread."""
        self._mailbox.close()

    def _start_worker(self, now: float) -> None:
        if self.turned_away:
            self._state = State.BUSY
            return
        # With the first frame, not before: of a stream that never had a frame, the end is not announced.
        if self._worker is None:
            self._started_at = now
        elif self._worker.is_alive() or self.ended:
            return
        elif self._restarted:
            self._state = State.FAULT
            return
        else:  # something that is no Exception ended it; a second time, it would again
            log.error("the worker of a webcam session died and is started again")
            self._restarted = True
            self._busy_since = math.inf
        worker = threading.Thread(target=self._work, name="emotion-video-worker", daemon=True)
        worker.start()
        self._worker = worker

    def _follow(self, image_bgr: BGRImage, now: float) -> None:
        with self._lock:
            tracks = self._tracker.tracks
        if not tracks:
            return
        # Found outside the lock, and taken over under it: a face that the worker has just seen waits for a frame.
        near = {track.box: self._recognizer.find_near(image_bgr, track.box) for track in tracks[:MOST_FOLLOWED]}
        with self._lock:
            self._tracker.follow(near.get, now)

    def _annotated(self, image_bgr: BGRImage, now: float) -> BGRImage:
        settings = self.settings
        with self._lock:
            state = self._state_at(now)
            marked = [
                Mark(track.number, track.box, vote_text(face.shown(smoothed=settings.show_smoothed)) if face else "…")
                for track in self._tracker.visible(now)
                for face in [self._faces.get(track.number)]
            ]
        drawn = draw_marks(image_bgr, marked)
        if state is State.FACES:
            return drawn
        return draw_notice(
            drawn, f"{NOTICES[state]}. {self._why}" if state is State.NO_FACE and self._why else NOTICES[state]
        )

    def _state_at(self, now: float) -> State:
        if self._state is not State.FAULT and now - self._busy_since > _SLOW_SECONDS:
            return State.SLOW
        if self._state in (State.FACES, State.NO_FACE):
            # Between two searches, a face may have left.
            return State.FACES if self._tracker.visible(now) else State.NO_FACE
        return self._state

    def _work(self) -> None:
        """Search and take votes until the stream ends; the worker's whole life."""
        pause_seconds = 0.0
        while (mail := self._mailbox.take(pause_seconds)) is not None:
            started = self._busy_since = time.monotonic()
            try:
                self._look(*mail)
            except Exception:  # whatever it is, it would end the worker; it is logged, and shown as a fault
                if self._vote_faults.due():
                    log.exception("the faces of a video frame could not be recognised")
                self._state = State.FAULT
            self._busy_since = math.inf
            self.searches += 1
            between = min(_SECONDS_BETWEEN_SEARCHES, self.settings.interval_seconds)
            pause_seconds = between - (time.monotonic() - started)

    def _look(self, image_bgr: BGRImage, taken_at: float) -> None:
        """Search a frame, and take a vote if it is time for one or a face is there that has none."""
        found = self._recognizer.find(image_bgr)
        self._look_for_reason(image_bgr, taken_at, is_there=bool(found))
        with self._lock:
            numbers = self._tracker.see([face.box for face, _ in found], taken_at)
            unknown = any(number not in self._faces for number in numbers)
        # A hair early rather than a whole search late.
        due = taken_at - self._tried_at >= self.settings.interval_seconds - 0.05
        if due or unknown:
            self._tried_at = taken_at
            self._count(numbers, self._recognizer.vote([vector for _, vector in found]), taken_at)
        elif self._state is State.FAULT:  # a search that succeeds says nothing of the vote that failed
            return
        self._state = State.FACES

    def _look_for_reason(self, image_bgr: BGRImage, taken_at: float, *, is_there: bool) -> None:
        """Where there was no face for some seconds, find out why."""
        if is_there:
            self._faceless_since, self._why = math.inf, ""
        elif math.isinf(self._faceless_since):
            self._faceless_since = taken_at
        elif taken_at - self._faceless_since >= _PATIENCE_SECONDS:
            self._why = self._recognizer.why_no_face(image_bgr)
            self._faceless_since = taken_at

    def _count(self, numbers: Sequence[int], votes: Sequence[Vote], taken_at: float) -> None:
        settings = self.settings
        records = []
        for number, vote in zip(numbers, votes, strict=True):
            smoother = self._smoothers.setdefault(number, VoteSmoother(self._uncertain_below))
            records.append(FaceRecord(number, vote, smoother.add(vote, taken_at, settings.smoothing_seconds)))
        seconds = taken_at - (self._started_at or taken_at)
        self.record.add(Moment(seconds, datetime.now(UTC), tuple(records)))
        with self._lock:
            known = {track.number for track in self._tracker.tracks}
            self._faces = {n: f for n, f in self._faces.items() if n in known} | {f.number: f for f in records}
            self._smoothers = {n: s for n, s in self._smoothers.items() if n in known}
            self._votes += 1
            self._voted_at = taken_at
