"""Webcam frames in, annotated frames out; recognition on a thread of its own.

Three threads meet here. The *media* thread of the stream calls `FaceVideo.recv` for each frame; the *worker*, which
belongs to the same `FaceVideo`, recognises; the *page's* thread reads `FaceVideo.snapshot`. They share a one-slot
mailbox (media to worker) and one immutable snapshot (worker to the others), so that none waits for another.
"""

import logging
import math
import threading
import time
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

import av
import numpy as np

from emotion import config
from emotion.drawing import draw_faces, draw_notice
from emotion.faces import BGRImage
from emotion.recognizer import FaceEmotion

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_REPORTS: Final = 60.0


class State(Enum):
    """What a stream has come to."""

    WAITING = "waiting"
    FACES = "faces"
    NO_FACE = "no face"
    FAULT = "fault"


NOTICES: Final = {
    State.WAITING: "Looking for faces…",
    State.NO_FACE: "No face",
    State.FAULT: "Recognition failed, see the server's log",
}
"""What is said where there is no vote to show."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The last result of a stream.

    Attributes
    ----------
    state : State
    faces : tuple of FaceEmotion, largest face first; empty unless the state is `State.FACES`
    votes : int
        How many pictures of this stream have been recognised, with or without a face.
    taken_at : float, seconds, of `time.monotonic`
    """

    state: State
    faces: tuple[FaceEmotion, ...]
    votes: int
    taken_at: float


class RecognizesFaces(Protocol):
    """What a stream needs of `emotion.Recognizer`."""

    def recognize(self, image_bgr: BGRImage) -> list[FaceEmotion]:
        """Find the faces of a picture, each with its vote."""
        ...


class FaceVideo:
    """Annotates one video stream; a video processor as streamlit-webrtc expects it.

    Parameters
    ----------
    recognizer : RecognizesFaces
        Only called on the worker.
    interval_seconds : float
        From the beginning of one vote to that of the next; the first is taken of the first frame.
    """

    def __init__(self, recognizer: RecognizesFaces, interval_seconds: float = config.VOTE_INTERVAL_SECONDS) -> None:
        self._recognizer = recognizer
        self._interval_seconds = interval_seconds
        self._mailbox = _Mailbox()
        self._worker: threading.Thread | None = None
        self._snapshot = Snapshot(State.WAITING, (), 0, time.monotonic())
        self._frame_faults = _Seldom()
        self._vote_faults = _Seldom()

    @property
    def snapshot(self) -> Snapshot:
        """The last result; may be read on any thread."""
        return self._snapshot

    def recv(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Hand a frame to the worker and draw what is known; neither infers, nor waits, nor raises.

        Called on the media thread. An exception here, or ten seconds, would end the stream.

        Parameters
        ----------
        frame : av.VideoFrame

        Returns
        -------
        av.VideoFrame, with the last result drawn; after a fault, `frame` itself
        """
        try:
            image_bgr: BGRImage = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
            self._start_worker()
            self._mailbox.put(image_bgr)
            return av.VideoFrame.from_ndarray(_annotated(image_bgr, self._snapshot), format="bgr24")
        except Exception:  # whatever it is, it would end the stream; it is logged, and shown as a fault
            if self._frame_faults.due():
                log.exception("a video frame could not be annotated")
            self._snapshot = self._fault()
            return frame

    def on_ended(self) -> None:
        """End the worker, at the latest after the vote that it is at. May be called more than once, on any thread."""
        self._mailbox.close()

    def _start_worker(self) -> None:
        # With the first frame, not before: of a stream that never had a frame, the end is not announced.
        if self._worker is None:
            worker = threading.Thread(target=self._work, name="emotion-video-worker", daemon=True)
            worker.start()
            self._worker = worker

    def _work(self) -> None:
        """Take votes until the stream ends; the worker's whole life."""
        pause_seconds = 0.0
        while (image_bgr := self._mailbox.take(pause_seconds)) is not None:
            started = time.monotonic()
            self._snapshot = self._recognized(image_bgr)
            pause_seconds = self._interval_seconds - (time.monotonic() - started)

    def _recognized(self, image_bgr: BGRImage) -> Snapshot:
        try:
            faces = tuple(self._recognizer.recognize(image_bgr))
        except Exception:  # whatever it is, it would end the worker; it is logged, and shown as a fault
            if self._vote_faults.due():
                log.exception("the faces of a video frame could not be recognised")
            return self._fault()
        return Snapshot(
            State.FACES if faces else State.NO_FACE, faces, self._snapshot.votes + 1, taken_at=time.monotonic()
        )

    def _fault(self) -> Snapshot:
        return Snapshot(State.FAULT, (), self._snapshot.votes, time.monotonic())


def _annotated(image_bgr: BGRImage, snapshot: Snapshot) -> BGRImage:
    if snapshot.state is State.FACES:
        return draw_faces(image_bgr, snapshot.faces)
    return draw_notice(image_bgr, NOTICES[snapshot.state])


class _Mailbox:
    """Holds one picture, the newest, until it is taken or the box is closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: BGRImage | None = None
        self._closed = False

    def put(self, image_bgr: BGRImage) -> None:
        """Lay a picture in, in place of the one that may lie there."""
        with self._changed:
            self._newest = image_bgr
            self._changed.notify()

    def take(self, pause_seconds: float) -> BGRImage | None:
        """Let the pause pass, then wait for a picture; None as soon as the box is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, pause_seconds)
            self._changed.wait_for(lambda: self._closed or self._newest is not None)
            taken, self._newest = self._newest, None
            return None if self._closed else taken

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify()


class _Seldom:
    """Says whether it is time for another report of a fault that may come thirty times a second."""

    def __init__(self) -> None:
        self._next_at = -math.inf

    def due(self) -> bool:
        """Whether a minute has passed since this was last true."""
        now = time.monotonic()
        if now < self._next_at:
            return False
        self._next_at = now + _SECONDS_BETWEEN_REPORTS
        return True
