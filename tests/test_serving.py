"""The server as it is started: who reaches it, and who may talk to it."""

import configparser
import http.client
import shlex
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from emotion import config
from tests.browser.live import running, server_process, serving
from tests.loopback import free_port

pytestmark = pytest.mark.slow  # a server is started

FOREIGN = "http://elsewhere.example"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def test_only_this_computer_reaches_the_server(address: str) -> None:
    server = server_process(address)
    connections = [c for process in (server, *server.children(True)) for c in process.net_connections("inet")]
    assert {connection.laddr.ip for connection in connections if connection.status == "LISTEN"} == {"127.0.0.1"}


@pytest.mark.hostile("nothing; the browser is refused")
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_the_page_of_another_site_cannot_upload(address: str, method: str) -> None:
    """A visitor's browser would send what a page elsewhere told it to."""
    request = urllib.request.Request(
        f"{address}/_stcore/upload_file/session/file", b"picture", {"Origin": FOREIGN}, method=method
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=30)


@pytest.mark.hostile("nothing; the browser is refused")
@pytest.mark.parametrize(("origin", "status"), [(FOREIGN, 403), ("", 101)])
def test_the_page_of_another_site_cannot_open_a_session(address: str, origin: str, status: int) -> None:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",  # the example of RFC 6455
        "Origin": origin or address,
    }
    connection.request("GET", "/_stcore/stream", headers=headers)
    assert connection.getresponse().status == status
    connection.close()


def test_the_systemd_unit_starts_a_copy_of_the_page(tmp_path: Path) -> None:
    """With the environment that it states and no other, as systemd would."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.read(config.ROOT / "docs" / "deploy" / "expression-page@.service", encoding="utf-8")
    service = unit["Service"]
    port = free_port()
    folder = service["WorkingDirectory"]
    command = shlex.split(service["ExecStart"].replace("%i", str(port)))
    assert command[0] == f"{folder}/.venv/bin/python", "where make app puts it"
    environment = dict(pair.split("=", 1) for pair in service["Environment"].split())
    with (
        running([sys.executable, *command[1:]], port, tmp_path / "log", environment) as address,
        urllib.request.urlopen(address, timeout=30) as page,
    ):
        assert page.status == 200
    assert "Traceback" not in (tmp_path / "log").read_text()
