"""What passes between the threads of a video: frames as pictures, the newest one, and now and then a report."""

import math
import threading
import time
from typing import Final

import av
import cv2
import numpy as np

from emotion.faces.pixels import BGRImage

_SECONDS_BETWEEN_REPORTS: Final = 60.0


MOST_SIDE: Final = 960
"""Pixels. A width of 640 is asked for; what browsers send beyond this, on the longer side, costs and gains nothing."""


def picture_of(frame: av.VideoFrame) -> BGRImage:
    """Turn a frame of a video into a picture, reduced to `MOST_SIDE` where it is larger.

    Parameters
    ----------
    frame : av.VideoFrame

    Returns
    -------
    ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    """
    scale = MOST_SIDE / max(frame.width, frame.height)
    if scale < 1.0:  # to even sides, as browsers want them back
        width, height = (max(2, 2 * round(side * scale / 2)) for side in (frame.width, frame.height))
        frame = frame.reformat(width, height, threads=1)
    if _is_planar(frame):  # as browsers send them; OpenCV takes a quarter of PyAV's time
        return np.asarray(cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)
    return np.asarray(frame.to_ndarray(format="bgr24", threads=1), dtype=np.uint8)


def frame_of(image_bgr: BGRImage, *, like: av.VideoFrame) -> av.VideoFrame:
    """Turn a picture into a frame of a video.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    like : av.VideoFrame, the kind of frame that is wanted

    Returns
    -------
    av.VideoFrame, without a time
    """
    if like.format.name == "yuv420p" and image_bgr.shape[0] % 2 == 0 and image_bgr.shape[1] % 2 == 0:
        planes = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2YUV_I420), dtype=np.uint8)
        return av.VideoFrame.from_ndarray(planes, format="yuv420p")
    return av.VideoFrame.from_ndarray(image_bgr, format="bgr24")


def _is_planar(frame: av.VideoFrame) -> bool:
    return bool(frame.format.name == "yuv420p" and frame.width % 2 == 0 and frame.height % 2 == 0)


class Mailbox:
    """Holds one picture and its time, the newest, until it is taken or the box is closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: tuple[BGRImage, float] | None = None
        self.closed = False

    def put(self, image_bgr: BGRImage, taken_at: float) -> None:
        """Lay a picture in, in place of the one that may lie there."""
        with self._changed:
            self._newest = image_bgr, taken_at
            self._changed.notify()

    def take(self, pause_seconds: float) -> tuple[BGRImage, float] | None:
        """Let the pause pass, then wait for a picture; None as soon as the box is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed, pause_seconds)
            self._changed.wait_for(lambda: self.closed or self._newest is not None)
            taken, self._newest = self._newest, None
            return None if self.closed else taken

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self.closed = True
            self._changed.notify()


class Seldom:
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
