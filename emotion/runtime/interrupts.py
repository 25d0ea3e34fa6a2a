"""Ctrl-C that comes at a moment in which it would do harm."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ctrl_c_held_back() -> Iterator[None]:
    """Keep Ctrl-C back until processes that are being started know what to do about it. Windows cannot."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def ctrl_c_at_the_end() -> Iterator[None]:
    """Act upon Ctrl-C only at the end of the block, whichever thread the system tells of it.

    Python (3.11) takes a thread that is waited for as ended once Ctrl-C interrupts the waiting. Were it the thread that
    lets a pool's processes go, nobody would see to the rest: they would not end, and neither would the program.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C came, and nothing else was to be done about it.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone is interrupted
        yield
        return
    came = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)
