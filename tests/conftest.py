"""For all tests: nothing leaves this machine, and tests that run side by side do not wait for each other's threads."""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from emotion.errors import EmotionError
from tests import refusals
from tests.hostile import Collected
from tests.refusals import RECORD

if "PYTEST_XDIST_WORKER" in os.environ:
    # A test has a core: libraries that spread a second of work over all cores would wait for their turns on them.
    os.environ |= {"OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.environ["OPENCV_FOR_THREADS_NUM"] = "1"


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: browsers, servers and clusters are often waited for."""
    return (os.cpu_count() or 1) + 1


COLLECTED = pytest.StashKey[Collected]()


def pytest_configure(config: pytest.Config) -> None:
    """Remember all tests that are found: tests/README.md lists some of them."""
    refusals.places()  # now, since where an error is made there may be no room to read sources
    config.stash[COLLECTED] = Collected()
    config.pluginmanager.register(config.stash[COLLECTED])


@pytest.fixture(autouse=True)
def refusals_as_listed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Notice which refusals a test provokes: those that docs/refusals.md promises of it, too."""
    said: dict[str, str] = {}

    def noticed(error: EmotionError, *arguments: object) -> None:
        Exception.__init__(error, *arguments)
        if (place := refusals.place_of(sys._getframe(1))) is not None:
            said.setdefault(place, str(error))

    monkeypatch.setattr(EmotionError, "__init__", noticed)
    yield
    if not getattr(request.function, "is_hypothesis_test", False):  # what those provoke is another thing each time
        refusals.note(request.node.nodeid, said)
    if RECORD not in os.environ:
        assert refusals.promised().get(request.node.nodeid, set()) <= said.keys()


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse, and fail the test, where a connection to anything but loopback is begun in this process."""
    outside: list[Any] = []
    connect = socket.socket.connect

    def guarded(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM:
            host = address[0]
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                outside.append(address)
                raise ConnectionRefusedError(f"a test may not connect to {host}")
        connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield
    assert outside == []
