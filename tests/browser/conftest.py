"""The page on a server of its own, and a Chromium whose camera shows what a test has drawn."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from emotion import config
from emotion.ensemble import read_manifest
from emotion.faces import BGRImage
from emotion.fetch import LOOPBACK_SWITCH

SERVER_START_SECONDS = 90.0
FAR_NAME = "faces.example"
"""Another name of the page, which browsers do not take for this computer's."""

PATIENCE_MS = 60_000
"""Only ever waited for by a test that fails."""

# Chromium is not to fetch anything by itself, and to give the page its camera without asking.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    f"--host-resolver-rules=MAP {FAR_NAME} 127.0.0.1",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        reason = f"no Chromium: none of {', '.join(names)} is installed, and CHROMIUM is not set"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def classes() -> list[str]:
    """What the project's models tell apart."""
    return list(read_manifest(config.MODELS)["classes"])


@pytest.fixture(scope="session")
def address(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served, by a process that may fetch pictures from this computer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log_file = tmp_path_factory.mktemp("server") / "log.txt"
    options = [f"--server.port={port}", "--server.headless=true", f"--browser.serverAddress={FAR_NAME}"]
    with log_file.open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "web_app.py", *options],
            cwd=config.ROOT,
            env=os.environ | {LOOPBACK_SWITCH: "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # A test run that is terminated is to end its server too: the signal becomes an exception, as Ctrl-C does.
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        end_group(server)
        signal.signal(signal.SIGTERM, handler)
        print(log_file.read_text())  # pytest shows it where a test has failed


def wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SERVER_START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start (exit status {server.poll()})")


def end_group(server: subprocess.Popen[bytes]) -> None:
    # The second signal is for what the first has left, and finds nobody as a rule.
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, how)
            server.wait(timeout=15)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


@pytest.fixture
def open_page(chromium: str, address: str, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open the page, in a browser whose camera plays the given pictures, 30 a second, over and over."""
    browsers: list[Browser] = []
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:

        def opened(camera: Sequence[BGRImage] = (), *, allowed: bool = True, path: str = "", far: bool = False) -> Page:
            flags = [*CHROMIUM_FLAGS, "--use-fake-ui-for-media-stream" if allowed else "--deny-permission-prompts"]
            if camera:
                file = tmp_path / "camera.mjpeg"
                file.write_bytes(b"".join(cv2.imencode(".jpg", picture)[1].tobytes() for picture in camera))
                flags.append(f"--use-file-for-fake-video-capture={file}")
            browser = playwright.chromium.launch(executable_path=chromium, args=flags)
            browsers.append(browser)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(PATIENCE_MS)
            page.goto((address.replace("127.0.0.1", FAR_NAME) if far else address) + path)
            return page

        yield opened
        for browser in browsers:
            browser.close()
