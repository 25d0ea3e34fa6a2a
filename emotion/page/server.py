"""What one server carries for all visitors together: how much at once, and what it keeps in memory.

Beyond its places, people are asked to come back. What visitors leave goes back to the system, and collecting it stays
cheap.
"""

import ctypes
import gc
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol
from weakref import WeakSet

import cv2

from emotion.errors import FetchError

MOST_SESSIONS: Final = 4
"""Webcam sessions and films at once, unless `EMOTION_SESSIONS` says otherwise: so many webcams two cores carry
(benchmarks/webcam.py)."""

MOST_FETCHES: Final = 4
"""Addresses fetched at once."""

WAIT_SECONDS: Final = 10.0
"""How long an address waits for its turn."""

REQUEST_SECONDS: Final = 45.0
"""All addresses of one request together."""

PAUSE_SECONDS: Final = 60.0
"""From one tidying up of the memory to the next."""

_HEAPS: Final = 2
_LARGE_BYTES: Final = 2**20
"""A webcam's frame of 640x480 is smaller. With a limit of 128 KiB, at which each frame's memory comes anew from the
system, four sessions had a fifth fewer frames a second."""
_M_ARENA_MAX: Final = -8  # of glibc's malloc.h
_M_MMAP_THRESHOLD: Final = -3  # of the same
_tidying = threading.Event()

_fetching = threading.BoundedSemaphore(MOST_FETCHES)


class NeedsPlace(Protocol):
    """A webcam session, or a film that is looked at."""

    @property
    def needs_place(self) -> bool:
        """Whether it is at work."""
        ...


_videos: WeakSet[NeedsPlace] = WeakSet()
_videos_lock = threading.Lock()


def most_sessions() -> int:
    """Give the number of webcam sessions and films that this server carries at once.

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


def is_full(*own: NeedsPlace | None) -> bool:
    """Tell whether all places for webcam sessions and films are taken.

    Parameters
    ----------
    *own : NeedsPlace, optional, a visitor's sessions, which do not count against that visitor

    Returns
    -------
    bool
    """
    with _videos_lock:
        return _taken(*own) >= most_sessions()


def take_place(video: NeedsPlace) -> bool:
    """Give a new session or film a place, until it ends, is forgotten, or has long waited for its first frame.

    Parameters
    ----------
    video : NeedsPlace

    Returns
    -------
    bool, False if all places are taken
    """
    with _videos_lock:
        if _taken() >= most_sessions():
            return False
        _videos.add(video)
        return True


def _taken(*own: NeedsPlace | None) -> int:
    return sum(video.needs_place for video in _videos if video not in own)


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


def limit_heaps() -> None:
    """Have all threads share two heaps, and keep what is large out of them; to be called before there are many threads.

    Threads come and go with each session. By default glibc gives them up to eight heaps a processor, and each keeps
    scattered pieces of what its busiest moment took, which nothing gives back: twenty sessions left 70 MB so, and with
    two heaps 1 MB. What is large, pictures above all, comes from the system and goes back there; but by default, once
    one is freed, others of up to its size come from the heaps (mallopt(3), M_MMAP_THRESHOLD), and small things that
    live longer settle between: half an hour of sessions left 60 MB so, and 2 MB with a fixed limit. Other C libraries
    have no such heaps.
    """
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_ARENA_MAX, _HEAPS)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def share_cores() -> None:
    """Have OpenCV compute each picture on one core: visitors share them.

    On several, a face in a webcam's frame is hardly found sooner, and a large picture of one visitor would take the
    cores from the videos of others.
    """
    cv2.setNumThreads(1)


def set_aside() -> None:
    """Have the garbage collector leave alone what is there by now, libraries and models; tidy up from now on. Only what
    is there the first time: models that are loaded later are few objects.

    Streamlit has it run after each drawing, each refresh of the webcam's page included; it took 65 ms, and the video
    stood still meanwhile.
    """
    if not gc.get_freeze_count():  # later there are sessions, which would stay when they have ended
        gc.collect()
        gc.freeze()
    if not _tidying.is_set():
        _tidying.set()
        threading.Thread(target=_tidy_up, name="emotion-memory", daemon=True).start()


def give_back() -> None:
    """Collect what nobody needs any more, and give its memory back to the system.

    glibc keeps what was freed: without this a server with many visitors keeps what its busiest minute took. Other C
    libraries give back by themselves.
    """
    gc.collect()
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "malloc_trim") else None


def _tidy_up() -> None:
    while True:
        time.sleep(PAUSE_SECONDS)
        give_back()
