"""A server that runs for weeks does not keep what its busiest minute took."""

import sys

import psutil
import pytest

from emotion.ui.memory import give_back


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
