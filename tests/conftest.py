"""For all tests: nothing leaves this machine."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


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
