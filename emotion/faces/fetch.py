"""A public http(s) address -> what it leads to, with limits and no way into private networks.

Whoever opens the page decides what this machine connects to, so each address is looked up once, everything it
resolves to must be public, and the connection goes to what was checked; `microsoft-antissrf` does that for each hop.
This module adds the list of what the package lets through, the rules for addresses and redirects, and the limits of
time and size.

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
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from ipaddress import IPv6Network
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
from AntiSSRF import AntiSSRFError, AntiSSRFPolicy, PolicyConfigOptions
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from emotion.errors import FetchError, StatusError

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

# Only 2000::/3 is given out for global use (RFC 4291; IANA, "Internet Protocol Version 6 Address Space"). Whatever else
# IPv6 has is refused, here but for ::ffff:0:0/96: there the package keeps IPv4 addresses, which its own list judges;
# `_Policy` refuses IPv6 addresses of it. That list, of the special-purpose networks within IPv4 and 2000::/3, follows
# IANA's registries; without this addition it lets through ::/96 (IPv4-compatible), ::ffff:0:0:0/96 (IPv4-translated)
# and what is not assigned.
_IPV6_NOT_GLOBAL: Final = [
    *map(str, IPv6Network("::/3").address_exclude(IPv6Network("::ffff:0:0/96"))),
    "4000::/2",
    "8000::/1",
]


class Answer(NamedTuple):
    """What a server gave: its body, decompressed; where redirects ended; that header, which may be empty or wrong."""

    body: bytes
    url: str
    content_type: str


def fetch(address: str, seconds: float = FETCH_SECONDS) -> Answer:
    """Fetch what a public address leads to.

    Parameters
    ----------
    address : str, an http or https address without user name, on port 80, 443 or one above 1023
    seconds : float, > 0, after which it is given up; at most `FETCH_SECONDS`

    Returns
    -------
    Answer, with a body of 1 to `MAX_BYTES`; whether it is a picture is not looked at

    Raises
    ------
    FetchError
        If the address is refused or leads to one that is (a private network, four redirects, https to http), if
        the server does not answer with status 200 and a body within the limits of time and size, or if too many
        look-ups hang.
    """
    end = time.monotonic() + min(seconds, FETCH_SECONDS)
    if not _places.acquire(blocking=False):
        raise FetchError("Too many addresses wait for an answer: try again in a minute.")
    fetching: Future[Answer] = Future()
    thread = threading.Thread(target=_settle, args=(fetching, address, _Deadline(end)), name="fetch", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system gives no more threads
        _places.release()
        raise
    try:
        return fetching.result(end - time.monotonic())
    except TimeoutError as error:
        raise _too_slow() from error


def _settle(fetching: "Future[Answer]", address: str, deadline: "_Deadline") -> None:
    try:
        fetching.set_result(_fetch(address, deadline))
    except BaseException as error:  # noqa: BLE001  # it is raised where the result is asked for
        fetching.set_exception(error)
    finally:
        _places.release()


def _fetch(address: str, deadline: "_Deadline") -> Answer:
    url = ""
    with _guarded_session() as session:
        for _ in range(MAX_REDIRECTS + 1):
            request = prepare(address, base=url)
            url = str(request.url)
            # The adapter, not the session, sends: a session would add what the environment says (proxies, .netrc),
            # and it reads the body of a redirect whole, however large it is when decompressed. It takes urllib3's
            # Timeout, though its types do not say so.
            with (
                _errors_as_sentences(url),
                session.get_adapter(url).send(request, stream=True, timeout=deadline) as response,  # type: ignore[arg-type]
            ):
                if not response.is_redirect:
                    return Answer(_body(response), url, response.headers.get("Content-Type", ""))
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


def _body(response: requests.Response) -> bytes:
    if response.status_code != 200:
        raise StatusError(response.status_code, response.headers.get("Retry-After", ""))
    if (response.raw.length_remaining or 0) > MAX_BYTES:  # as announced; None where nothing is
        raise _too_large()
    body = bytearray()
    try:
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_BYTES:
                raise _too_large()
    except (ValueError, OverflowError) as error:  # urllib3 believes a server that announces a chunk of negative size
        raise FetchError("The server sends something garbled: use another address.") from error
    if not body:
        raise FetchError("The server sent an empty file: check the address.")
    return bytes(body)


@contextmanager
def _errors_as_sentences(url: str) -> Iterator[None]:
    host = urlsplit(url).hostname
    try:
        yield
    except (AntiSSRFError, socket.gaierror, requests.exceptions.InvalidURL) as error:
        # One sentence for refused and unknown names: two would tell a visitor which names a private network has.
        raise FetchError(
            f"Pictures are only fetched from the public internet, and {host} was not found there: "
            "check the address and the connection."
        ) from error
    except requests.exceptions.SSLError as error:
        raise FetchError(f"There is no secure connection to {host}: use another address.") from error
    except requests.exceptions.Timeout as error:
        raise _too_slow() from error
    except (requests.exceptions.RequestException, HTTPError) as error:
        raise FetchError(
            f"The server at {host} cannot be reached or breaks off: check the address, or try again later."
        ) from error


def _too_large() -> FetchError:
    return FetchError(f"The server sends too much: use a picture of at most {MAX_BYTES / 1_000_000:g} MB.")


def _too_slow() -> FetchError:
    return FetchError("The server is too slow: try again later, or use another address.")


def _guarded_session() -> requests.Session:
    """One for each fetch, hence no connections shared between visitors, on which the limits are hung.

    Both attributes set here are made for it: the pools of a PoolManager, and requests' hook for headers.
    """
    policy = _policy(allow_loopback=os.environ.get(LOOPBACK_SWITCH) == "1")
    session: requests.Session = policy.get_antissrf_session()
    adapter: Any
    for adapter in session.adapters.values():
        adapter.poolmanager.pool_classes_by_scheme = {"http": _LimitedPool, "https": _LimitedTLSPool}
        adapter.add_headers = _set_host
    return session


class _Policy(AntiSSRFPolicy):  # type: ignore[misc]  # the package has no types
    def _is_ip_address_connection_allowed(self, address: Any) -> bool:
        """Judge an address that a host has; the package itself takes an IPv4-mapped one for the one within."""
        mapped = address.is_ipv6() and address.get_address().ipv4_mapped is not None
        return not mapped and bool(super()._is_ip_address_connection_allowed(address))


@cache
def _policy(*, allow_loopback: bool) -> AntiSSRFPolicy:
    policy = _Policy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    policy.add_denied_addresses(_IPV6_NOT_GLOBAL)
    policy.allow_plain_text_http = True
    policy.add_xff_header = False  # the package's "X-Forwarded-For: true" is no address; servers may take offence
    if allow_loopback:
        policy.add_allowed_addresses(["127.0.0.0/8", "::1/128"])
    return policy


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

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        seconds_left = self._end - time.monotonic()
        if seconds_left <= 0:
            raise _too_slow()
        if self.bytes_left <= 0:
            raise _too_large()
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

    def begin(self) -> None:
        super().begin()
        # Besides the limit after decompression: chunk sizes, trailers and padding are no part of the body, yet traffic.
        self._reader.bytes_left = MAX_BYTES + MAX_HEADER_BYTES


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
