"""People are told before anything is recognised: before any camera, and before any picture; once in a visit."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from emotion import config
from tests.browser.live import FACE_CAPTION, SWAYING, VOTED, component, see, see_none, start, wait_until_drawn
from tests.browser.test_keyboard import go_to
from tests.browser.test_url_page import SlowHandler, serving_pictures

COUNTING = """
top.asked ??= [];
for (const what of ["getUserMedia", "enumerateDevices", "getDisplayMedia"]) {
  const own = MediaDevices.prototype[what];
  MediaDevices.prototype[what] = function (...wish) { top.asked.push(what); return own.apply(this, wish); };
}
"""
"""Notes what any frame of the page asks of the browser's cameras."""


def asked(page: Page) -> list[str]:
    found: list[str] = page.evaluate("top.asked")
    return found


def is_told(page: Page) -> None:
    see(page.get_by_role("region", name="Before you begin"))
    see(page.get_by_role("button", name="Go on"))
    wait_until_drawn(page)


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Go on").click()
    see_none(page.get_by_role("region", name="Before you begin"))


def test_the_notice_comes_before_any_camera_in_every_part_and_once_in_a_visit(open_page: Callable[..., Page]) -> None:
    page = open_page(SWAYING, script=COUNTING, told=False)
    is_told(page)
    for part in ("Pictures", "Films", "Your face", "Webcam"):
        page.get_by_role("link", name="Models").click()
        see(page.get_by_role("heading", name="From a picture to a vote"))
        see_none(page.get_by_role("region", name="Before you begin"))
        page.get_by_role("link", name=part).click()
        is_told(page)
        assert page.locator('iframe, input[type="file"], textarea').count() == 0
    assert asked(page) == []
    go_on(page)
    see(component(page).get_by_role("button", name="Start"))
    assert set(asked(page)) <= {"enumerateDevices"}, "the camera itself waits for Start"
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    assert "getUserMedia" in asked(page)
    page.get_by_role("link", name="Pictures").click()
    see(page.get_by_role("button", name="Recognise"))
    see_none(page.get_by_role("region", name="Before you begin"))


def test_a_link_to_a_picture_shows_the_notice_first_and_the_picture_then(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    class Handler(SlowHandler):
        may_answer = threading.Event()

    Handler.may_answer.set()
    with serving_pictures(tmp_path, Handler) as pictures:
        page = open_page(path=f"/pictures?url={pictures}/astronaut.jpg", told=False)
        is_told(page)
        assert Handler.asked == 0
        go_on(page)
        see(page.get_by_text(VOTED))
        assert Handler.asked == 1


def test_those_who_hear_the_page_are_told_and_keys_alone_lead_on(open_page: Callable[..., Page]) -> None:
    """By what the browser hands to screen readers."""
    page = open_page(told=False)
    is_told(page)
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    heard = {
        (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")
    }
    assert ("region", "Before you begin") in heard
    assert ("heading", "Before you begin") in heard
    assert ("button", "Go on") in heard
    assert sum(role == "listitem" for role, _ in heard) <= 4
    alert = page.get_by_role("region", name="Before you begin").get_by_role("alert")
    expect(alert).to_contain_text("everyone in the picture")
    expect(alert.get_by_role("listitem")).to_have_count(4)
    expect(alert).to_contain_text("on this computer")
    go_to(page, "Go on")
    page.keyboard.press("Enter")
    see_none(page.get_by_role("region", name="Before you begin"))
    see(component(page).get_by_role("button", name="Start"))


def test_who_comes_from_elsewhere_is_told_that_the_server_does_it(open_page: Callable[..., Page]) -> None:
    page = open_page(far=True, told=False)
    is_told(page)
    see(page.get_by_text("on the server of this page"))


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_the_notice_and_its_button_are_seen_at_once_and_the_line_below_stays_low(
    open_page: Callable[..., Page], width: int, height: int
) -> None:
    """What has to be scrolled to is not told at first exposure; and the line below takes from every part."""
    page = open_page(told=False)
    page.set_viewport_size({"width": width, "height": height})
    is_told(page)
    expect(page.get_by_role("alert")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Go on")).to_be_in_viewport(ratio=1)
    line = page.get_by_test_id("stBottom").bounding_box()
    assert line is not None
    assert line["height"] <= 40
    expect(page.get_by_text("judge nobody by it.")).to_be_in_viewport(ratio=1)


def test_the_sheet_to_hang_up_is_one_page_with_large_letters(shared_browser: Browser) -> None:
    page = shared_browser.new_page()
    page.goto((config.ROOT / "docs" / "sheet.html").as_uri())
    sheet = page.pdf(prefer_css_page_size=True)
    page.close()
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1
    assert re.search(rb"/MediaBox\s*\[0 0 59[45][.\d]* 84[12]", sheet), "A4"
