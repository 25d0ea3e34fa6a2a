"""What axe-core finds wrong for who sees little, hears the page, or uses keys alone: no more than minor faults."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.live import (
    SCHEMES,
    VOTED,
    camera_picture,
    component,
    look_at_film,
    see,
    show_in,
    start,
    wait_until_drawn,
)
from tests.browser.test_url_page import ask_for, choose_files


def notice(page: Page) -> None:
    see(page.get_by_role("region", name="Before you begin"))


def webcam(page: Page) -> None:
    page.get_by_role("button", name="Go on").click()
    see(component(page).get_by_role("button", name="Start"))


def session(page: Page) -> None:
    start(page)
    see(page.get_by_text(VOTED))


def ended_session(page: Page) -> None:
    component(page).get_by_role("button", name="Stop").click()
    see(page.get_by_text("Press Start for another one."))


def pictures(page: Page) -> None:
    page.get_by_role("link", name="Pictures").click()
    page.get_by_role("button", name="Grace Hopper").click()
    see(page.get_by_text(VOTED))
    page.get_by_text("Why ").click()
    see(page.get_by_alt_text("The face, coloured where covering it changes the vote"))


def several_faces(page: Page) -> None:
    choose_files(page, one=camera_picture(210), two=camera_picture(60, 360))
    page.get_by_role("button", name="two.png: ").click()
    see(page.get_by_role("group", name="Faces, from left to right"))


def wrong_lines(page: Page) -> None:
    ask_for(page, "me.jpg\nhtp:/example.org/x")
    see(page.get_by_text("2 addresses or files could not be shown"))


def films(page: Page) -> None:
    page.get_by_role("link", name="Films").click()
    see(page.get_by_role("textbox", name="Or its address"))  # the part before has a choice of files too
    wait_until_drawn(page)
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
    parts = (notice, webcam, session, ended_session, pictures, several_faces, wrong_lines, films, face, models)
    for part in parts:
        part(page)
        for scheme in SCHEMES:
            show_in(page, scheme)
            wait_until_drawn(page)
            if told := faults(page):
                found[part.__name__, scheme] = told
    assert not found, "\n".join(f"{where}: {line}" for where, lines in found.items() for line in lines)
