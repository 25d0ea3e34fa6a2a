"""A visitor's address is fetched within limits, and never leads into a private network.

Nothing here reaches outside: names are resolved by a table, and a connection to anything but loopback is refused,
recorded, and fails the test. Where a public server is needed, the connection to its address is led to one on loopback.
"""

import email.utils
import gzip
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotion import config
from emotion.errors import FetchError
from emotion.faces import fetch as module
from emotion.faces.fetch import FETCH_SECONDS
from tests.loopback import Answer, LoopbackServer, http_answer, redirect_to, serving, write_certificate

PUBLIC = "93.184.216.34"
PICTURE = b"\x89PNG and the rest"

NOT_PUBLIC = "only fetched from the public internet, and [^ ]+ (is not part of it|was not found there)"
TOO_SLOW = "too slow"
TOO_LARGE = "sends too much"
BROKEN = "cannot be reached or breaks off"


def fetch(address: str, seconds: float = FETCH_SECONDS) -> bytes:
    return module.fetch(address, seconds).body


class Network:
    """The world as the tests see it."""

    def __init__(self) -> None:
        self.names: dict[str, list[list[str]]] = {"localhost": [["127.0.0.1", "::1"]]}
        """For each name, the addresses that one look-up after the other gives; the last stays."""
        self.asked: list[str] = []
        self.dialled: list[str] = []
        self.outside: list[str] = []
        self.led_to: dict[str, int] = {}
        """Ports on loopback, by the public address that they stand for."""
        self._resolve = socket.getaddrinfo
        self._connect = socket.socket.connect

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host in self.names:
            self.asked.append(host)
            addresses = self.names[host].pop(0) if len(self.names[host]) > 1 else self.names[host][0]
        else:
            addresses = [host]
        family, kind, protocol, flags = (*args, 0, 0, 0, 0)[:4]
        family, kind = kwargs.get("family", family), kwargs.get("type", kind)
        return [  # the system reads odd spellings of numbers; it asks nobody
            found
            for address in addresses
            for found in self._resolve(address, port, family, kind, protocol, flags | socket.AI_NUMERICHOST)
        ]

    def connect(self, sock: socket.socket, address: Any) -> None:
        host, port = address[:2]
        self.dialled.append(host)
        if host in self.led_to:
            address = ("127.0.0.1", self.led_to[host])
        elif not ipaddress.ip_address(host).is_loopback:
            self.outside.append(host)
            raise ConnectionRefusedError(f"a test may not connect to {host}, port {port}")
        self._connect(sock, address)

    def connect_ex(self, sock: socket.socket, address: Any) -> int:
        raise AssertionError("not foreseen: fetch connects otherwise")


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    network = Network()
    monkeypatch.setattr(socket, "getaddrinfo", network.getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", lambda *args: network.connect(*args))
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *args: network.connect_ex(*args))
    monkeypatch.delenv("EMOTION_TEST_ALLOW_LOOPBACK", raising=False)
    yield network
    assert network.outside == []


@pytest.fixture
def loopback_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_TEST_ALLOW_LOOPBACK", "1")


@pytest.fixture
def answers() -> dict[str, Answer]:
    """By path; tests add theirs."""
    return {"/picture": http_answer(PICTURE)}


@pytest.fixture
def server(answers: dict[str, Answer]) -> Iterator[LoopbackServer]:
    with serving(answers) as server:
        yield server


@pytest.fixture
def public(server: LoopbackServer, network: Network) -> LoopbackServer:
    """The server as the public one of picture.test: no switch is needed to reach it."""
    network.names["picture.test"] = [[PUBLIC]]
    network.led_to[PUBLIC] = server.port
    return server


def repeating(head: bytes, again: bytes, pause_seconds: float) -> Answer:
    """Send a head, then the same bytes a thousand times, far beyond any limit here, or until the client is gone."""

    def answer(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(head)
        for _ in range(1000):
            if stopping.wait(pause_seconds):
                break
            connection.sendall(again)

    return answer


def assert_nobody_still_reads() -> None:
    """The visitor is told in time in any case; without limits of its own, the thread that reads would go on."""
    for thread in [thread for thread in threading.enumerate() if thread.name == "fetch"]:
        thread.join(3)
        assert not thread.is_alive()


# What comes back


def test_the_body_of_a_public_address_is_returned(public: LoopbackServer) -> None:
    assert fetch(" http://picture.test/picture#top\n") == PICTURE
    assert public.header("User-Agent") == ["emotion-recognition (image fetch)"]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://picture.test/picture", "picture.test"),
        ("http://picture.test:8080/picture", "picture.test:8080"),
        ("HTTP://PICTURE.TEST/picture", "picture.test"),
        ("http://bücher.test/picture", "xn--bcher-kva.test"),
        (f"http://{PUBLIC}:8080/picture", f"{PUBLIC}:8080"),
    ],
)
def test_the_server_is_told_the_name_and_port(
    public: LoopbackServer, network: Network, address: str, host: str
) -> None:
    network.names["xn--bcher-kva.test"] = [[PUBLIC]]
    assert fetch(address) == PICTURE
    assert public.header("Host") == [host]


@pytest.mark.usefixtures("loopback_allowed")
def test_ipv6_addresses_keep_their_brackets(answers: dict[str, Answer]) -> None:
    try:
        with serving(answers, family=socket.AF_INET6) as server:
            assert fetch(server.url("/picture", host="[::1]")) == PICTURE
            assert server.header("Host") == [f"[::1]:{server.port}"]
    except OSError:
        pytest.skip("this system has no IPv6")


def test_compressed_bodies_are_unpacked(public: LoopbackServer) -> None:
    public.answers["/gzip"] = http_answer(gzip.compress(PICTURE, mtime=0), "Content-Encoding: gzip")
    assert fetch("http://picture.test/gzip") == PICTURE


def test_bodies_in_chunks_or_of_unknown_length_are_read_to_their_end(public: LoopbackServer) -> None:
    public.answers["/chunks"] = http_answer(
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=-1
    )
    public.answers["/open"] = http_answer(b"until the end", length=-1)
    assert fetch("http://picture.test/chunks") == b"abcde"
    assert fetch("http://picture.test/open") == b"until the end"


def test_several_visitors_are_served_at_once(public: LoopbackServer) -> None:
    paths = [f"/{number}" for number in range(16)]
    public.answers.update({path: http_answer(path.encode() * 1000) for path in paths})
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda path: fetch(f"http://picture.test{path}"), paths))
    assert found == [path.encode() * 1000 for path in paths]


# Addresses that are refused before anything is looked up


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "complete web address"),
        ("picture.jpg", "complete web address"),
        ("//picture.test/a.jpg", "complete web address"),
        ("http://", "complete web address"),  # no host
        ("http:///a.jpg", "complete web address"),
        ("https://?a=b", "complete web address"),
        ("http://[::1", "complete web address"),
        ("http://[fe80::1%]/", "complete web address"),
        (f"http://a{'.' * 7000}b/", "complete web address"),  # what looks for its last dots would take seconds
        ("http://picture.test:port/", "complete web address"),
        ("http://picture.test:65536/", "complete web address"),
        ("http://.picture.test/", "complete web address"),
        ("http://picture test/", "complete web address"),
        ("http://picture.test\r\nHost: other/", "invisible characters"),
        ("http://pic\ud800ture.test/", "invisible characters"),
        ("\x00http://picture.test/", "invisible characters"),
        ("ht\ntp://picture.test/", "invisible characters"),
        ("http://pic\u200bture.test/", "invisible characters"),
        ("picture.test:8080/a.jpg", "starts with http"),
        ("file:///etc/passwd", "starts with http"),
        ("ftp://picture.test/a.jpg", "starts with http"),
        ("data:image/png;base64,iVBORw0KGgo=", "starts with http"),
        ("gopher://picture.test/", "starts with http"),
        ("javascript:alert(1)", "starts with http"),
        ("httpx://picture.test/", "starts with http"),
        ("unix:///run/docker.sock", "starts with http"),
        ("http+unix://%2Frun%2Fdocker.sock/", "starts with http"),
        ("http://user@picture.test/", "user name or password"),
        ("http://user:password@picture.test/", "user name or password"),
        ("http://:password@picture.test/", "user name or password"),
        ("http://picture.test@127.0.0.1/", "user name or password"),
        ("http://picture.test%2f@127.0.0.1/", "user name or password"),
        ("http://picture.test/" + "a" * 8000, "longer than 8000"),
    ],
)
@pytest.mark.hostile("what is wrong with the address")
def test_what_is_no_address_of_a_picture_is_refused(network: Network, address: str, sentence: str) -> None:
    network.names["picture.test"] = [[PUBLIC]]
    with pytest.raises(FetchError, match=sentence):
        fetch(address)
    assert network.asked == network.dialled == []


@pytest.mark.parametrize("port", [1, 21, 22, 25, 79, 81, 442, 444, 445, 1023])
@pytest.mark.hostile("Port N is not one for pictures: use an address without it")
def test_ports_of_other_services_are_refused(network: Network, port: int) -> None:
    with pytest.raises(FetchError, match=f"Port {port} "):
        fetch(f"http://{PUBLIC}:{port}/picture")
    assert network.dialled == []


@pytest.mark.parametrize("port", ["", ":", ":80", ":443", ":1024", ":8080", ":65535"])
def test_ports_of_web_servers_are_allowed(public: LoopbackServer, port: str) -> None:
    assert fetch(f"http://picture.test{port}/picture") == PICTURE


# Networks that are not public


NOT_PUBLIC_ADDRESSES = [
    "0.0.0.0",  # "this network", RFC 791: Linux takes it for loopback
    "0.1.2.3",
    "10.0.0.1",  # private, RFC 1918
    "10.255.255.255",
    "100.64.0.1",  # carrier-grade NAT, RFC 6598
    "100.127.255.255",
    "100.100.100.200",  # metadata of Alibaba Cloud
    "127.0.0.1",  # loopback, RFC 1122
    "127.255.255.254",
    "168.63.129.16",  # Azure's wire server
    "169.254.0.1",  # link-local, RFC 3927
    "169.254.169.254",  # metadata of most clouds
    "169.254.170.2",  # credentials of Amazon's containers
    "172.16.0.1",  # private, RFC 1918
    "172.31.255.255",
    "192.0.0.1",  # IETF protocol assignments, RFC 6890
    "192.0.0.192",  # metadata of Oracle Cloud
    "192.0.2.1",  # documentation, RFC 5737
    "192.31.196.1",  # AS112, RFC 7535
    "192.52.193.1",  # automatic multicast tunnels, RFC 7450
    "192.88.99.1",  # 6to4 relays, RFC 7526
    "192.168.0.1",  # private, RFC 1918
    "192.168.255.255",
    "192.175.48.1",  # AS112, RFC 7534
    "198.18.0.1",  # benchmarks, RFC 2544
    "198.19.255.255",
    "198.51.100.1",  # documentation, RFC 5737
    "203.0.113.1",  # documentation, RFC 5737
    "224.0.0.1",  # multicast, RFC 5771
    "239.255.255.250",
    "240.0.0.1",  # reserved, RFC 1112
    "255.255.255.255",  # broadcast
    "::",  # unspecified, RFC 4291
    "::1",  # loopback
    "::127.0.0.1",  # IPv4-compatible, RFC 4291
    "::10.0.0.1",
    "::93.184.216.34",
    "::ffff:127.0.0.1",  # IPv4-mapped, RFC 4291
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:100.64.0.1",
    "::ffff:93.184.216.34",
    "::ffff:0:127.0.0.1",  # IPv4-translated, RFC 2765
    "64:ff9b::10.0.0.1",  # NAT64, RFC 6052
    "64:ff9b::93.184.216.34",
    "64:ff9b:1::10.0.0.1",  # NAT64 in one's own network, RFC 8215
    "100::1",  # discard, RFC 6666
    "100:0:0:1::1",  # dummy, RFC 9780
    "200::1",  # not assigned
    "1fff::1",
    "2001::1",  # Teredo, RFC 4380
    "2001:0:5ef5:79fd::1",
    "2001:2::1",  # benchmarks, RFC 5180
    "2001:10::1",  # ORCHID, RFC 4843
    "2001:20::1",  # ORCHIDv2, RFC 7343
    "2001:db8::1",  # documentation, RFC 3849
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1, RFC 3056
    "2002:a00:1::1",  # 6to4 of 10.0.0.1
    "2620:4f:8000::1",  # AS112, RFC 7534
    "3fff::1",  # documentation, RFC 9637
    "4000::1",  # not assigned
    "5f00::1",  # segment routing, RFC 9602
    "8000::1",  # not assigned
    "fc00::1",  # unique local, RFC 4193
    "fd00:ec2::254",  # metadata of Amazon, over IPv6
    "fe80::1",  # link-local, RFC 4291
    "febf::1",
    "fec0::1",  # site-local, RFC 3879
    "ff02::1",  # multicast, RFC 4291
    "ff0e::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC_ADDRESSES)
@pytest.mark.hostile("Pictures are only fetched from the public internet, and HOST is not part of it")
def test_networks_that_are_not_public_are_refused(network: Network, address: str) -> None:
    literal = f"[{address}]" if ":" in address else address
    network.names["inner.test"] = [[address]]
    for host in (literal, "inner.test"):
        with pytest.raises(FetchError, match=NOT_PUBLIC):
            fetch(f"http://{host}/picture")
    assert network.dialled == []


LOOPBACK = {"127.0.0.1", "127.255.255.254", "::1"}
"""Those of them that the switch allows."""


@pytest.mark.parametrize("host", ["192.168.1.4", "[fd00::1]", "127.1", "3232235777", "localhost", "LOCALHOST."])
@pytest.mark.hostile("Pictures are only fetched from the public internet, and HOST is not part of it")
def test_an_address_that_says_itself_that_it_is_private_is_refused_as_such(network: Network, host: str) -> None:
    """It was called not found, and people looked for a mistake in what they had typed."""
    network.names["localhost."] = network.names["localhost"]
    told = "and [^ ]+ is not part of it: save the picture, and use the file"
    with pytest.raises(FetchError, match=told):
        fetch(f"http://{host}/picture")


@pytest.mark.parametrize("address", sorted(set(NOT_PUBLIC_ADDRESSES) - LOOPBACK))
def test_the_switch_allows_no_other_network(network: Network, loopback_allowed: None, address: str) -> None:
    network.names["inner.test"] = [[address]]
    with pytest.raises(FetchError, match=NOT_PUBLIC):
        fetch("http://inner.test/picture")
    assert network.dialled == []


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "9.255.255.255",  # the neighbours of private networks
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2606:4700::1111",
        "2a00:1450:4001:81b::200e",
    ],
)
def test_public_networks_are_connected_to(network: Network, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr("urllib3.util.connection.HAS_IPV6", True)
    network.names["public.test"] = [[address]]
    with pytest.raises(FetchError, match=BROKEN):
        fetch("http://public.test/picture")
    assert network.outside == [address]
    network.outside.clear()  # the guard did its work


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "2130706433",  # 127.0.0.1 as one number
        "0x7f000001",
        "017700000001",
        "0x7f.1",
        "0177.0.0.1",
        "0177.0x0.0.1",
        "127.1",  # short forms
        "127.0.1",
        "0",
        "127.0.0.1.",  # a trailing dot
        "localhost.",
        "１２７.0.0.1",  # full-width digits
        "①②⑦.0.0.1",  # digits in circles
        "127。0。0。1",  # full stops that are none
        "%31%32%37.0.0.1",  # percent signs
        "127.0.0.1%00.picture.test",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[::1%25lo]",  # with a zone
        "[fe80::1%25eth0]",
        "2852039166",  # 169.254.169.254
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "a" * 64 + ".test",  # no name may have such a label, RFC 1035
    ],
)
@pytest.mark.hostile("Pictures are only fetched from the public internet, and HOST is not part of it")
def test_odd_spellings_are_judged_by_what_they_mean_or_refused(network: Network, host: str) -> None:
    network.names["localhost."] = network.names["localhost"]
    with pytest.raises(FetchError, match=f"{NOT_PUBLIC}|complete web address"):
        fetch(f"http://{host}/picture")
    assert network.dialled == []


@pytest.mark.parametrize(
    "host",
    [
        "1572395042",  # 93.184.216.34
        "0x5db8d822",
        "0135.0270.0330.0042",
        "93.12113954",
        "%39%33.184.216.34",
        "93.184.216.34.",
    ],
)
@pytest.mark.hostile("the picture of the host that the spelling means")
def test_odd_spellings_of_a_public_address_lead_there_and_nowhere_else(
    public: LoopbackServer, network: Network, host: str
) -> None:
    assert fetch(f"http://{host}/picture") == PICTURE
    assert network.dialled == [PUBLIC]


@pytest.mark.parametrize("address", [r"http://picture.test\@127.0.0.1/", "http://picture.test#@127.0.0.1/"])
@pytest.mark.hostile("the picture of the host that was checked")
def test_the_host_that_is_checked_is_the_host_that_is_connected_to(public: LoopbackServer, address: str) -> None:
    """Parsers disagree on where these hosts end."""
    public.answers.update({path: http_answer(PICTURE) for path in ("/", "/%5C@127.0.0.1/")})
    assert fetch(address) == PICTURE
    assert public.header("Host") == ["picture.test"]


@pytest.mark.parametrize("addresses", [[PUBLIC, "10.0.0.7"], ["10.0.0.7", PUBLIC], [PUBLIC, "::1"]])
@pytest.mark.hostile("Pictures are only fetched from the public internet, and HOST was not found there")
def test_one_private_address_among_public_ones_is_enough_to_refuse(network: Network, addresses: list[str]) -> None:
    network.names["mixed.test"] = [addresses]
    with pytest.raises(FetchError, match=NOT_PUBLIC):
        fetch("http://mixed.test/picture")
    assert network.dialled == []


@pytest.mark.hostile("the picture of the host that was checked; afterwards: HOST was not found on the public internet")
def test_a_name_is_looked_up_once(public: LoopbackServer, network: Network) -> None:
    """DNS rebinding: a name is public while it is checked, and private when it is connected to."""
    network.names["rebinding.test"] = [[PUBLIC], ["127.0.0.1"]]
    assert fetch("http://rebinding.test/picture") == PICTURE
    assert network.asked == ["rebinding.test"]
    assert network.dialled == [PUBLIC]
    with pytest.raises(FetchError, match=NOT_PUBLIC):
        fetch("http://rebinding.test/picture")


@pytest.mark.hostile("Pictures are only fetched from the public internet, and HOST was not found there")
def test_private_and_unknown_names_sound_alike(network: Network) -> None:
    """Otherwise the page would tell which names a private network has, and where."""
    network.names["name.test"] = [["10.0.0.7"]]
    with pytest.raises(FetchError) as private:
        fetch("http://name.test/")
    del network.names["name.test"]
    with pytest.raises(FetchError) as unknown:
        fetch("http://name.test/")
    assert str(private.value) == str(unknown.value)


@pytest.mark.parametrize("value", [None, "", "0", "true"])
def test_without_the_switch_loopback_is_refused(
    server: LoopbackServer, network: Network, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("EMOTION_TEST_ALLOW_LOOPBACK", value)
    with pytest.raises(FetchError, match=NOT_PUBLIC):
        fetch(server.url("/picture"))
    assert network.dialled == []


def test_the_switch_is_read_at_each_fetch(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_TEST_ALLOW_LOOPBACK", "1")
    assert fetch(server.url("/picture")) == PICTURE
    monkeypatch.delenv("EMOTION_TEST_ALLOW_LOOPBACK")
    with pytest.raises(FetchError, match=NOT_PUBLIC):
        fetch(server.url("/picture"))


@pytest.mark.hostile("the picture; no proxy and no password of the server is used")
def test_the_environment_adds_nothing(public: LoopbackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("default login visitor password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving({}) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        assert fetch("http://picture.test/picture") == PICTURE
    assert proxy.heads == []
    assert public.header("Authorization") == []


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(public: LoopbackServer, status: int) -> None:
    public.answers["/moved"] = redirect_to("picture", status=f"{status} Moved")
    assert fetch("http://picture.test/moved") == PICTURE


def test_redirects_may_name_another_host_in_another_script(public: LoopbackServer, network: Network) -> None:
    network.names["other.test"] = [[PUBLIC]]
    public.answers["/moved"] = redirect_to("//other.test/gesicht-\xc3\xa4.png")  # UTF-8, as browsers read it
    public.answers["/gesicht-%C3%A4.png"] = http_answer(PICTURE)
    assert fetch("http://picture.test/moved") == PICTURE
    assert public.header("Host") == ["picture.test", "other.test"]


@pytest.mark.hostile("The address redirects more than 3 times")
def test_three_redirects_are_followed_and_four_are_not(public: LoopbackServer) -> None:
    public.answers.update({f"/{number}": redirect_to(f"/{number - 1}") for number in range(1, 5)})
    public.answers["/0"] = http_answer(PICTURE)
    assert fetch("http://picture.test/3") == PICTURE
    with pytest.raises(FetchError, match="more than 3 times"):
        fetch("http://picture.test/4")
    assert public.paths[4:] == ["/4", "/3", "/2", "/1"]


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("http://127.0.0.1:{port}/picture", NOT_PUBLIC),
        ("http://[::1]:{port}/picture", NOT_PUBLIC),
        ("http://localhost:{port}/picture", NOT_PUBLIC),
        ("http://inner.test:{port}/picture", NOT_PUBLIC),
        ("http://10.0.0.1/", NOT_PUBLIC),
        ("http://2852039166/", NOT_PUBLIC),
        ("http://169.254.169.254/latest/meta-data/", NOT_PUBLIC),
        ("//[fd00:ec2::254]/latest/meta-data/", NOT_PUBLIC),
        ("http://user@picture.test/picture", "user name or password"),
        ("http://picture.test:22/picture", "Port 22 "),
        ("file:///etc/passwd", "starts with http"),
        ("ftp://picture.test/picture", "starts with http"),
        ("http://[", "complete web address"),
        ("https:///picture", "complete web address"),
    ],
)
@pytest.mark.hostile("what is wrong with where the address leads")
def test_redirects_are_judged_like_addresses(
    public: LoopbackServer, network: Network, location: str, sentence: str
) -> None:
    network.names["inner.test"] = [["127.0.0.1"]]
    public.answers["/moved"] = redirect_to(location.format(port=public.port))
    with pytest.raises(FetchError, match=sentence):
        fetch("http://picture.test/moved")
    assert network.dialled == [PUBLIC]
    assert public.paths == ["/moved"]


@pytest.mark.hostile("Pictures are only fetched from the public internet, and HOST was not found there")
def test_a_name_may_not_turn_private_between_redirects(public: LoopbackServer, network: Network) -> None:
    network.names["turning.test"] = [[PUBLIC], ["127.0.0.1"]]
    public.answers["/moved"] = redirect_to("/picture")
    with pytest.raises(FetchError, match=NOT_PUBLIC):
        fetch("http://turning.test/moved")
    assert network.dialled == [PUBLIC]


@pytest.mark.hostile("the picture; the server cannot know the visitor again")
def test_cookies_are_not_kept(public: LoopbackServer) -> None:
    public.answers["/moved"] = redirect_to("/picture", "Set-Cookie: seen=yes; Path=/")
    assert fetch("http://picture.test/moved") == PICTURE
    assert public.header("Cookie") == []


@pytest.mark.hostile("what is wrong with where the address leads")
def test_a_redirect_to_nowhere_is_told(public: LoopbackServer) -> None:
    public.answers["/moved"] = http_answer(status="302 Found")
    with pytest.raises(FetchError, match="status 302"):
        fetch("http://picture.test/moved")


# Answers that are no picture


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        *(
            (status, "with status {} and no picture: check the address")
            for status in (201, 204, 206, 304, 400, 405, 418)
        ),
        (
            401,
            r"wants a login first \(status 401\): open the address in your browser, save the picture, and use the file",
        ),
        (403, r"its own pages only, or to people who signed in \(status 403\): open the address in your browser, save"),
        (404, r"nothing at this address \(status 404\): check it"),
        (410, r"is gone \(status 410\): use another one"),
        (429, r"asked too often \(status 429\): try again later"),
        (451, r"for legal reasons \(status 451\): use another picture"),
        *((status, r"out of order \(status {}\): try again later") for status in (500, 502, 503, 504, 520, 599)),
        (999, "with status 999 and no picture"),
    ],
)
@pytest.mark.hostile("what the status means, and what to do")
def test_each_status_has_a_sentence_of_its_own(public: LoopbackServer, status: int, sentence: str) -> None:
    public.answers["/status"] = http_answer(b"<html>", status=f"{status} So")
    with pytest.raises(FetchError, match=sentence.format(status)):
        fetch("http://picture.test/status")


@pytest.mark.parametrize(
    ("retry_after", "told"),
    [
        ("", "later"),
        ("0", "in 1 second"),
        ("1", "in 1 second"),
        ("30", "in 30 seconds"),
        ("120", "in 2 minutes"),
        ("3600", "in 60 minutes"),
        ("7200", "in 2 hours"),
        ("9" * 12, "later"),
        ("9" * 5000, "later"),
        ("-5", "later"),
        ("soon", "later"),
        ("Fri, 99 Foo 2026 07:28:00 GMT", "later"),
        ("\xb2", "later"),  # a digit to Python, no number
        ("Wed, 21 Oct 2015 07:28:00 GMT", "in 1 second"),
    ],
)
@pytest.mark.hostile("when to try again, in words")
def test_a_server_that_was_asked_too_often_says_when_to_come_back(
    public: LoopbackServer, retry_after: str, told: str
) -> None:
    for status in ("429 Too Many Requests", "503 Service Unavailable"):
        public.answers["/busy"] = http_answer(b"", f"Retry-After: {retry_after}", status=status)
        with pytest.raises(FetchError, match=f"try again {told}\\.$"):
            fetch("http://picture.test/busy")


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000"])
@pytest.mark.parametrize(("seconds", "told"), [(590, "in 10 minutes"), (7100, "in 2 hours"), (10**6, "later")])
@pytest.mark.hostile("when to try again, in words")
def test_a_date_to_come_back_at_is_told_as_a_time_from_now(
    public: LoopbackServer, seconds: int, told: str, zone: str
) -> None:
    date = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    header = f"Retry-After: {date.replace('GMT', zone)}"
    public.answers["/busy"] = http_answer(b"", header, status="429 Too Many Requests")
    with pytest.raises(FetchError, match=f"try again {told}\\.$"):
        fetch("http://picture.test/busy")


def test_where_redirects_end_and_what_the_server_calls_it_is_known(public: LoopbackServer) -> None:
    """A web page names its pictures from where it lies."""
    public.answers["/moved"] = redirect_to("/pages/one")
    public.answers["/pages/one"] = http_answer(b"<html>", "Content-Type: text/html; charset=utf-8")
    answer = module.fetch("http://picture.test/moved")
    assert answer == (b"<html>", "http://picture.test/pages/one", "text/html; charset=utf-8")


@pytest.mark.hostile("The server sent an empty file")
def test_an_empty_body_is_told(public: LoopbackServer) -> None:
    public.answers["/empty"] = http_answer(b"")
    with pytest.raises(FetchError, match="empty file"):
        fetch("http://picture.test/empty")


@pytest.mark.hostile("The server at HOST cannot be reached or breaks off")
def test_a_refused_connection_is_told(loopback_allowed: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchError, match=BROKEN):
        fetch(f"http://127.0.0.1:{port}/picture")


@pytest.mark.parametrize(
    "answer",
    [
        b"",  # hangs up at once
        b"\x00\xff" * 500,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 two-hundred OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",  # more headers than http.client takes
        http_answer(PICTURE, length=100),  # breaks off
        http_answer(PICTURE, "Content-Length: 7"),  # two lengths
        http_answer(PICTURE, "Content-Encoding: gzip"),  # is not
        http_answer(gzip.compress(PICTURE * 99, mtime=0)[:-30], "Content-Encoding: gzip", length=2000),
        http_answer(b"zz\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=-1),
        http_answer(b"-5\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=-1),
        http_answer(b"-1\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=-1),
        http_answer(b"5\r\nabc", "Transfer-Encoding: chunked", length=-1),
        http_answer(b"-ffffffffffffffff\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=-1),
    ],
)
@pytest.mark.hostile("The server at HOST cannot be reached or breaks off")
def test_broken_answers_are_told(public: LoopbackServer, answer: bytes) -> None:
    public.answers["/broken"] = answer
    with pytest.raises(FetchError, match=f"{BROKEN}|garbled"):
        fetch("http://picture.test/broken")


def test_a_fault_of_this_program_is_not_blamed_on_the_address(
    public: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError("a bug")

    monkeypatch.setattr(requests.Response, "iter_content", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        fetch("http://picture.test/picture")


# Limits


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 200_000)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FETCH_SECONDS", 0.3)


def test_limits_are_those_that_are_promised() -> None:
    assert (module.CONNECT_SECONDS, module.FETCH_SECONDS) == (5, 15)
    assert (module.MAX_BYTES, module.MAX_HEADER_BYTES) == (40_000_000, 2_000_000)


@pytest.mark.usefixtures("small")
@pytest.mark.hostile("The server sends too much: use a picture of at most 40 MB")
def test_a_body_may_reach_the_limit_but_not_pass_it(public: LoopbackServer) -> None:
    chunk = b"186a0\r\n" + bytes(100_000) + b"\r\n"
    public.answers.update(
        {
            "/announced/at": http_answer(bytes(200_000)),
            "/announced/past": http_answer(b"", length=200_001),
            "/open/at": http_answer(bytes(200_000), length=-1),
            "/open/past": http_answer(bytes(200_001), length=-1),
            "/chunks/at": http_answer(chunk * 2 + b"0\r\n\r\n", "Transfer-Encoding: chunked", length=-1),
            "/chunks/past": repeating(http_answer(b"", "Transfer-Encoding: chunked", length=-1), chunk, 0),
            "/gzip/at": http_answer(gzip.compress(bytes(200_000), mtime=0), "Content-Encoding: gzip"),
            "/gzip/past": http_answer(gzip.compress(bytes(200_001), mtime=0), "Content-Encoding: gzip"),
        }
    )
    for kind in ("announced", "open", "chunks", "gzip"):
        assert fetch(f"http://picture.test/{kind}/at") == bytes(200_000)
        with pytest.raises(FetchError, match=TOO_LARGE):
            fetch(f"http://picture.test/{kind}/past")


def packed_zeros(n_bytes: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(n_bytes // 1_000_000)) + packer.flush()


BOMB = packed_zeros(100_000_000)
"""100 KB as they come."""


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (http_answer(BOMB, "Content-Encoding: gzip", length=-1), TOO_LARGE),
        (http_answer(gzip.compress(BOMB, mtime=0), "Content-Encoding: gzip, gzip"), TOO_LARGE),
        (redirect_to("/moved", "Content-Encoding: gzip", body=BOMB), "more than 3 times"),
        (http_answer(BOMB, "Content-Encoding: gzip", status="404 Not Found"), "status 404"),
        (repeating(b"HTTP/1.1 200 OK\r\nA: ", b"a" * 50_000, 0), TOO_LARGE + "|" + BROKEN),  # a header without end
        (repeating(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 200, 0), TOO_LARGE),  # always going to answer
        (
            repeating(http_answer(b"1;", "Transfer-Encoding: chunked", length=-1), b"a" * 50_000, 0),
            TOO_LARGE + "|" + BROKEN,
        ),
        (
            repeating(http_answer(b"", "Transfer-Encoding: chunked", length=-1), b"1;" + b"a" * 5000 + b"\r\na\r\n", 0),
            TOO_LARGE,  # little body, much around it
        ),
        (repeating(http_answer(b"-1\r\n", "Transfer-Encoding: chunked", length=-1), b"a" * 50_000, 0), TOO_LARGE),
    ],
    ids=[
        "bomb",
        "two layers",
        "redirect",
        "error page",
        "header",
        "continue",
        "chunk size",
        "chunk extensions",
        "negative",
    ],
)
@pytest.mark.hostile("The server sends too much, or is too slow")
def test_memory_stays_bounded(public: LoopbackServer, answer: Answer, sentence: str) -> None:
    public.answers["/moved"] = answer
    tracemalloc.start()
    try:
        with pytest.raises(FetchError, match=sentence):
            fetch("http://picture.test/moved")
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8_000_000


DRIPS: dict[str, Answer] = {
    "silence": repeating(b"", b"", 0.01),
    "status line": repeating(b"HTTP/1.1 ", b"2", 0.01),
    "header": repeating(b"HTTP/1.1 200 OK\r\nA: ", b"a", 0.01),
    "headers": repeating(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0.01),
    "body": repeating(http_answer(b"", length=100_000), b"a", 0.01),
    "open body": repeating(http_answer(b"", length=-1), b"a", 0.01),
    "chunks": repeating(http_answer(b"", "Transfer-Encoding: chunked", length=-1), b"1\r\na\r\n", 0.01),
    "gzip": repeating(
        http_answer(gzip.compress(b"", mtime=0)[:10], "Content-Encoding: gzip", length=-1), b"\0\0\0\xff\xff", 0.01
    ),
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("answer", DRIPS.values(), ids=DRIPS)
@pytest.mark.hostile("The server is too slow")
def test_a_server_that_drips_is_left(public: LoopbackServer, answer: Answer) -> None:
    """Each read succeeds at once: only a deadline of the whole ends these."""
    public.answers["/drip"] = answer
    with pytest.raises(FetchError, match=TOO_SLOW):
        fetch("http://picture.test/drip")
    assert_nobody_still_reads()


@pytest.mark.usefixtures("hurried")
@pytest.mark.hostile("The server is too slow")
def test_redirects_share_one_deadline(public: LoopbackServer) -> None:
    def later(connection: socket.socket, stopping: threading.Event) -> None:
        stopping.wait(0.2)
        connection.sendall(redirect_to("/later"))

    public.answers["/later"] = later
    with pytest.raises(FetchError, match=TOO_SLOW):
        fetch("http://picture.test/later")
    assert_nobody_still_reads()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, which stands still but for what tests add."""
    seconds = [0.0]
    monkeypatch.setattr("emotion.faces.fetch.time.monotonic", lambda: seconds[0])
    return seconds


def test_each_read_waits_no_longer_than_what_is_left(clock: list[float]) -> None:
    """A server may drip until shortly before the end, and then be silent."""
    near, far = socket.socketpair()
    with near, far, near.makefile("rb", buffering=0) as raw:
        near.settimeout(15.0)
        reader = module._LimitedReader(near, raw)
        far.sendall(b"ab")
        clock[0] = 11.0
        assert reader.read(1) == b"a"
        assert near.gettimeout() == 4.0
        clock[0] = 15.0
        with pytest.raises(FetchError, match=TOO_SLOW):
            reader.read(1)


def test_to_connect_and_to_agree_on_tls_share_their_time(
    network: Network, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    def slow_connect(*arguments: Any) -> None:
        clock[0] += 4.0
        network.connect(*arguments)

    monkeypatch.setattr(socket.socket, "connect", slow_connect)
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = module._LimitedTLSConnection("127.0.0.1", server.getsockname()[1], timeout=5.0)
        with connection._new_conn() as sock:
            assert sock.gettimeout() == 1.0


def test_a_caller_may_give_less_time_but_not_more(
    public: LoopbackServer, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    """The last of several addresses has what the others have left."""
    ends: list[float] = []

    class Deadline(module._Deadline):
        def __init__(self, end: float) -> None:
            ends.append(end)
            super().__init__(end)

    clock[0] = 100.0
    monkeypatch.setattr("emotion.faces.fetch._Deadline", Deadline)
    for seconds in (2.0, 99.0):
        assert fetch("http://picture.test/picture", seconds) == PICTURE
    assert ends[0] == 102.0
    assert ends[-1] == 115.0


def test_time_spent_on_the_name_counts(
    public: LoopbackServer, network: Network, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    resolve = network.getaddrinfo

    def slow_resolve(*args: Any, **kwargs: Any) -> Any:
        clock[0] += 20.0
        return resolve(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slow_resolve)
    with pytest.raises(FetchError, match=TOO_SLOW):
        fetch("http://picture.test/picture")
    assert network.dialled == []


@pytest.mark.hostile("The server is too slow: try again later, or use another address")
def test_a_name_whose_server_never_answers_ends_by_the_limit(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver may take minutes, and nothing can break it off."""
    given_up = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        assert given_up.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "nobody answered")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        with pytest.raises(FetchError, match=TOO_SLOW):
            fetch("http://picture.test/picture", 0.2)
    finally:
        given_up.set()
    assert network.dialled == []


@pytest.mark.hostile("The server is too slow; beyond 32 look-ups that hang: Too many addresses wait for an answer")
def test_look_ups_that_hang_stop_nobody_else(
    public: LoopbackServer, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor whose name server keeps silent must not take the others' turns; nor threads without end."""
    given_up = threading.Event()

    def hang(host: str, *args: Any, **kwargs: Any) -> Any:
        if host != "silent.test":
            return network.getaddrinfo(host, *args, **kwargs)
        assert given_up.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "nobody answered")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        for _ in range(31):
            with pytest.raises(FetchError, match=TOO_SLOW):
                fetch("http://silent.test/picture", 0.01)
        assert fetch("http://picture.test/picture") == PICTURE
        assert_place_left()
        with pytest.raises(FetchError, match=TOO_SLOW):
            fetch("http://silent.test/picture", 0.01)
        with pytest.raises(FetchError, match="Too many addresses wait"):
            fetch("http://picture.test/picture")
    finally:
        given_up.set()
    assert_nobody_still_reads()
    assert fetch("http://picture.test/picture") == PICTURE


def assert_place_left() -> None:
    """The thread of a fetch gives its place back just after its result."""
    assert module._places.acquire(timeout=10)
    module._places.release()


def test_a_look_up_that_hangs_does_not_keep_the_program(tmp_path: Path) -> None:
    """`python -m emotion predict ADDRESS` is to end when it has told what is wrong."""
    script = """
import socket, time
socket.getaddrinfo = lambda *_, **__: time.sleep(60)
from emotion.errors import FetchError
from emotion.faces.fetch import fetch
try:
    fetch("http://silent.test/picture", 0.1)
except FetchError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, cwd=config.ROOT)
    assert (done.returncode, TOO_SLOW in done.stdout) == (0, True)


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with key and certificate of picture.test, signed by itself."""
    return write_certificate(tmp_path_factory.mktemp("tls") / "picture.test.pem", "picture.test")


@pytest.fixture
def safe(answers: dict[str, Answer], certificate: Path, network: Network) -> Iterator[LoopbackServer]:
    """The public https server of picture.test, known as other.test too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(answers, tls=context) as server:
        network.names.update({"picture.test": [[PUBLIC]], "other.test": [[PUBLIC]]})
        network.led_to[PUBLIC] = server.port
        yield server


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))


@pytest.mark.usefixtures("trusted")
@pytest.mark.hostile("There is no secure connection to HOST")
def test_the_certificate_is_checked_against_the_name(safe: LoopbackServer) -> None:
    asked_for: list[str | None] = []
    assert safe.tls is not None
    safe.tls.sni_callback = lambda _connection, name, _context: asked_for.append(name)
    assert fetch("https://picture.test/picture") == PICTURE
    assert asked_for == ["picture.test"]
    assert safe.header("Host") == ["picture.test"]
    assert fetch("https://picture.test./picture") == PICTURE, "a name may end in a dot, the certificate's does not"
    for host in ("other.test", PUBLIC):
        with pytest.raises(FetchError, match="no secure connection"):
            fetch(f"https://{host}/picture")


@pytest.mark.hostile("There is no secure connection to HOST")
def test_a_certificate_that_nobody_vouches_for_is_refused(
    safe: LoopbackServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(certificate))
    with pytest.raises(FetchError, match="no secure connection"):
        fetch("https://picture.test/picture")
    assert safe.heads == []


@pytest.mark.hostile("There is no secure connection to HOST")
def test_a_server_without_tls_is_refused(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        network.led_to[PUBLIC] = listener.getsockname()[1]
        fetched = pool.submit(fetch, f"https://{PUBLIC}/picture")
        with listener.accept()[0] as connection:
            connection.sendall(http_answer(PICTURE))
            with pytest.raises(FetchError, match="no secure connection"):
                fetched.result()


@pytest.mark.usefixtures("trusted")
@pytest.mark.hostile("The address redirects from https to http, which is not safe")
def test_https_is_not_left_for_http(safe: LoopbackServer, network: Network) -> None:
    safe.answers["/moved"] = redirect_to("https://other.test/moved")
    safe.answers["/down"] = redirect_to("HTTP://picture.test/picture")
    with pytest.raises(FetchError, match="no secure connection"):
        fetch("https://picture.test/moved")
    network.dialled.clear()
    with pytest.raises(FetchError, match="from https to http"):
        fetch("https://picture.test/down")
    assert network.dialled == [PUBLIC]


@pytest.mark.usefixtures("trusted", "hurried")
@pytest.mark.parametrize("drip", ["header", "body"])
@pytest.mark.hostile("The server is too slow")
def test_the_deadline_holds_under_tls(safe: LoopbackServer, drip: str) -> None:
    safe.answers["/drip"] = DRIPS[drip]
    with pytest.raises(FetchError, match=TOO_SLOW):
        fetch("https://picture.test/drip")
    assert_nobody_still_reads()


@pytest.mark.usefixtures("hurried")
@pytest.mark.hostile("The server is too slow")
def test_a_handshake_without_end_is_left(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the system accepts, nobody answers
        network.led_to[PUBLIC] = silent.getsockname()[1]
        with pytest.raises(FetchError, match=TOO_SLOW):
            fetch(f"https://{PUBLIC}/picture")
        assert_nobody_still_reads()


# Whatever is typed


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["", "http://", "https://", "http://[", "http://picture.test/", "HTTP:"]), st.text())
def test_any_text_is_fetched_or_refused_in_a_sentence(start: str, text: str) -> None:
    """The table knows no name, so all must be refused."""
    with pytest.raises(FetchError, match=r"^[A-Z].*\.$"):
        fetch(start + text)
