"""How much this server does at once for all visitors together: beyond that, people are asked to come back."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from weakref import WeakSet

from emotion.errors import FetchError
from emotion.video import FaceVideo

MOST_SESSIONS: Final = 4
"""Webcam sessions at once, unless `EMOTION_SESSIONS` says otherwise: what two cores carry (benchmarks/webcam.py)."""

MOST_FETCHES: Final = 4
"""Addresses fetched at once."""

WAIT_SECONDS: Final = 10.0
"""How long an address waits for its turn."""

REQUEST_SECONDS: Final = 45.0
"""All addresses of one request together."""

_fetching = threading.BoundedSemaphore(MOST_FETCHES)
_videos: WeakSet[FaceVideo] = WeakSet()
_videos_lock = threading.Lock()


def most_sessions() -> int:
    """Give the number of webcam sessions that this server carries at once.

    Returns
    -------
    int, >= 1

    Raises
    ------
    ValueError
        If `EMOTION_SESSIONS` is set and is no such number.
    """
    text = os.environ.get("EMOTION_SESSIONS", str(MOST_SESSIONS))
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"EMOTION_SESSIONS must be a number from 1 on, not {text!r}.")
    return int(text)


def is_full(own: FaceVideo | None = None) -> bool:
    """Tell whether all places for webcam sessions are taken.

    Parameters
    ----------
    own : FaceVideo, optional, a visitor's session, which does not count against that visitor

    Returns
    -------
    bool
    """
    with _videos_lock:
        return _taken(own) >= most_sessions()


def take_place(video: FaceVideo) -> bool:
    """Give a new session a place, until it ends, is forgotten, or has long waited for its first frame.

    Parameters
    ----------
    video : FaceVideo

    Returns
    -------
    bool, False if all places are taken
    """
    with _videos_lock:
        if _taken() >= most_sessions():
            return False
        _videos.add(video)
        return True


def _taken(own: FaceVideo | None = None) -> int:
    return sum(video.needs_place for video in _videos if video is not own)


@contextmanager
def turn_to_fetch(seconds: float) -> Iterator[None]:
    """Wait for a turn to fetch an address.

    Parameters
    ----------
    seconds : float, > 0, to wait at most

    Raises
    ------
    FetchError
        If none came within that time or `WAIT_SECONDS`.
    """
    if not _fetching.acquire(timeout=min(seconds, WAIT_SECONDS)):
        raise FetchError("The server is busy fetching for others: try again in a minute.")
    try:
        yield
    finally:
        _fetching.release()
