"""The part "Your face" in a real browser: faces from files, and frames of a camera in which somebody poses."""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from emotion import config
from emotion.faces.decode import decode_image
from emotion.faces.pixels import BGRImage
from tests.browser.live import PATIENCE_MS, component, open_part, see, see_none, start, wait_until_drawn, write_film

GRACE, EILEEN = (config.EXAMPLES / f"{name}.jpg" for name in ("Grace-Hopper", "Eileen-Collins"))


def choose(page: Page, label: str) -> None:
    """Choose an expression without the mouse: a click may scroll the page, which closes the list of options.

    Once more where the page was being drawn anew, which may close it too.
    """
    box = page.get_by_role("combobox", name="Expression")
    for patience in (10_000, PATIENCE_MS):
        box.scroll_into_view_if_needed()
        wait_until_drawn(page)
        box.fill("")
        box.fill(label)
        with suppress(AssertionError):
            expect(page.get_by_role("option")).to_have_text([label], timeout=patience)
            box.press("Enter")
            break
    expect(box).to_have_value(label)
    see(page.get_by_alt_text(f"A drawn face: {label}"))


def test_a_face_of_files_is_learnt_and_votes_on_pictures_until_it_is_switched_off(
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    open_part(page, "Your face")
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
    see(page.get_by_text("These models vote in the parts Webcam, Pictures and Films"))
    page.get_by_role("link", name="Pictures").click()
    page.get_by_role("button", name="Grace Hopper").click()
    see(page.get_by_text("By shipped, for one person"))
    wait_until_drawn(page)
    page.get_by_text("For my face").click()
    see(page.get_by_text("By the shipped models"))
    see_none(page.get_by_text("for one person"))


def film_of(file: Path) -> list[BGRImage]:
    """Somebody of a picture file who sways before a camera."""
    portrait = decode_image(file.read_bytes())
    height, width = portrait.shape[:2]
    pictures = []
    for number in range(100):
        picture = np.full((480, 640, 3), 120, dtype=np.uint8)
        left = 100 + round(6 * math.sin(number / 15))
        picture[:height, left : left + width] = portrait
        pictures.append(picture)
    return pictures


def pose(page: Page, label: str) -> None:
    wait_until_drawn(page)
    page.get_by_role("button", name="Take ten frames").click()
    see(page.get_by_text(re.compile(rf"^{label}: \d+ frames taken\.")))


def stop(page: Page) -> None:
    component(page).get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Take ten frames")).to_be_disabled()
    see(page.get_by_text("Press Start"))


@pytest.mark.slow
def test_expressions_posed_before_the_camera_are_learnt_and_found_by_the_webcam(
    open_page: Callable[..., Page], camera_file: Path
) -> None:
    """The stream, its threads, the count-down and the page's refreshes have to work together, over the page's parts.

    A calm face is shown for Happy, a smile for Neutral: models that know nobody find the reverse.
    """
    page = open_page(film_of(GRACE))
    open_part(page, "Your face")
    choose(page, "Happy")
    start(page)
    pose(page, "Happy")
    stop(page)
    write_film(film_of(EILEEN), camera_file)
    start(page)
    pose(page, "Neutral")
    take = page.get_by_role("button", name="Take ten frames")
    wait_until_drawn(page)
    take.click()
    expect(take).to_be_disabled()  # as long as Sad is posed
    wait_until_drawn(page)
    page.get_by_role("button", name="Skip").click()
    expect(take).to_be_enabled()
    see_none(page.get_by_text("look at the camera"))
    stop(page)
    see(page.get_by_text(re.compile(r"^There are: Happy \d+, Neutral \d+\.$")))
    page.get_by_role("button", name="Learn").click()
    see(page.get_by_text(re.compile(r"kept out of the learning: (\d+)\. Right before: 0\. Right now: \1\.")))
    page.get_by_role("button", name="Use it").click()
    see(page.get_by_text("These models vote in the parts Webcam, Pictures and Films"))
    page.get_by_role("link", name="Webcam").click()
    see(page.get_by_text("Settings"))
    wait_until_drawn(page)
    start(page)
    see(page.get_by_text("By shipped, for one person"))
    see(page.get_by_role("heading", name="Neutral", exact=True))
