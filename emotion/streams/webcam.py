"""Webcam frames in, annotated frames out; recognition on a thread of its own.

Three threads meet here. The *media* thread of the stream calls `FaceVideo.recv` for each frame, which follows the known
faces (some milliseconds) and draws them; the *worker*, which belongs to the same `FaceVideo`, searches whole frames and
takes the votes; the *page's* thread reads `FaceVideo.snapshot` and sets `FaceVideo.settings`. They share a one-slot
mailbox (media to worker) and what the `FaceWatch` knows of the faces.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Final

import av
import cv2
import numpy as np

from emotion.faces.pixels import BGRImage
from emotion.streams.drawing import Mark, draw_caption, draw_marks, draw_notice
from emotion.streams.passing import Mailbox, Seldom, frame_of, picture_of
from emotion.streams.plates import Steady
from emotion.streams.record import FaceRecord, SessionRecord
from emotion.streams.watch import FaceWatch, RecognizesFaces, Sight, VideoSettings

log = logging.getLogger(__name__)

_FRAMES_TO_A_FOLLOWED_ONE: Final = 2
"""Of thirty frames a second, every other one is enough for a box to stay with its face, at half the cost."""

_FIRST_FRAME_SECONDS: Final = 20.0
"""A connection that was not made by then will not be: the page gives up after half of it."""

_SLOW_SECONDS: Final = 1.5
"""A search and a vote that take longer are worth a word."""

_STALLED_SECONDS: Final = 2.0
"""Where no frame came for longer, the camera, or what is between, has stopped."""

_PLACE_SECONDS: Final = 5.0
"""A session without frames for longer leaves its place to others; of a tab that was closed, nobody tells the server for
half a minute. Should its frames come again, it goes on."""


class State(Enum):
    """What a stream has come to."""

    WAITING = "waiting"
    FACES = "faces"
    NO_FACE = "no face"
    SLOW = "slow"
    STALLED = "stalled"
    FAULT = "fault"
    BUSY = "busy"


NOTICES: Final = {
    State.WAITING: "Looking for faces…",
    State.NO_FACE: "No face",
    State.SLOW: "The vote takes longer than usual…",
    State.STALLED: "No pictures come from the camera any more",
    State.FAULT: "Recognition failed, see the server's log",
    State.BUSY: "All places are taken, try again later",
}
"""What is said where there is no vote to show."""

NOT_A_FEELING: Final = "An expression is not a feeling."
"""What stands on pictures that are kept."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of a stream at one moment.

    Attributes
    ----------
    state : State
    faces : tuple of FaceRecord
        The last votes on the faces that are there, largest face first. One that was not found for a moment does not
        count, unless nobody else does.
    votes : int
        How many votes this stream has had, with or without a face.
    seconds_to_vote, glances : as those of `emotion.streams.watch.Sight`
    why : str, why there may be no face; empty where there is one, or for the first seconds
    """

    state: State
    faces: tuple[FaceRecord, ...]
    votes: int
    seconds_to_vote: float = 0.0
    glances: Mapping[int, FaceRecord] = field(default_factory=dict)
    why: str = ""


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
    searches : int, how many frames the worker has finished with, well or not
    """

    def __init__(
        self, recognizer: RecognizesFaces, uncertain_below: float, settings: VideoSettings | None = None
    ) -> None:
        self.turned_away = False
        self.searches = 0
        self._watch = FaceWatch(recognizer, uncertain_below, settings)
        self._mailbox = Mailbox()
        self._steady = Steady()
        self._last: tuple[BGRImage, list[Mark], datetime] | None = None
        self._worker: threading.Thread | None = None
        self._restarted = False
        self._failed = False
        self._made_at = time.monotonic()
        self._frame_at = -math.inf
        self._busy_since = math.inf
        self._frames = 0
        self._frame_faults = Seldom()
        self._vote_faults = Seldom()

    @property
    def settings(self) -> VideoSettings:
        """May be replaced at any time on any thread."""
        return self._watch.settings

    @settings.setter
    def settings(self, settings: VideoSettings) -> None:
        self._watch.settings = settings

    @property
    def record(self) -> SessionRecord:
        """Grows by a moment a vote."""
        return self._watch.record

    @property
    def session_seconds(self) -> float:
        """Since the first frame, as the record counts: for marks and pauses that are set now."""
        return self._watch.seconds_at(time.monotonic())

    @property
    def ended(self) -> bool:
        """Whether `on_ended` was called."""
        return self._mailbox.closed

    @property
    def needs_place(self) -> bool:
        """Whether it was not ended, and has frames or may still get its first one.

        The end of a stream whose browser is gone, or was never able to connect, is announced late or not at all.
        """
        now = time.monotonic()
        young = not self._frames and now - self._made_at < _FIRST_FRAME_SECONDS
        return not self.ended and (young or now - self._frame_at < _PLACE_SECONDS)

    @property
    def snapshot(self) -> Snapshot:
        """What is known now; may be read on any thread."""
        now = time.monotonic()
        sight = self._watch.sight(now)
        there = [(track, face) for track, face in sight.faces if not track.is_fading(now)] or sight.faces
        faces = tuple(face for _, face in there if face is not None)
        state = self._state_at(now, sight)
        return Snapshot(state, faces, sight.votes, sight.seconds_to_vote, sight.glances, sight.why)

    @property
    def picture_bgr(self) -> BGRImage | None:
        """The last frame, mirrored, with nothing drawn on it: ndarray of shape (height, width, 3), uint8."""
        return None if self._last is None else self._last[0]

    def photograph(self, written: Callable[[datetime], str]) -> BGRImage | None:
        """Give the last frame as the camera saw it, not mirrored, to be kept.

        Parameters
        ----------
        written : callable of the datetime of the frame, in UTC, that says when that was

        Returns
        -------
        ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
            With the faces that are there, and below them that time and `NOT_A_FEELING`; None before the first frame.
        """
        if self._last is None:
            return None
        image_bgr, marked, at = self._last
        width = image_bgr.shape[1]
        turned = [
            replace(mark, box=mark.box._replace(x=width - mark.box.x - mark.box.w))
            for mark in marked
            if not mark.fading
        ]
        seen: BGRImage = np.asarray(cv2.flip(image_bgr, 1), dtype=np.uint8)
        return draw_caption(draw_marks(seen, turned), [written(at), NOT_A_FEELING])

    def recv(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Hand a frame to the worker, follow the known faces and draw them; neither votes, nor waits, nor raises.

        Called on the media thread. An exception here, or ten seconds, would end the stream.

        Parameters
        ----------
        frame : av.VideoFrame

        Returns
        -------
        av.VideoFrame, mirrored, with what is known drawn, larger ones reduced to `emotion.streams.passing.MOST_SIDE`;
        after a fault, `frame` itself
        """
        try:
            # Mirrored before anything is drawn: people expect a mirror of a webcam, and labels are to be legible.
            image_bgr: BGRImage = np.asarray(cv2.flip(picture_of(frame), 1), dtype=np.uint8)
            now = self._frame_at = time.monotonic()
            self._frames += 1
            self._start_worker()
            self._mailbox.put(image_bgr, now)
            if self._frames % _FRAMES_TO_A_FOLLOWED_ONE == 1:
                self._watch.follow(image_bgr, now)
            sight = self._watch.sight(now)
            marked = self._marks(sight, now)
            drawn = frame_of(self._annotated(image_bgr, marked, sight, now), like=frame)
        except Exception:  # whatever it is, it would end the stream; it is logged, and shown as a fault
            if self._frame_faults.due():
                log.exception("a video frame could not be annotated")
            self._failed = True
            return frame
        self._last = image_bgr, marked, datetime.now(UTC)
        return drawn

    def on_ended(self) -> None:
        """End the worker, at the latest after the vote that it is at. May be called more than once, on any thread."""
        self._mailbox.close()

    def _start_worker(self) -> None:
        if self.turned_away or self.ended:
            return
        # With the first frame, not before: of a stream that never had a frame, the end is not announced.
        if self._worker is not None:
            if self._worker.is_alive():
                return
            if self._restarted:
                self._failed = True
                return
            # Something that is no Exception ended it; a second time, it would again.
            log.error("the worker of a webcam session died and is started again")
            self._restarted = True
            self._busy_since = math.inf
        self._worker = threading.Thread(target=self._work, name="emotion-video-worker", daemon=True)
        self._worker.start()

    def _marks(self, sight: Sight, now: float) -> list[Mark]:
        smoothed = self.settings.show_smoothed
        return [
            Mark(track.number, track.box, face.shown(smoothed=smoothed) if face else None, track.is_fading(now))
            for track, face in sight.faces
        ]

    def _annotated(self, image_bgr: BGRImage, marked: list[Mark], sight: Sight, now: float) -> BGRImage:
        state = self._state_at(now, sight)
        drawn = draw_marks(image_bgr, marked, steady=self._steady)
        if state is State.FACES:
            return drawn
        why = f". {sight.why}" if state is State.NO_FACE and sight.why else ""
        return draw_notice(drawn, NOTICES[state] + why)

    def _state_at(self, now: float, sight: Sight) -> State:
        if self.turned_away and self._frames:
            return State.BUSY
        if self._frames and not self.ended and now - self._frame_at > _STALLED_SECONDS:
            return State.STALLED
        if self._failed:
            return State.FAULT
        if now - self._busy_since > _SLOW_SECONDS:
            return State.SLOW
        if not sight.looked:
            return State.WAITING
        return State.FACES if sight.faces else State.NO_FACE

    def _work(self) -> None:
        """Search and take votes until the stream ends; the worker's whole life."""
        pause_seconds = 0.0
        while (mail := self._mailbox.take(pause_seconds)) is not None:
            started = self._busy_since = time.monotonic()
            try:
                if self._watch.look(*mail):
                    self._failed = False  # a search that succeeds says nothing of a vote that failed
            except Exception:  # whatever it is, it would end the worker; it is logged, and shown as a fault
                if self._vote_faults.due():
                    log.exception("the faces of a video frame could not be recognised")
                self._failed = True
            self._busy_since = math.inf
            self.searches += 1
            pause_seconds = self._watch.seconds_to_next_look(started) - (time.monotonic() - started)
