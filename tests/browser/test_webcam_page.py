"""The webcam page in a real browser: what a visitor sees, from Start to Stop."""

import contextlib
import csv
import io
import math
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from emotion import config
from emotion.faces.decode import decode_image
from emotion.faces.detect import Box
from emotion.faces.pixels import BGRImage
from emotion.faces.yunet import Effort, YuNetDetector
from emotion.page.webcam import BUSY
from tests.browser.live import (
    FACE_CAPTION,
    SWAYING,
    VOTED,
    camera_picture,
    component,
    downloaded,
    see,
    see_none,
    serving,
    serving_with_faults,
    shown,
    start,
    vote_number,
    wait_until,
    wait_until_drawn,
)

COLOURED = 70
"""By how much blue, green and red differ in the colours of expressions, but for the grey of Neutral and the lilac of
Surprise; what the camera shows is grey. The portrait is Happy: green."""

EMPTY = [camera_picture()] * 100
"""Over three seconds: longer than it takes from one vote to the next."""


def mirrored(left: int) -> int:
    """Where a portrait is seen that the camera has at `left`."""
    return 640 - left - 220


def mirrored_boxes(picture: BGRImage) -> list[Box]:
    detector = YuNetDetector(config.VIDEO_SIDES, effort=Effort.QUICK)
    return [face.box for face in detector.detect(np.ascontiguousarray(picture[:, ::-1]))]


def in_colour(picture: BGRImage) -> np.ndarray:
    """Which pixels have the colour of an expression, (480, 640), bool; every other one is grey."""
    return np.asarray(np.ptp(picture.astype(int), axis=2) > COLOURED)


def drawn_share(drawn: np.ndarray, box: Box, aside: int = 16) -> float:
    """How much of the box's outline is drawn, a few pixels aside at most: 0 to 1."""
    x, y, w, h = box
    columns = [drawn[y : y + h, max(0, edge - aside) : edge + aside].any(axis=1) for edge in (x, x + w)]
    rows = [drawn[edge - aside : edge + aside, x : x + w].any(axis=0) for edge in (y, y + h)]
    return min(float(edge.mean()) for edge in (*columns, *rows))


def session(page: Page) -> list[dict[str, str]]:
    """Download the session."""
    return list(csv.DictReader(io.StringIO(downloaded(page, "Session as CSV").decode())))


def vote_times(page: Page) -> list[float]:
    return sorted({float(row["seconds"]) for row in session(page)})


def test_webcam_shows_boxes_and_votes_until_the_face_leaves_and_until_stop(open_page, classes):
    [box] = mirrored_boxes(camera_picture(200))
    page = open_page(camera=SWAYING + EMPTY)
    video = start(page)

    # The panel beside the video: the class, and a ballot of each model.
    see(page.get_by_text(VOTED))
    see(page.get_by_role("heading", name=re.compile(f"^({'|'.join(map(re.escape, classes))})$")))
    ballots = page.get_by_role("group", name="Ballots of the five models").get_by_role("button")
    expect(ballots).to_have_count(5)
    for ballot, name in zip(ballots.all(), config.MODEL_NAMES, strict=True):
        ballot.hover()
        see(page.get_by_text(re.compile(f"^{name}: ({'|'.join(map(re.escape, classes))})$")))

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
    see(page.get_by_role("img", name=re.compile(r"^The last minute of face \d+: \w+ from \d")))
    see(page.get_by_text(re.compile(r"^In all, [\d.]+ s with face \d+: ")))

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

    picture = decode_image(downloaded(page, "Snapshot"))
    height, width = picture.shape[:2]
    # Browsers send smaller pictures of the same shape while the computer is very busy.
    assert height / width > 0.8, "its time and the notice stand below"


def test_the_slider_changes_how_often_is_voted(open_page):
    page = open_page(camera=SWAYING)
    page.get_by_text("Settings", exact=True).click()
    slider = page.get_by_role("slider", name="Seconds between votes")
    start(page)
    see(page.get_by_text(FACE_CAPTION))
    slider.press("End")  # five seconds
    before = vote_number(page)
    # One may have been on its way, at the interval of before.
    wait_until(page, lambda: vote_number(page) > before + 1, "no votes come any more")
    assert max(np.diff(vote_times(page))) > 4.0
    page.get_by_text("Settings", exact=True).click()  # the press on the download has closed them
    slider.press("Home")  # a quarter of one
    before = vote_number(page)
    wait_until(page, lambda: vote_number(page) > before + 8, "no votes come any more")
    assert np.median(np.diff(vote_times(page))[-5:]) < 1.0


def test_settings_stay_while_another_part_is_looked_at(open_page):
    page = open_page()
    see(component(page).get_by_role("button", name="Start"))
    wait_until_drawn(page)
    chosen = {"Seconds between votes": ("Home", "0.25"), "Smoothing": ("ArrowRight", "rather calm (2 s)")}
    page.get_by_text("Settings", exact=True).click()
    for slider, (key, value) in chosen.items():
        page.get_by_role("slider", name=slider).press(key)
        expect(page.get_by_role("slider", name=slider)).to_have_attribute("aria-valuetext", value)
        wait_until_drawn(page)
    page.get_by_text("Show raw votes").click()
    expect(page.get_by_role("slider", name="Smoothing")).to_be_disabled()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Pictures").click()
    see(page.get_by_role("button", name="Recognise"))
    wait_until_drawn(page)
    page.get_by_role("link", name="Webcam").click()
    see(component(page).get_by_role("button", name="Start"))
    wait_until_drawn(page)
    page.get_by_text("Settings", exact=True).click()
    for slider, (_, value) in chosen.items():
        expect(page.get_by_role("slider", name=slider)).to_have_attribute("aria-valuetext", value)
    expect(page.get_by_role("switch", name="Show raw votes")).to_be_checked()


def test_a_busy_server_offers_the_usual_settings_first(open_page, tmp_path: Path):
    """The first of the sliders' values would be sent back, and a vote taken four times a second."""
    with serving(tmp_path / "log", "tests/browser/app_whose_drawings_are_lost.py") as address:
        page = open_page(server=address)
        see(component(page).get_by_role("button", name="Start"))
        wait_until_drawn(page)
        page.get_by_text("Settings", exact=True).click()
        for slider, usual in (("Seconds between votes", "2"), ("Smoothing", "usual (1 s)")):
            expect(page.get_by_role("slider", name=slider)).to_have_attribute("aria-valuetext", usual)


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


def test_two_faces_have_a_box_each_of_one_colour_for_one_expression(open_page):
    picture = camera_picture(40, 380)
    boxes = mirrored_boxes(picture)
    assert len(boxes) == 2
    page = open_page(camera=[picture] * 30)
    video = start(page)
    faces = page.get_by_role("group", name="Face that is shown").get_by_role("button")
    expect(faces).to_have_count(2)

    seen = shown(video)

    def each_in_a_box() -> bool:
        nonlocal seen
        seen = shown(video)
        return all(drawn_share(in_colour(seen), box) > 0.8 for box in boxes)

    wait_until(page, each_in_a_box, "two faces, and not a box around each")
    of_each = [seen[:, :320][in_colour(seen)[:, :320]], seen[:, 320:][in_colour(seen)[:, 320:]]]
    one, other = (np.median(pixels, axis=0) for pixels in of_each)
    assert np.abs(one - other).max() < 25, "both smile alike"

    other = faces.and_(page.locator("[aria-pressed=false]"))
    number = other.inner_text().split()[1]
    other.click()
    expect(page.get_by_role("button", name=f"Face {number}", exact=True)).to_have_attribute("aria-pressed", "true")
    see(page.get_by_role("img", name=re.compile(f"^The last minute of face {number}:")))


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
        see(page.get_by_text(FACE_CAPTION))
        page.get_by_text("Settings").click()
        page.get_by_text("Show raw votes").click()
        before = vote_number(page)
        wait_until(page, lambda: vote_number(page) > before + 2, "the panel stands still")


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
