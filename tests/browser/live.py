"""The page on a server of its own, and Chromiums whose cameras show what was drawn for them.

The browser tests, the measurement of the webcam page and the pictures of the README all stand on this.
"""

import base64
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import psutil
import skimage.data
from playwright.sync_api import FrameLocator, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from emotion import config
from emotion.faces.decode import decode_image
from emotion.faces.fetch import LOOPBACK_SWITCH
from emotion.faces.pixels import BGRImage
from tests.films import film
from tests.loopback import free_port

SERVER_START_SECONDS = 90.0
PATIENCE_MS = 90_000
"""Only ever waited for by a test that fails."""

expect.set_options(timeout=PATIENCE_MS)

Scheme = Literal["light", "dark"]
SCHEMES: Sequence[Scheme] = ("light", "dark")

FAR_NAME = "faces.example"
"""Another name of the page, which browsers do not take for this computer's."""

# Chromium is not to fetch anything by itself.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    # Tests sign their own. Overlooked for a context alone, each connection begins anew, and Chromium counts that.
    "--ignore-certificate-errors",
    f"--host-resolver-rules=MAP {FAR_NAME} 127.0.0.1",
)

# Draws the <video> into a canvas and gives its pixels: that it "plays" would not show that frames were processed.
_READ_VIDEO = """video => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 480];
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/png");
}"""


def find_chromium() -> str | None:
    """Give the path of the Chromium or Chrome that is installed, or that `CHROMIUM` names."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def required_chromium() -> str:
    """Give the same, or end the program with a sentence."""
    return find_chromium() or sys.exit("No Chromium or Chrome is installed, and CHROMIUM is not set.")


@contextmanager
def serving(log_file: Path, script: str = "web_app.py", environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve the page, and give its address, from a process of its own that ends with the block."""
    port = free_port()
    options = [f"--server.port={port}", "--server.headless=true", f"--browser.serverAddress={FAR_NAME}"]
    command = [sys.executable, "-m", "streamlit", "run", script, *options]
    with running(command, port, log_file, os.environ | dict(environment or {})) as address:
        yield address


@contextmanager
def serving_with_faults(log_file: Path, asked: Path) -> Iterator[str]:
    """Serve the page with the faults that a file asks for (app_with_faults.py), and give its address."""
    environment = {"EMOTION_TEST_FAULT": str(asked), LOOPBACK_SWITCH: "1"}
    with serving(log_file, "tests/browser/app_with_faults.py", environment) as address:
        yield address


@contextmanager
def running(
    command: Sequence[str], port: int, log_file: Path, environment: Mapping[str, str], folder: Path = config.ROOT
) -> Iterator[str]:
    """Run a command in a folder that serves the page on a port until the block ends; give the page's address."""
    with log_file.open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # A run that is terminated is to end its server too: the signal becomes an exception, as Ctrl-C does.
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        _end_group(server)
        signal.signal(signal.SIGTERM, handler)


def server_process(address: str) -> psutil.Process:
    """Find the process that serves the page at an address that `serving` gave."""
    option = f"--server.port={address.rpartition(':')[2]}"
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # one that has just ended, or is another user's
            if option in process.cmdline():
                return process
    raise RuntimeError(f"nobody serves {address}")


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SERVER_START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start (exit status {server.poll()})")


def _end_group(server: subprocess.Popen[bytes]) -> None:
    # The second signal is for what the first has left, and finds nobody as a rule.
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, how)
            server.wait(timeout=15)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def browser_flags(camera: Sequence[BGRImage], file: Path, *, allowed: bool = True) -> list[str]:
    """Give the flags of a Chromium for these tests.

    Parameters
    ----------
    camera : sequence of pictures, of 640x480 pixels
        What its camera shows, 30 a second over and over; with none, Chromium's own test picture.
    file : Path, where the film of the camera is written
    allowed : bool, whether pages get the camera without asking, or are refused it
    """
    flags = [*_FLAGS, "--use-fake-ui-for-media-stream" if allowed else "--deny-permission-prompts"]
    if camera:
        write_film(camera, file)
        flags.append(f"--use-file-for-fake-video-capture={file}")
    return flags


def write_film(camera: Sequence[BGRImage], file: Path) -> None:
    """Write what a camera shows; a browser that has begun to play what was there before goes on with that."""
    partial = file.with_suffix(".partial")
    partial.write_bytes(b"".join(cv2.imencode(".jpg", picture)[1].tobytes() for picture in camera))
    partial.replace(file)


def goes_on(page: Page) -> Page:
    """Have this visitor press Go on wherever the notice stands, before whatever else is done or looked for."""
    page.add_locator_handler(page.get_by_role("button", name="Go on", exact=True), lambda button: button.click())
    return page


def open_part(page: Page, name: str) -> None:
    """Go from the part Webcam to another one, once it is drawn: a press while it is being drawn may be lost."""
    see(component(page).get_by_role("button", name="Start"))
    wait_until_drawn(page)
    page.get_by_role("link", name=name).click()


def component(page: Page) -> FrameLocator:
    """Give the frame that video and Start button are in."""
    return page.frame_locator('iframe[title*="webrtc"]')


def start(page: Page) -> Locator:
    """Press Start, and give the video."""
    component(page).get_by_role("button", name="Start").click()
    return component(page).locator("video")


def see(what: Locator) -> None:
    """Wait until exactly one of these is visible: what an earlier drawing left may stand beside it for a moment."""
    expect(what.filter(visible=True)).to_have_count(1)


def see_none(what: Locator) -> None:
    """Wait until none of these is visible."""
    expect(what.filter(visible=True)).to_have_count(0)


def wait_until_drawn(page: Page) -> None:
    """Wait until nothing is being drawn: what is pressed or read meanwhile may be replaced."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def show_in(page: Page, scheme: Scheme) -> None:
    """Have the page light or dark, and wait until it is: a colour on its way to another one is neither."""
    page.emulate_media(color_scheme=scheme)
    expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
    for frame in page.frames:
        frame.wait_for_function(
            "() => !document.getAnimations().some(one => one.transitionProperty?.endsWith('color'))",
            polling=50,  # a frame out of sight is never painted
        )


def wait_until(page: Page, met: Callable[[], bool], what: str) -> None:
    """Ask again and again until something is so."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not met():
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(50)


def downloaded(page: Page, name: str, place: int = 0) -> bytes:
    """Press a download's button, again where the page was being drawn anew, which takes its old buttons back."""
    pressed = page.get_by_role("button", name=name, exact=True).nth(place)
    for patience in (5_000, PATIENCE_MS):
        wait_until_drawn(page)
        with suppress(PlaywrightTimeout), page.expect_download(timeout=patience) as download:
            pressed.click()
            return Path(download.value.path()).read_bytes()
    raise AssertionError(f"{name} gives nothing")


def shown(video: Locator) -> BGRImage:
    """Give what the visitor sees, (480, 640, 3), uint8, blue-green-red."""
    data_url: str = video.evaluate(_READ_VIDEO)
    return decode_image(base64.b64decode(data_url.partition(",")[2]))


def camera_picture(*left_edges: int) -> BGRImage:
    """Portraits, 220 pixels wide, on a grey ground. All grey: any colour on the page was drawn by it."""
    portrait = cv2.cvtColor(skimage.data.astronaut()[0:250, 110:330], cv2.COLOR_RGB2GRAY)
    picture = np.full((480, 640), 120, dtype=np.uint8)
    for left in left_edges:
        picture[120:370, left : left + 220] = portrait
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), dtype=np.uint8)


SWAYING = [camera_picture(200 + round(6 * math.sin(number / 15))) for number in range(100)]
"""Somebody in front of a camera."""

VOTED = re.compile(r"\d of 5 models (agree|say)")
"""What stands below the label of a vote."""

FACE_CAPTION = re.compile(r"^Face \d+")
"""What stands beside the vote on a face."""


def vote_number(page: Page) -> int:
    """Which vote of the session the panel shows; what an earlier drawing left may stand beside it for a moment."""
    return int(page.locator("svg.ring").last.get_attribute("data-votes") or 0)


def look_at_film(page: Page) -> None:
    """Choose a short film of a portrait on the part Films, and wait until it can be played."""
    content = film([camera_picture(210)] * 10, rate=10)
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(
        {"name": "interview.mp4", "mimeType": "video/mp4", "buffer": content}
    )
    see(page.get_by_text("interview.mp4"))
    wait_until_drawn(page)
    page.get_by_role("button", name="Recognise").click()
    expect(page.locator("video")).to_have_js_property("readyState", 4)
    see(page.get_by_role("heading", name="Face 1"))
