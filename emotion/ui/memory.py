"""What the server holds in memory: what visitors leave goes back to the system, and collecting it stays cheap."""

import ctypes
import gc
import sys
import threading
import time
from typing import Final

PAUSE_SECONDS: Final = 60.0

_started = threading.Event()


def set_aside() -> None:
    """Have the garbage collector leave alone what is there by now, libraries and models; tidy up from now on.

    Streamlit has it run after each drawing, each refresh of the webcam's page included; it took 65 ms, and the video
    stood still meanwhile.
    """
    gc.collect()
    gc.freeze()
    if not _started.is_set():
        _started.set()
        threading.Thread(target=_tidy_up, name="emotion-memory", daemon=True).start()


def give_back() -> None:
    """Collect what nobody needs any more, and give its memory back to the system.

    Threads come and go with each session, and glibc keeps what each has freed, in parts that only it uses: without this
    a server with many visitors keeps what its busiest minute took. Other C libraries give back by themselves.
    """
    gc.collect()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _tidy_up() -> None:
    while True:
        time.sleep(PAUSE_SECONDS)
        give_back()
