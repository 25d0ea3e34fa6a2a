"""Several copies of the page behind docs/deploy/nginx.conf: to a visitor, one page."""

import os
import shutil
import socket
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from emotion import config
from tests.browser.live import (
    FAR_NAME,
    PATIENCE_MS,
    VOTED,
    camera_picture,
    component,
    goes_on,
    see,
    server_process,
    serving,
    write_film,
)
from tests.loopback import free_port, write_certificate

# The whole configuration of an nginx that needs no rights: the shipped part, and where to write.
AROUND = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    include /etc/nginx/mime.types;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    log_format copies "$cookie_visitor $upstream_addr";
    access_log {folder}/access.log copies;
    {shipped}
}}
"""


@dataclass
class Behind:
    """Copies of the page, and where they are reached together."""

    address: str
    copies: list[str]
    folder: Path

    def visitors(self) -> dict[str, set[str]]:
        """Which copies each visitor was sent to."""
        sent = defaultdict(set)
        for line in (self.folder / "access.log").read_text().splitlines():
            visitor, copy = line.split(" ", 1)
            if visitor != "-":
                sent[visitor].add(copy)
        return sent


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def behind(chromium: str, tmp_path: Path) -> Iterator[Behind]:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        reason = "nginx is not installed"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    port = free_port()
    with ExitStack() as stack:
        copies = [stack.enter_context(serving(tmp_path / f"copy{number}.log")) for number in (1, 2)]
        shipped = (config.ROOT / "docs" / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        pem = write_certificate(tmp_path / "page.pem", FAR_NAME)
        for old, new in (
            ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
            ("/etc/ssl/faces.example.pem", str(pem)),
            ("127.0.0.1:8501", copies[0].removeprefix("http://")),
            ("127.0.0.1:8502", copies[1].removeprefix("http://")),
        ):
            assert old in shipped
            shipped = shipped.replace(old, new)
        # Of root's, its workers would be another user's, who must not write here.
        user = "user root;" if os.getuid() == 0 else ""
        whole = tmp_path / "nginx.conf"
        whole.write_text(AROUND.format(user=user, folder=tmp_path, shipped=shipped), encoding="utf-8")
        command = [nginx, "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", str(whole)]
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
        assert tested.returncode == 0, tested.stderr
        proxy = subprocess.Popen(command)
        stack.callback(proxy.wait)
        stack.callback(proxy.terminate)
        deadline = time.monotonic() + 30
        while not is_listening(port):
            assert time.monotonic() < deadline, (tmp_path / "error.log").read_text()
            time.sleep(0.05)
        yield Behind(f"https://{FAR_NAME}:{port}", copies, tmp_path)


@pytest.fixture
def visit(shared_browser: Browser, camera_file: Path) -> Iterator[Callable[..., Page]]:
    """Open the page as somebody new; with `files=False`, only what the address itself gives."""
    write_film([camera_picture(200)], camera_file)
    with ExitStack() as stack:

        def visited(address: str, *, files: bool = True) -> Page:
            page = goes_on(stack.enter_context(shared_browser.new_context()).new_page())
            if not files:
                page.route(
                    "**/*", lambda route: route.continue_() if route.request.is_navigation_request() else route.abort()
                )
            page.set_default_timeout(PATIENCE_MS)
            page.goto(address)
            return page

        yield visited


def test_a_visitor_stays_with_one_copy_and_visitors_are_spread(behind: Behind, visit: Callable[..., Page]) -> None:
    """Else an upload or a download would meet a copy that knows nothing of the session."""
    page = visit(f"{behind.address}/pictures")
    page.locator("input[type=file]").set_input_files(config.EXAMPLES / "Grace-Hopper.jpg")
    page.get_by_role("button", name="Recognise").click()
    see(page.get_by_text(VOTED))
    with page.expect_download() as download:
        page.get_by_role("button", name="Results as CSV").click()
    assert download.value.path().stat().st_size > 0
    for _ in range(20):
        if len(set.union(*behind.visitors().values())) == 2:
            break
        # Files of many new pages would pass nginx's limit for one address.
        visit(behind.address, files=False).reload()
    sent = behind.visitors()
    assert all(len(copies) == 1 for copies in sent.values()), sent
    assert len(set.union(*sent.values())) == 2, "all visitors are with one copy"


def test_a_copy_that_dies_takes_no_visitor_with_it(behind: Behind, visit: Callable[..., Page]) -> None:
    page = visit(behind.address)
    component(page).get_by_role("button", name="Start").click()
    see(page.get_by_text(VOTED))
    [[copy]] = behind.visitors().values()
    server_process(f"http://{copy}").kill()
    page.reload()
    component(page).get_by_role("button", name="Start").click()
    see(page.get_by_text(VOTED))
