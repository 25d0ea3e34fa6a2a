"""The page on a server of its own, and a Chromium whose camera shows what a test has drawn."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from emotion import config
from emotion.faces.fetch import LOOPBACK_SWITCH
from emotion.faces.pixels import BGRImage
from emotion.vote.loading import read_manifest
from tests.browser.live import (
    FAR_NAME,
    PATIENCE_MS,
    browser_flags,
    camera_picture,
    find_chromium,
    goes_on,
    serving,
    serving_with_faults,
    write_film,
)


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


@pytest.fixture(scope="package")
def faulty_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("faults")
    asked = folder / "fault"
    asked.write_text("")
    with serving_with_faults(folder / "log", asked) as address:
        yield address, asked
    print((folder / "log").read_text())


@pytest.fixture
def faults(faulty_server: tuple[str, Path]) -> Iterator[tuple[str, Path]]:
    """A server whose models do as a file says: its address, and that file."""
    yield faulty_server
    faulty_server[1].write_text("")


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def camera_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film of the shared browser's camera, which reads it anew whenever a page asks for the camera."""
    return tmp_path_factory.mktemp("camera") / "camera.mjpeg"


@pytest.fixture(scope="package")
def shared_browser(chromium: str, playwright: Playwright, camera_file: Path) -> Iterator[Browser]:
    """One browser for all tests; each visitor has cookies and storage of their own."""
    flags = browser_flags([camera_picture()], camera_file)
    with playwright.chromium.launch(executable_path=chromium, args=flags) as browser:
        yield browser


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep for the end of a test whether it has failed."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture
def open_page(
    chromium: str,
    playwright: Playwright,
    shared_browser: Browser,
    camera_file: Path,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[Callable[..., Page]]:
    """Open the page as somebody new, whose camera plays the given pictures, 30 a second, over and over.

    The notice is gone on from wherever it comes, unless `told=False`.
    """
    with ExitStack() as stack:

        def opened(
            camera: Sequence[BGRImage] = (),
            *,
            allowed: bool = True,
            path: str = "",
            far: bool = False,
            server: str = "",
            script: str = "",
            told: bool = True,
        ) -> Page:
            browser = shared_browser
            if not allowed:
                flags = browser_flags(camera, tmp_path / "camera.mjpeg", allowed=False)
                browser = stack.enter_context(playwright.chromium.launch(executable_path=chromium, args=flags))
            else:
                write_film(camera or [camera_picture()], camera_file)
            context = browser.new_context(viewport={"width": 1280, "height": 800}, timezone_id="UTC")
            page = stack.enter_context(context).new_page()
            if script:  # runs before the page's own, also in the frame of the video
                page.add_init_script(script)
            if told:
                goes_on(page)
            page.set_default_timeout(PATIENCE_MS)
            at = server or request.getfixturevalue("address")
            page.goto((at.replace("127.0.0.1", FAR_NAME) if far else at) + path)
            pages.append(page)
            return page

        pages: list[Page] = []
        yield opened
        if request.node.stash.get(_FAILED, False):
            for page in pages:  # what it waited for may not be there because something else is
                print(page.locator("body").inner_text())
                print(*(frame.locator("body").inner_text() for frame in page.frames[1:]), sep="\n")
