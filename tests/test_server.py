"""The server as it is started: who reaches it, and who may talk to it."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.browser.live import server_process, serving

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
