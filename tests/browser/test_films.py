"""The part "Films" in a real browser: a film that is chosen becomes a player, timelines that move it, and files."""

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from emotion import config
from emotion.faces.decode import decode_image
from emotion.faces.pixels import BGRImage
from tests.browser.live import see, see_none, wait_until_drawn
from tests.films import film

SIZES = {"desktop": (1366, 768), "phone": (390, 844)}
RATE = 10


def portrait(name: str) -> BGRImage:
    picture = decode_image((config.EXAMPLES / f"{name}.jpg").read_bytes())
    return np.asarray(cv2.resize(picture, (256, 320), interpolation=cv2.INTER_AREA), dtype=np.uint8)


@pytest.fixture(scope="module")
def two_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One face for three seconds, then another one, with sound."""
    pictures = [portrait(name) for name in ("Grace-Hopper", "Eileen-Collins") for _ in range(3 * RATE)]
    file = tmp_path_factory.mktemp("films") / "two people.mp4"
    file.write_bytes(film(pictures, rate=RATE, sound=True))
    return file


def choose(page: Page, file: Path) -> None:
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(file)
    see(page.get_by_text(file.name))
    wait_until_drawn(page)
    page.get_by_role("button", name="Recognise").click()


def download(page: Page, label: str, into: Path) -> Path:
    wait_until_drawn(page)
    with page.expect_download() as waited:
        page.get_by_role("button", name=label).click()
    path = into / waited.value.suggested_filename
    waited.value.save_as(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_film_is_played_with_its_boxes_and_a_click_on_a_timeline_moves_it(
    open_page: Callable[..., Page], two_people: Path, tmp_path: Path, size: str
) -> None:
    page = open_page(path="/films")
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    choose(page, two_people)
    see(page.get_by_role("heading", name=two_people.name))
    video = page.locator("video")
    expect(video).to_have_js_property("readyState", 4)  # the browser has what it needs to play it
    expect(video).to_have_js_property("videoWidth", 256)
    assert video.evaluate("video => Math.round(video.duration)") == 6
    assert video.evaluate("video => video.currentTime") == 0
    see(page.get_by_role("heading", name="Face 1"))
    see(page.get_by_role("heading", name="Face 2"))
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth") <= 0

    chart = page.get_by_test_id("stVegaLiteChart").last.locator("canvas, svg.marks")
    see(chart)
    wait_until_drawn(page)
    box = chart.bounding_box()
    assert box is not None
    chart.click(position={"x": 0.9 * box["width"], "y": 12})  # the second face is on the right
    expect(video).to_have_js_property("currentTime", 5)
    expect(video).to_be_in_viewport(ratio=0.9)  # what a click does is seen

    # The same by keys.
    changes = page.get_by_role("combobox", name="Go to a change of face 2")
    changes.focus()
    page.keyboard.type("0:03")
    page.keyboard.press("Enter")
    expect(video).to_have_js_property("currentTime", 3)
    expect(changes).to_have_value("")

    rows = list(csv.DictReader(download(page, "Votes as CSV", tmp_path).read_text().splitlines()))
    assert {row["film"] for row in rows} == {"two people.mp4"}
    assert [row["face"] for row in rows] == ["1"] * 15 + ["2"] * 15
    annotated = download(page, "Annotated film", tmp_path)
    assert annotated.name == "two people-annotated.mp4"
    assert annotated.read_bytes()[4:8] == b"ftyp"
    report = download(page, "Report", tmp_path)
    assert report.name == "two people.html"
    assert "Face 2" in report.read_text()


@pytest.mark.slow
def test_a_long_film_shows_how_far_it_is_and_goes_on_while_another_part_is_looked_at(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    file = tmp_path / "long.mp4"
    file.write_bytes(film([portrait("Grace-Hopper")] * 3000, rate=RATE, options={"preset": "ultrafast"}))
    page = open_page(path="/films")
    choose(page, file)
    see(page.get_by_text("Looking for faces: 0:"))
    see(page.get_by_alt_text("with a box around each face"))
    see(page.get_by_text("to go"))
    page.get_by_role("link", name="Models").click()
    see_none(page.get_by_text("Looking for faces"))
    page.get_by_role("link", name="Films").click()
    see(page.get_by_text("Looking for faces: 0:"))
    wait_until_drawn(page)
    page.get_by_role("button", name="Stop").click()
    see(page.get_by_text("You stopped it: it was looked at up to"))
    see(page.get_by_role("heading", name="Face 1"))
    expect(page.locator("video")).to_have_js_property("readyState", 4)
    see_none(page.get_by_role("button", name="Stop"))
