"""For all tests: nothing leaves this machine, and tests that run side by side do not wait for each other's threads."""

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hostile import Collected

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
    config.stash[COLLECTED] = Collected()
    config.pluginmanager.register(config.stash[COLLECTED])


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
