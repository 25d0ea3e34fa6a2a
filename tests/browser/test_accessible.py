"""What axe-core finds wrong for who sees little, hears the page, or uses keys alone: no more than minor faults."""

from collections.abc import Callable

import cv2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.live import camera_picture, component, look_at_film, see, wait_until_drawn


def notice(page: Page) -> None:
    see(page.get_by_role("region", name="Before you begin"))


def webcam(page: Page) -> None:
    page.get_by_role("button", name="Go on").click()
    see(component(page).get_by_role("button", name="Start"))


def pictures(page: Page) -> None:
    page.get_by_role("link", name="Pictures").click()
    page.get_by_role("button", name="Grace Hopper").click()
    see(page.get_by_text("of 5 models agree"))
    page.get_by_text("Why ").click()
    see(page.get_by_alt_text("The face, coloured where covering it changes the vote"))


def several_faces(page: Page) -> None:
    picture = cv2.imencode(".png", camera_picture(60, 360))[1].tobytes()
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(
        {"name": "two.png", "mimeType": "image/png", "buffer": picture}
    )
    see(page.get_by_text("two.png"))
    wait_until_drawn(page)
    page.get_by_role("button", name="Recognise").click()
    see(page.get_by_test_id("stDataFrame"))


def films(page: Page) -> None:
    page.get_by_role("link", name="Films").click()
    look_at_film(page)


def face(page: Page) -> None:
    page.get_by_role("link", name="Your face").click()
    see(page.get_by_role("button", name="Learn"))


def models(page: Page) -> None:
    page.get_by_role("link", name="Models").click()
    see(page.get_by_role("heading", name="When not to trust them"))
    wait_until_drawn(page)


def faults(page: Page) -> list[str]:
    """What is more than minor, a line each, in the page and in the frame of its video."""
    axe = Axe()
    for frame in page.frames[1:]:
        frame.evaluate(axe.axe_script)
    results = axe.run(page).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:400]}"
        for rule in results
        if rule["impact"] != "minor"
        for node in rule["nodes"]
    ]


@pytest.mark.slow
def test_no_part_has_more_than_a_minor_fault_light_or_dark(open_page: Callable[..., Page]) -> None:
    page = open_page([camera_picture(210)] * 30, told=False)
    found = {}
    for part in (notice, webcam, pictures, several_faces, films, face, models):
        part(page)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            wait_until_drawn(page)
            if told := faults(page):
                found[part.__name__, scheme] = told
    assert not found, "\n".join(f"{where}: {line}" for where, lines in found.items() for line in lines)
