"""What stands around the parts: little of the window, links on a phone, and a server that is started anew."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from emotion.page.around.connection import LOST
from tests.browser.live import running, see, see_none, server_process, serving, wait_until_drawn
from tests.loopback import free_port

PARTS = ["Webcam", "Pictures", "Films", "Your face", "Models"]


def ends_above(page: Page, element: str, most: int) -> None:
    """Wait until this ends above so many pixels: what is still loaded has a place holder, of another height."""
    page.wait_for_function(
        "([element, most]) => document.querySelector(element)?.getBoundingClientRect().bottom <= most",
        arg=[element, most],
    )


def test_parts_and_heading_leave_a_laptop_its_window(open_page: Callable[..., Page]) -> None:
    page = open_page(told=False)
    page.set_viewport_size({"width": 1366, "height": 768})
    see(page.get_by_role("heading", level=1, name="Facial expression recognition"))
    for part in PARTS:
        page.get_by_role("navigation", name="App pages").get_by_role("link", name=part).click()
        wait_until_drawn(page)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        ends_above(page, ".st-key-head", 100)


def test_a_phone_shows_all_parts_at_once_and_which_one_it_is_in(open_page: Callable[..., Page]) -> None:
    page = open_page(told=False)
    page.set_viewport_size({"width": 390, "height": 844})
    row = page.locator(".st-key-parts")
    for part in PARTS:
        for link in PARTS:
            expect(row.get_by_role("link", name=link, exact=True)).to_be_in_viewport(ratio=1)
        row.get_by_role("link", name=part, exact=True).click()
        wait_until_drawn(page)
        see_none(page.get_by_test_id("stSidebar"))
        current = row.get_by_role("link", name=part, exact=True)
        expect(current).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
        expect(page.get_by_role("heading", level=1, name="Facial expression recognition")).to_have_count(1)
        ends_above(page, ".st-key-parts", 50)
        ends_above(page, ".st-key-head", 100)


@pytest.mark.slow
def test_what_was_asked_for_comes_although_the_page_is_drawn_anew_before_it_is_sent(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    """A download's button would wait for minutes, disabled, and files that were chosen would never come."""
    with serving(tmp_path / "log", "tests/browser/app_drawn_anew.py") as address:
        page = open_page(server=address, told=False)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save", exact=True).click()
        assert Path(download.value.path()).read_text() == "Zoë"
        file = FilePayload(name="Zoë.jpg", mimeType="image/jpeg", buffer=b"picture")
        page.get_by_test_id("stFileUploader").locator("input").set_input_files(file)
        see(page.get_by_text("Zoë.jpg has come"))


def serve(port: int, log_file: Path) -> AbstractContextManager[str]:
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "web_app.py",
        f"--server.port={port}",
        "--server.headless=true",
    ]
    return running(command, port, log_file, os.environ)


@pytest.mark.slow
def test_a_server_that_is_started_anew_is_told_and_the_page_goes_on_by_itself(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    port = free_port()
    with serve(port, tmp_path / "first") as server:
        page = open_page(server=server, path="/pictures", told=False)
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("button", name="Grace Hopper").click()
        see(page.get_by_text("Grace-Hopper.jpg"))
        wait_until_drawn(page)
        server_process(server).kill()
        expect(page.get_by_role("status").filter(has_text="The server does not answer.")).to_be_visible()
    # Longer than Streamlit waits for its own dialog.
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').filter(e => e.name.endsWith('/_stcore/health')).length > 6"
    )
    see_none(page.get_by_role("dialog"))
    with serve(port, tmp_path / "second"):
        see(page.get_by_text(LOST))
        see_none(page.get_by_text("The server does not answer."))
        see_none(page.get_by_text("Grace-Hopper.jpg"))
        page.get_by_role("button", name="Go on").click()
        see_none(page.get_by_text(LOST))
        page.get_by_role("button", name="Grace Hopper").click()
        see(page.get_by_text("Grace-Hopper.jpg"))
        wait_until_drawn(page)
    assert "Traceback" not in (tmp_path / "second").read_text()
