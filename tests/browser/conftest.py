"""The page on a server of its own, and a Chromium whose camera shows what a test has drawn."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from emotion import config
from emotion.faces.decode import BGRImage
from emotion.faces.fetch import LOOPBACK_SWITCH
from emotion.vote.ensemble import read_manifest
from tests.browser.live import FAR_NAME, PATIENCE_MS, browser_flags, find_chromium, serving


@pytest.fixture(scope="session")
def chromium() -> str:
    found = find_chromium()
    if found is None:
        reason = "no Chromium or Chrome is installed, and CHROMIUM is not set"
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
    log_file = tmp_path_factory.mktemp("server") / "log.txt"
    with serving(log_file, environment={LOOPBACK_SWITCH: "1"}) as address:
        yield address
    log = log_file.read_text()
    print(log)  # pytest shows it where a test has failed
    assert "emotion/page" not in log, "the page's own code was in a traceback: something failed that no test saw"


@pytest.fixture
def open_page(chromium: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open the page, in a browser whose camera plays the given pictures, 30 a second, over and over."""
    browsers: list[Browser] = []
    with sync_playwright() as playwright:

        def opened(
            camera: Sequence[BGRImage] = (),
            *,
            allowed: bool = True,
            path: str = "",
            far: bool = False,
            server: str = "",
        ) -> Page:
            flags = browser_flags(camera, tmp_path / "camera.mjpeg", allowed=allowed)
            browser = playwright.chromium.launch(executable_path=chromium, args=flags)
            browsers.append(browser)
            page = browser.new_page(viewport={"width": 1280, "height": 800}, timezone_id="UTC")
            page.set_default_timeout(PATIENCE_MS)
            at = server or request.getfixturevalue("address")
            page.goto((at.replace("127.0.0.1", FAR_NAME) if far else at) + path)
            return page

        yield opened
        for browser in browsers:
            browser.close()
