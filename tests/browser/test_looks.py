"""Every page, light and dark, on a desk and on a phone: pictures to look at, in screenshots/, and what fits nowhere."""

import re

import pytest
from playwright.sync_api import Page, expect

from emotion import config
from tests.browser.live import SCHEMES, VOTED, camera_picture, component, look_at_film, see, show_in

SCREENSHOTS = config.ROOT / "screenshots"
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def webcam(page: Page) -> None:
    component(page).get_by_role("button", name="Start").click()
    see(page.get_by_text(VOTED))
    see(page.get_by_text(re.compile(r"^In all, [\d.]+ s with face 1: ")))


def pictures(page: Page) -> None:
    page.get_by_role("button", name="Grace Hopper").click()
    see(page.get_by_text(VOTED))
    page.get_by_text("Why ").click()
    see(page.get_by_alt_text("The face, coloured where covering it changes the vote"))


def films(page: Page) -> None:
    look_at_film(page)


def face(page: Page) -> None:
    component(page).get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Take ten frames").click()
    see(page.get_by_text("and look at the camera."))


def models(page: Page) -> None:
    see(page.get_by_role("heading", name="The five models, and the words"))


@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_its_window(open_page, size):
    """On a phone, what sticks out at the side is lost."""
    page = open_page(camera=[camera_picture(210)] * 30)
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    home = page.url
    for visit in (webcam, pictures, films, face, models):
        page.goto(home if visit is webcam else f"{home}{visit.__name__}")
        visit(page)
        for scheme in SCHEMES:
            show_in(page, scheme)
            expect(page.get_by_text("judge nobody by it.")).to_be_in_viewport()
            SCREENSHOTS.mkdir(exist_ok=True)
            page.screenshot(path=SCREENSHOTS / f"{visit.__name__}-{scheme}-{size}.png")
            # The page scrolls inside an element of Streamlit's, which is as wide as the window.
            main = page.get_by_test_id("stMain")
            assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
