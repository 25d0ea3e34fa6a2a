"""The part "Your face" in a real browser: faces from files, and frames of a camera in which somebody poses."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from emotion import config
from tests.browser.live import SWAYING, see, see_none, start, wait_until_drawn

GRACE, EILEEN = (config.EXAMPLES / f"{name}.jpg" for name in ("Grace-Hopper", "Eileen-Collins"))


def choose(page: Page, label: str) -> None:
    """Choose an expression without the mouse: a click may scroll the page, which closes the list of options."""
    wait_until_drawn(page)
    box = page.get_by_role("combobox", name="Expression")
    box.scroll_into_view_if_needed()
    box.press("ArrowDown")
    see(page.get_by_role("option", name=label, exact=True))
    box.press_sequentially(label)
    expect(page.get_by_role("option")).to_have_text([label])
    box.press("Enter")
    expect(box).to_have_value(label)


def test_a_face_of_files_is_learnt_and_votes_on_pictures_until_it_is_switched_off(
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    page.get_by_role("link", name="Your face").click()
    for label, file in (("Sad", GRACE), ("Happy", EILEEN)):
        wait_until_drawn(page)
        choose(page, label)
        page.get_by_test_id("stFileUploader").filter(has_text="Pictures of this expression").locator(
            "input"
        ).set_input_files([file, file])
        expect(page.get_by_text(file.name)).to_have_count(2)
        wait_until_drawn(page)
        page.get_by_role("button", name="Take from files").click()
        see(page.get_by_text(f"{label}: 2 of 2 pictures taken."))
    page.get_by_role("button", name="Learn").click()
    see(page.get_by_text("Faces that were kept out of the learning: 2."))
    page.get_by_role("button", name="Use it").click()
    see(page.get_by_text("These models vote in the parts Webcam and Pictures"))
    page.get_by_role("link", name="Pictures").click()
    page.get_by_role("button", name="Grace Hopper").click()
    see(page.get_by_text("By shipped, for one person"))
    wait_until_drawn(page)
    page.get_by_text("For my face").click()
    see(page.get_by_text("By the shipped models"))
    see_none(page.get_by_text("for one person"))


@pytest.mark.slow
def test_somebody_who_poses_before_the_camera_is_taken_and_the_next_expression_follows(
    open_page: Callable[..., Page], classes: list[str]
) -> None:
    """The stream, its threads, the count-down and the page's refreshes have to work together."""
    page = open_page(SWAYING)
    page.get_by_role("link", name="Your face").click()
    start(page)
    page.get_by_role("button", name="Take ten frames").click()
    see(page.get_by_text(f"Show {classes[0]}, and look at the camera."))
    see(page.get_by_text(f"{classes[0]}: 10 frames taken."))
    see(page.get_by_text(f"There are: {classes[0]} 10."))
    page.get_by_role("button", name="Take ten frames").click()
    see(page.get_by_text(f"Show {classes[1]}, and look at the camera."))
    page.get_by_role("button", name="Skip").click()
    see_none(page.get_by_text("look at the camera"))
