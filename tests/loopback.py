"""A server on 127.0.0.1 that answers byte for byte what a test says, whether or not it is proper HTTP."""

import contextlib
import datetime
import itertools
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = bytes | Callable[[socket.socket, threading.Event], None]
"""What follows a request: bytes, or a function that sends until the event tells it to stop."""


def http_answer(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """A proper answer; `length` is announced in place of the body's own, none at all where it is negative."""
    length = len(body) if length is None else length
    announced = [f"Content-Length: {length}"] if length >= 0 else []
    return "\r\n".join([f"HTTP/1.1 {status}", *announced, *headers, "", ""]).encode("latin-1") + body


def redirect_to(location: str, *headers: str, status: str = "302 Found", body: bytes = b"") -> bytes:
    return http_answer(body, f"Location: {location}", *headers, status=status)


class LoopbackServer(socketserver.ThreadingTCPServer):
    """Answers by path and keeps the heads of the requests."""

    daemon_threads = False  # so that closing the server waits for them
    request_queue_size = 64  # with the default, 5, a connection may wait a second for its turn

    def __init__(self, answers: dict[str, Answer], tls: ssl.SSLContext | None, family: socket.AddressFamily) -> None:
        self.address_family = family
        super().__init__(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), _Handler)
        self.answers = answers
        self.tls = tls
        self.heads: list[str] = []
        self.stopping = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [head.split(" ")[1] for head in self.heads]

    def header(self, name: str) -> list[str]:
        """The values of a header in all requests."""
        lines = [line.partition(": ") for head in self.heads for line in head.split("\r\n")]
        return [value for key, _, value in lines if key.lower() == name.lower()]


class _Handler(socketserver.BaseRequestHandler):
    server: LoopbackServer

    def handle(self) -> None:
        # Clients that give up on us are what many tests are about.
        with contextlib.suppress(OSError):
            self.request.settimeout(10)
            if self.server.tls is None:
                self.answer(self.request)
            else:
                with self.server.tls.wrap_socket(self.request, server_side=True) as connection:
                    self.answer(connection)

    def answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as received:
            lines = [line.decode("latin-1") for line in itertools.takewhile(lambda line: line != b"\r\n", received)]
        if not lines:
            return
        self.server.heads.append("".join(lines))
        answer = self.server.answers.get(lines[0].split(" ")[1], http_answer(status="404 Not Found"))
        if isinstance(answer, bytes):
            connection.sendall(answer)
        else:
            answer(connection, self.server.stopping)


@contextlib.contextmanager
def serving(
    answers: dict[str, Answer], tls: ssl.SSLContext | None = None, family: socket.AddressFamily = socket.AF_INET
) -> Iterator[LoopbackServer]:
    """Run a server until the end of the block."""
    with LoopbackServer(answers, tls, family) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()


def free_port() -> int:
    """Give a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_certificate(path: Path, host: str) -> Path:
    """Write a file with key and certificate of a host, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(days=1)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return path
