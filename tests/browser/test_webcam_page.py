"""The webcam page in a real browser: what a visitor sees, from Start to Stop."""

import contextlib
import csv
import io
import math
import re
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from emotion import config
from emotion.faces.decode import decode_image
from emotion.faces.detect import Box
from emotion.faces.pixels import BGRImage
from emotion.faces.yunet import Effort, YuNetDetector
from emotion.page.webcam import BUSY
from emotion.streams import drawing
from tests.browser.live import (
    FACE_CAPTION,
    PATIENCE_MS,
    SWAYING,
    camera_picture,
    component,
    see,
    see_none,
    serving,
    serving_with_faults,
    shown,
    start,
    wait_until_drawn,
)

COLOUR_TOLERANCE = 70.0
"""Of blue, green and red together; the video's compression blurs thin lines, every grey is over 120 away."""

EMPTY = [camera_picture()] * 100
"""Over three seconds: longer than it takes from one vote to the next."""


def mirrored(left: int) -> int:
    """Where a portrait is seen that the camera has at `left`."""
    return 640 - left - 220


def mirrored_boxes(picture: BGRImage) -> list[Box]:
    detector = YuNetDetector(config.VIDEO_SIDES, effort=Effort.QUICK)
    return [face.box for face in detector.detect(np.ascontiguousarray(picture[:, ::-1]))]


def wait_until(page: Page, met: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not met():
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(50)


def in_colour(picture: BGRImage, numbers: range = range(1, 7)) -> np.ndarray:
    """Which pixels have the colour of the boxes of faces of these numbers, (480, 640), bool."""
    colours = np.array([drawing.FACE_COLOURS_BGR[number - 1] for number in numbers])
    distance = np.linalg.norm(picture.astype(int)[:, :, None] - colours, axis=-1).min(axis=-1)
    return np.asarray(distance < COLOUR_TOLERANCE)


def drawn_share(drawn: np.ndarray, box: Box, aside: int = 16) -> float:
    """How much of the box's outline is drawn, a few pixels aside at most: 0 to 1."""
    x, y, w, h = box
    columns = [drawn[y : y + h, max(0, edge - aside) : edge + aside].any(axis=1) for edge in (x, x + w)]
    rows = [drawn[edge - aside : edge + aside, x : x + w].any(axis=0) for edge in (y, y + h)]
    return min(float(edge.mean()) for edge in (*columns, *rows))


def session(page: Page) -> list[dict[str, str]]:
    """Download the session."""
    return list(csv.DictReader(io.StringIO(downloaded(page, "Session as CSV").decode())))


def downloaded(page: Page, name: str, place: int = 0) -> bytes:
    """Press a download's button, again where the page was being drawn anew, which takes its old buttons back."""
    pressed = page.get_by_role("button", name=name, exact=True).nth(place)
    for patience in (5_000, PATIENCE_MS):
        wait_until_drawn(page)
        with contextlib.suppress(PlaywrightTimeout), page.expect_download(timeout=patience) as download:
            pressed.click()
            return Path(download.value.path()).read_bytes()
    raise AssertionError(f"{name} gives nothing")


def face_caption(page: Page) -> Locator:
    """Give the caption of the face: the upper one while a drawing with fewer lines above it replaces another."""
    return page.get_by_text(FACE_CAPTION).first


def vote_number(page: Page) -> int:
    """Which vote the panel shows."""
    return int(re.search(r"vote (\d+)", face_caption(page).inner_text())[1])  # type: ignore[index]


def vote_times(page: Page) -> list[float]:
    return sorted({float(row["seconds"]) for row in session(page)})


def test_webcam_shows_boxes_and_votes_until_the_face_leaves_and_until_stop(open_page, classes):
    [box] = mirrored_boxes(camera_picture(200))
    page = open_page(camera=SWAYING + EMPTY)
    video = start(page)

    # The panel beside the video: the class, and a ballot of each model.
    see(page.get_by_text("of 5 models agree"))
    see(page.get_by_role("heading", name=re.compile(f"^({'|'.join(map(re.escape, classes))})$")))
    for name in config.MODEL_NAMES:
        see(page.get_by_role("cell", name=name, exact=True))

    # The video: a box around the face that the camera shows, in colours that the camera does not.
    wait_until(page, lambda: drawn_share(in_colour(shown(video)), box) > 0.8, "there is no box around the face")

    see(page.get_by_text("No face", exact=True))
    component(page).get_by_role("button", name="Stop").click()
    see(page.get_by_text("Press Start"))


def test_the_session_of_a_face_that_leaves_and_returns_can_be_downloaded(open_page, classes):
    page = open_page(camera=SWAYING + EMPTY)
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    see(page.get_by_text("No face", exact=True))
    see(page.locator('[data-testid="stVegaLiteChart"] canvas, [data-testid="stVegaLiteChart"] svg'))
    see(page.get_by_text("seconds with a face"))

    def returned() -> bool:
        page.wait_for_timeout(1000)  # a vote is taken every two seconds
        return re.search("f-+f", "".join("f" if row["face"] else "-" for row in session(page))) is not None

    wait_until(page, returned, "no vote on the face that has returned, or no pause, is in the session")
    rows = session(page)
    assert {row["label"] for row in rows if row["face"]} <= set(classes)
    for row in rows:
        assert datetime.fromisoformat(row["utc"]).tzinfo == UTC
        if row["face"]:
            assert sum(float(row[f"p_{label}"]) for label in classes) == pytest.approx(1, abs=0.01)
            assert {row[name] for name in config.MODEL_NAMES} <= set(classes)

    picture = decode_image(downloaded(page, "Annotated snapshot"))
    assert picture.shape == (480, 640, 3)


def test_a_session_with_a_mark_is_saved_opened_again_and_reported(open_page, tmp_path: Path):
    """Its numbers are the same in the table, the file that opens again, and the reports of both."""
    page = open_page(camera=SWAYING)
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    wait_until_drawn(page)
    page.get_by_label("Mark this moment").fill("question 1")
    page.get_by_role("button", name="Set mark").click()
    see(page.get_by_text("Marked: question 1"))
    wait_until(page, lambda: session(page)[-1]["mark"] == "question 1", "no vote after the mark has its word")
    component(page).get_by_role("button", name="Stop").click()
    see(page.get_by_text("Press Start"))
    see_none(page.get_by_role("button", name="Set mark"))
    table, report = downloaded(page, "Session as CSV"), downloaded(page, "Report")
    (tmp_path / "session.zip").write_bytes(downloaded(page, "Save"))
    page.get_by_text("Open a saved session").click()
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(tmp_path / "session.zip")
    see(page.get_by_text("by shipped, 1 mark."))
    assert downloaded(page, "Session as CSV", 1) == table
    assert downloaded(page, "Report", 1) == report
    assert b"question 1" in report
    shutil.copy(tmp_path / "session.zip", tmp_path / "again.zip")
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(tmp_path / "again.zip")
    assert b"Nothing differs by more than chance has it." in downloaded(page, "Comparison")


def test_the_slider_changes_how_often_is_voted(open_page):
    page = open_page(camera=SWAYING)
    page.get_by_text("Settings", exact=True).click()
    slider = page.get_by_role("slider", name="Seconds between votes")
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    slider.press("End")  # five seconds
    before = vote_number(page)
    # One may have been on its way, at the interval of before.
    wait_until(page, lambda: vote_number(page) > before + 2, "no votes come any more")
    assert max(np.diff(vote_times(page))) > 4.0
    slider.press("Home")  # a quarter of one
    before = vote_number(page)
    wait_until(page, lambda: vote_number(page) > before + 8, "no votes come any more")
    assert np.median(np.diff(vote_times(page))[-5:]) < 1.0


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280)], ids=["wide", "upright"])
def test_cameras_of_other_shapes_are_not_cut(open_page, size):
    """A browser that is asked for 640x480 cuts faces off at the sides, or at the top."""
    width, height = size
    scene = np.full((height, width, 3), 120, np.uint8)
    portrait = camera_picture(0)[120:370, :220]
    scene[height - 250 :, width - 220 :] = portrait
    page = open_page(camera=[scene] * 30)
    video = start(page)
    see(page.get_by_text(FACE_CAPTION))
    shape = video.evaluate("video => video.videoWidth / video.videoHeight")
    assert shape == pytest.approx(width / height, rel=0.02)


def test_two_faces_have_a_box_and_a_colour_each(open_page):
    picture = camera_picture(40, 380)
    boxes = mirrored_boxes(picture)
    assert len(boxes) == 2
    page = open_page(camera=[picture] * 30)
    video = start(page)
    chooser = page.get_by_role("combobox", name="Face")
    see(chooser)

    def each_in_a_colour_of_its_own() -> bool:
        drawn = [in_colour(shown(video), range(n, n + 1)) for n in (1, 2)]
        return any(
            all(drawn_share(d, b) > 0.8 for d, b in zip(drawn, order, strict=True)) for order in (boxes, boxes[::-1])
        )

    wait_until(page, each_in_a_colour_of_its_own, "two faces, and not a box in its own colour around each")

    chooser.click()
    page.get_by_role("option", name="2", exact=True).click()
    see(page.get_by_text(re.compile("^Face 2, one of 2")))


def test_the_box_goes_with_a_face_that_crosses_the_picture(open_page):
    """A box where the head was two seconds ago would be the first thing that anybody sees."""
    lefts = [210 + round(190 * math.sin(2 * math.pi * number / 150)) for number in range(150)]
    page = open_page(camera=[camera_picture(left) for left in lefts])
    video = start(page)
    see(page.get_by_text(FACE_CAPTION))
    [still] = mirrored_boxes(camera_picture(200))
    middle_of_portrait = mirrored(200) + 110
    offset = still.x + still.w / 2 - middle_of_portrait

    aside: list[float] = []
    places: list[float] = []

    def seen_enough() -> bool:
        picture = shown(video)
        columns = np.flatnonzero(in_colour(picture)[150:330].sum(axis=0) > 60)  # the box's upright edges
        # The portrait differs from the ground, which is 120 everywhere.
        inside = np.flatnonzero((np.abs(picture[345:360].astype(int).mean(axis=2) - 120) > 12).mean(axis=0) > 0.5)
        if len(columns) and len(inside) and np.ptp(columns) > 60 and np.ptp(inside) > 180:
            places.append((inside[0] + inside[-1]) / 2)
            aside.append((columns[0] + columns[-1]) / 2 - offset - places[-1])
        return len(places) >= 20 and float(np.ptp(places)) > 250

    wait_until(page, seen_enough, f"the box was seen {len(places)} times only")
    assert np.median(np.abs(aside)) < 20
    assert np.mean(np.abs(aside) < 40) > 0.8


@pytest.mark.parametrize(
    ("fault", "notice"),
    [("raise", "Recognition failed, see the server's log"), ("dawdle", "The vote takes longer than usual…")],
)
def test_the_video_goes_on_while_models_fail_or_dawdle_and_votes_come_back(open_page, faults, fault, notice):
    address, asked = faults
    page = open_page(camera=SWAYING, server=address)
    video = start(page)
    see(page.get_by_text(FACE_CAPTION))

    asked.write_text(fault)
    see(page.get_by_text(notice))
    before = shown(video)
    wait_until(page, lambda: np.abs(shown(video).astype(int) - before).max() > 60, "the video stands still")
    if fault == "raise":
        see_none(page.get_by_text("No face", exact=True))

    asked.write_text("")
    see_none(page.get_by_text(notice))
    see(page.get_by_text(FACE_CAPTION))


def test_the_page_is_drawn_anew_when_its_drawing_was_cut_short(open_page, faults):
    """The next refresh finds no place for the session's panel, which would be gone for good."""
    address, asked = faults
    page = open_page(camera=SWAYING, server=address)
    start(page)
    panel = page.get_by_text("This session")
    see(panel)
    page.get_by_text("Settings").click()
    asked.write_text("cut")

    def is_cut_short() -> bool:
        if asked.read_text():
            page.get_by_text("Show raw votes").click()  # once more where the computer is very busy
            page.wait_for_timeout(500)
        return asked.read_text() == ""

    wait_until(page, is_cut_short, "no drawing was cut short")
    caption = face_caption(page)
    for _ in range(3):
        drawn = caption.inner_text()
        expect(caption).not_to_have_text(drawn)
    see(panel)


def test_the_page_says_that_models_are_loading_and_offers_the_camera_once_they_are(open_page, tmp_path: Path):
    asked = tmp_path / "fault"
    asked.write_text("load")
    with serving_with_faults(tmp_path / "log", asked) as address:
        page = open_page(camera=SWAYING, server=address)
        see(page.get_by_text("Loading the five models…"))
        asked.write_text("")
        see(component(page).get_by_role("button", name="Start"))


def test_panels_go_on_after_a_refresh_that_met_a_new_drawing_on_its_way(open_page, tmp_path: Path):
    """Streamlit may forget the end of a drawing then; votes would stand still beside a video that goes on."""
    with serving(tmp_path / "log", "tests/browser/app_over_a_slow_line.py") as address:
        page = open_page(camera=SWAYING, server=address)
        start(page)
        caption = face_caption(page)
        see(caption)
        page.get_by_text("Settings").click()
        page.get_by_text("Show raw votes").click()
        drawn = caption.inner_text()
        for _ in range(2):
            expect(caption).not_to_have_text(drawn)
            drawn = caption.inner_text()


@pytest.mark.hostile("that all places are taken, and Try again")
def test_one_who_comes_too_late_is_told_and_gets_the_place_of_one_who_stops(open_page, chromium, tmp_path: Path):
    with serving(tmp_path / "log", environment={"EMOTION_SESSIONS": "1"}) as address:
        early = open_page(camera=SWAYING, server=address)
        see(component(early).get_by_role("button", name="Start"))
        first = open_page(camera=SWAYING, server=address)
        start(first)
        see(first.get_by_text(FACE_CAPTION))
        start(early)
        see(early.get_by_text(BUSY))
        expect(early.locator('iframe[title*="webrtc"]')).to_have_count(0)  # its pictures would cost as much as any

        second = open_page(camera=SWAYING, server=address)
        see(second.get_by_text(BUSY))
        again = second.get_by_role("button", name="Try again")
        again.click()
        see(again)

        component(first).get_by_role("button", name="Stop").click()
        see(component(first).get_by_role("button", name="Start"))
        offered = component(second).get_by_role("button", name="Start")

        def is_let_in() -> bool:
            if again.is_visible():
                with contextlib.suppress(PlaywrightTimeout):  # it may go just now
                    again.click(timeout=2000)
            return offered.is_visible()

        wait_until(second, is_let_in, "the place stays taken")
        start(second)
        see(second.get_by_text(FACE_CAPTION))
