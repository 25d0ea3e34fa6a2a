"""A server that runs for weeks does not keep what its busiest minute took."""

import re
import subprocess
import sys

import psutil
import pytest

from emotion import config
from emotion.page.server import give_back

THREADS = """
import ctypes, threading
from emotion.page.server import limit_heaps
limit_heaps()
libc = ctypes.CDLL(None)
together = threading.Barrier(12)
def allocate():
    together.wait()
    libc.malloc(10_000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_stats()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems' C libraries give back by themselves")
def test_what_was_freed_goes_back_to_the_system() -> None:
    process = psutil.Process()
    give_back()
    before = process.memory_info().rss
    many = [bytes(1000) for _ in range(200_000)]
    held = process.memory_info().rss - before
    kept = many[::100]  # between what is freed, so that only parts of the heap are free
    del many
    give_back()
    assert held > 150e6
    assert process.memory_info().rss - before < held / 3
    assert len(kept) == 2000


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' C libraries have no such heaps")
def test_threads_of_many_sessions_share_two_heaps() -> None:
    """Each heap keeps scattered pieces of its busiest moment; with one for each thread they add up."""
    done = subprocess.run(
        [sys.executable, "-c", THREADS], cwd=config.ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.count("Arena ") == 2


LARGE = """
import ctypes
from emotion.page.server import limit_heaps
limit_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
for _ in range(2):
    picture = libc.malloc(2_000_000)
    libc.free(ctypes.c_void_p(picture))
held = libc.malloc(2_000_000)
libc.malloc_stats()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' C libraries have no such heaps")
def test_large_pictures_never_come_from_the_heaps() -> None:
    """Between what lives longer, what is freed there stays in pieces, and a server that runs for days grows."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE], cwd=config.ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    *heaps, all_together = map(int, re.findall(r"system bytes *= *(\d+)", done.stderr))
    assert all_together - sum(heaps) >= 2_000_000
