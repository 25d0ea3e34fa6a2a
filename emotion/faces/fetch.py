"""A public http(s) address -> what it leads to, with limits and no way into private networks.

Whoever opens the page decides what this machine connects to, so each address is looked up once, everything it
resolves to must be public, and the connection goes to what was checked; `microsoft-antissrf` does that for each hop.
This module adds the rules for addresses and redirects, and the limits of time and size.

The one switch, for tests: with the environment variable `EMOTION_TEST_ALLOW_LOOPBACK=1`, loopback addresses
(127.0.0.0/8 and ::1) are allowed too, and nothing else private. Nothing that a user of the page sends can set it.
"""

import http.client
import io
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, BinaryIO, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
from AntiSSRF import AntiSSRFError
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from emotion.errors import FetchError, StatusError
from emotion.faces.web.public import public_only

LOOPBACK_SWITCH: Final = "EMOTION_TEST_ALLOW_LOOPBACK"

CONNECT_SECONDS = 5.0
FETCH_SECONDS = 15.0
"""Everything together, the look-up of a name included."""

MAX_BYTES = 40_000_000
"""The body, after decompression."""

MAX_HEADER_BYTES = 2_000_000
"""All headers of one answer; http.client takes at most a hundred, of 64 KB each."""

MAX_REDIRECTS: Final = 3

MAX_ADDRESS_CHARS: Final = 8_000
"""What RFC 9110 (4.1) asks servers to take at least."""

HEADERS: Final = {
    "User-Agent": "emotion-recognition (image fetch)",  # some hosts, Wikimedia's for one, refuse requests' default
    "Accept": "image/*,*/*;q=0.5",
    "Accept-Encoding": "identity",  # pictures are compressed already
}

_CHUNK_BYTES: Final = 65_536

_MOST_NAME_CHARS: Final = 255
"""Of a host (RFC 1035, 2.3.4)."""

_places: Final = threading.BoundedSemaphore(32)
"""Nothing can break off the look-up of a name. One that hangs is left behind, in a thread that nobody waits for, and
keeps its place here until it ends."""


class Limits(NamedTuple):
    """What is asked for, as in "film"; the most seconds, everything together, and bytes, after decompression."""

    what: str
    seconds: float
    most_bytes: int


def _pictures() -> Limits:
    return Limits("picture", FETCH_SECONDS, MAX_BYTES)


class Answer(NamedTuple):
    """What a server gave: its body, decompressed; where redirects ended; that header, which may be empty or wrong."""

    body: bytes
    url: str
    content_type: str


def fetch(
    address: str, seconds: float = FETCH_SECONDS, limits: Limits | None = None, into: BinaryIO | None = None
) -> Answer:
    """Fetch what a public address leads to.

    Parameters
    ----------
    address : str, an http or https address without user name, on port 80, 443 or one above 1023
    seconds : float, > 0, after which it is given up; at most those of `limits`
    limits : Limits; by default those of a picture, `FETCH_SECONDS` and `MAX_BYTES`
    into : binary file, optional, that takes the body in place of the answer; once it is closed, fetching ends

    Returns
    -------
    Answer, with a body of 1 byte to `limits.most_bytes`; whether it is a picture is not looked at

    Raises
    ------
    FetchError
        If the address is refused or leads to one that is (a private network, four redirects, https to http), if
        the server does not answer with status 200 and a body within the limits of time and size, or if too many
        look-ups hang.
    """
    limits = limits or _pictures()
    end = time.monotonic() + min(seconds, limits.seconds)
    if not _places.acquire(blocking=False):
        raise FetchError("Too many addresses wait for an answer: try again in a minute.")
    fetching: Future[Answer] = Future()
    asked = partial(_fetch, address, _Deadline(end), limits, into)
    thread = threading.Thread(target=_settle, args=(fetching, asked), name="fetch", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system gives no more threads
        _places.release()
        raise
    try:
        return fetching.result(end - time.monotonic())
    except TimeoutError as error:
        raise _too_slow() from error


def _settle(fetching: "Future[Answer]", asked: Callable[[], Answer]) -> None:
    try:
        fetching.set_result(asked())
    except BaseException as error:  # noqa: BLE001  # it is raised where the result is asked for
        fetching.set_exception(error)
    finally:
        _places.release()


def _fetch(address: str, deadline: "_Deadline", limits: Limits, into: BinaryIO | None) -> Answer:
    url = ""
    with _guarded_session() as session:
        for _ in range(MAX_REDIRECTS + 1):
            request = prepare(address, base=url)
            url = str(request.url)
            # The adapter, not the session, sends: a session would add what the environment says (proxies, .netrc),
            # and it reads the body of a redirect whole, however large it is when decompressed. It takes urllib3's
            # Timeout, though its types do not say so.
            with (
                _errors_as_sentences(url, limits),
                session.get_adapter(url).send(request, stream=True, timeout=deadline) as response,  # type: ignore[arg-type]
            ):
                if not response.is_redirect:
                    body = _body(response, limits, into)
                    return Answer(body, url, response.headers.get("Content-Type", ""))
                # http.client takes header bytes for Latin-1; servers mean UTF-8.
                address = response.headers["Location"].encode("latin-1").decode("utf-8", "replace")
    raise FetchError(f"The address redirects more than {MAX_REDIRECTS} times: use the one where it ends.")


def prepare(address: str, base: str = "") -> requests.PreparedRequest:
    """Turn an address, or what the one in `base` leads to, into a request, and refuse what is wrong before any look-up.

    Raises
    ------
    FetchError
    """
    if len(address) > MAX_ADDRESS_CHARS:
        raise FetchError(f"The address is longer than {MAX_ADDRESS_CHARS} characters: use a shorter one.")
    address = address.strip()
    if not address.isprintable():  # requests would drop some characters and take others for part of a name
        raise FetchError("The address holds invisible characters: type it anew.")
    try:
        request = requests.Request("GET", urljoin(base, address), headers=HEADERS).prepare()
        if len(urlsplit(str(request.url)).hostname or "") > _MOST_NAME_CHARS:
            raise ValueError("no name is so long")
        # A name may end in a dot; certificates are for names without it.
        request.prepare_url(re.sub(r"^(https?://[^/]*[^/.])\.+(?=(:\d+)?/)", r"\1", str(request.url)), None)
        # All judgement is on what requests made of the address, since this is what is connected to.
        parts = urlsplit(request.url)
        port = parts.port
    except ValueError as error:  # requests' own InvalidURL and MissingSchema among them
        raise FetchError("This is not a complete web address: use one like https://example.org/picture.jpg.") from error
    if parts.scheme not in ("http", "https"):
        raise FetchError("Only web addresses are fetched: use one that starts with http:// or https://.")
    if "@" in parts.netloc:
        raise FetchError("The address holds a user name or password, which are never sent: use one without.")
    if port is not None and port not in (80, 443) and port < 1024:
        raise FetchError(f"Port {port} is not one for pictures: use an address without it.")
    if parts.scheme == "http" and base.startswith("https:"):
        raise FetchError("The address redirects from https to http, which is not safe: use another address.")
    return request


def _body(response: requests.Response, limits: Limits, into: BinaryIO | None) -> bytes:
    if response.status_code != 200:
        raise StatusError(response.status_code, response.headers.get("Retry-After", ""), limits.what)
    if (response.raw.length_remaining or 0) > limits.most_bytes:  # as announced; None where nothing is
        raise _too_large(limits)
    response.raw._original_response.allow_body(limits)
    kept = io.BytesIO()
    body = into or kept
    count = 0
    try:
        for chunk in response.iter_content(_CHUNK_BYTES):
            count += len(chunk)
            if count > limits.most_bytes:
                raise _too_large(limits)
            body.write(chunk)
    except (ValueError, OverflowError) as error:  # urllib3 believes a server that announces a chunk of negative size
        raise FetchError("The server sends something garbled: use another address.") from error
    if not count:
        raise FetchError("The server sent an empty file: check the address.")
    return kept.getvalue()


@contextmanager
def _errors_as_sentences(url: str, limits: Limits) -> Iterator[None]:
    host = urlsplit(url).hostname
    try:
        yield
    except (AntiSSRFError, socket.gaierror, requests.exceptions.InvalidURL) as error:
        # One sentence for refused and unknown names: two would tell a visitor which names a private network has.
        why = "was not found there: check the address and the connection"
        if isinstance(error, AntiSSRFError) and _says_itself_where_it_is(host or ""):
            why = f"is not part of it: save the {limits.what}, and use the file"
        public = f"{limits.what.title()}s are only fetched from the public internet"
        raise FetchError(f"{public}, and {host} {why}.") from error
    except requests.exceptions.SSLError as error:
        raise FetchError(f"There is no secure connection to {host}: use another address.") from error
    except requests.exceptions.Timeout as error:
        raise _too_slow() from error
    except (requests.exceptions.RequestException, HTTPError) as error:
        raise FetchError(
            f"The server at {host} cannot be reached or breaks off: check the address, or try again later."
        ) from error


def _says_itself_where_it_is(host: str) -> bool:
    """Tell an address in numbers, in whatever spelling, and this computer's own name, from names to be looked up."""
    bare = host.rstrip(".").lower()
    with suppress(OSError, UnicodeError):
        return bare == "localhost" or ":" in bare or bool(socket.inet_aton(bare))
    return False


def _too_large(limits: Limits) -> FetchError:
    most = f"{limits.most_bytes / 1_000_000:g} MB"
    return FetchError(f"The server sends too much: use a {limits.what} of at most {most}.")


def _too_slow() -> FetchError:
    return FetchError("The server is too slow: try again later, or use another address.")


def _guarded_session() -> requests.Session:
    """One for each fetch, hence no connections shared between visitors, on which the limits are hung.

    Both attributes set here are made for it: the pools of a PoolManager, and requests' hook for headers.
    """
    policy = public_only(allow_loopback=os.environ.get(LOOPBACK_SWITCH) == "1")
    session: requests.Session = policy.get_antissrf_session()
    adapter: Any
    for adapter in session.adapters.values():
        adapter.poolmanager.pool_classes_by_scheme = {"http": _LimitedPool, "https": _LimitedTLSPool}
        adapter.add_headers = _set_host
    return session


def _set_host(request: requests.PreparedRequest, **_: object) -> None:
    """Correct what the package writes: the name without port, and IPv6 addresses without brackets (RFC 9112, 3.2)."""
    request.headers["Host"] = urlsplit(request.url).netloc


class _Deadline(Timeout):
    """One end for all hops, in place of urllib3's time-outs, which start anew with each connection."""

    def __init__(self, end: float) -> None:
        super().__init__()
        self._end = end

    def clone(self) -> "_Deadline":
        return _Deadline(self._end)

    @property
    def connect_timeout(self) -> float:
        return min(CONNECT_SECONDS, self.read_timeout)

    @property
    def read_timeout(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise _too_slow()
        return left


class _LimitedReader(io.RawIOBase):
    """What a socket receives, until a number of bytes or the end of the socket's time-out, counted from now."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._end = time.monotonic() + (sock.gettimeout() or 0.0)
        self.bytes_left = MAX_HEADER_BYTES
        self.limits = _pictures()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        seconds_left = self._end - time.monotonic()
        if seconds_left <= 0:
            raise _too_slow()
        if self.bytes_left <= 0:
            raise _too_large(self.limits)
        self._sock.settimeout(seconds_left)
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError as error:
            raise _too_slow() from error
        self.bytes_left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _LimitedResponse(http.client.HTTPResponse):
    """A response whose every read, of a header or of the body, ends at the deadline and at the limits of size."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._reader = _LimitedReader(sock, self.fp.detach())
        self.fp = io.BufferedReader(self._reader)

    def allow_body(self, limits: Limits) -> None:
        # Besides the limit after decompression: chunk sizes, trailers and padding are no part of the body, yet traffic.
        self._reader.bytes_left = limits.most_bytes + MAX_HEADER_BYTES
        self._reader.limits = limits


class _LimitedConnection(HTTPConnection):
    response_class = _LimitedResponse


class _LimitedTLSConnection(HTTPSConnection):
    response_class = _LimitedResponse

    def _new_conn(self) -> socket.socket:
        """Connect, and leave what remains of the time for the agreement on TLS."""
        end = time.monotonic() + float(self.timeout or 0.0)
        sock = super()._new_conn()
        sock.settimeout(max(end - time.monotonic(), 0.001))
        return sock


class _LimitedPool(HTTPConnectionPool):
    ConnectionCls = _LimitedConnection


class _LimitedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _LimitedTLSConnection
