"""The page for image addresses in a real browser, with pictures served on this computer."""

import functools
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from playwright.sync_api import FilePayload, Page, expect

from emotion import config
from emotion.faces.pixels import BGRImage
from tests.browser.live import VOTED, camera_picture, goes_on, see, see_none, wait_until_drawn

AT_A_TIME = 2
"""Addresses that app_with_faults.py fetches side by side; a server that is not tested fetches more."""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class SlowHandler(QuietHandler):
    """Answers when told."""

    asked = 0
    may_answer: threading.Event

    def do_GET(self) -> None:
        type(self).asked += 1
        type(self).may_answer.wait(60)
        super().do_GET()


@contextmanager
def serving_pictures(folder: Path, kind: type[QuietHandler] = QuietHandler) -> Iterator[str]:
    """Serve a portrait, a page of text and one that names the portrait as its main picture, and give the address."""
    astronaut_bgr = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    assert cv2.imwrite(str(folder / "astronaut.jpg"), astronaut_bgr)
    (folder / "page.html").write_text("<h1>No picture</h1>")
    (folder / "about.html").write_text("<h1>About</h1><meta property='og:image' content='astronaut.jpg'>")
    handler = functools.partial(kind, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def pictures(tmp_path: Path) -> Iterator[str]:
    with serving_pictures(tmp_path) as address:
        yield address


def open_form(page: Page) -> None:
    """Open the form, which is folded where there are results."""
    wait_until_drawn(page)
    recognise, folded = page.get_by_role("button", name="Recognise"), page.get_by_text("Other pictures")
    expect(recognise.or_(folded).filter(visible=True).first).to_be_visible()
    if not recognise.is_visible():
        folded.click()


def ask_for(page: Page, address: str) -> None:
    open_form(page)
    page.get_by_label("Addresses of pictures, one a line").fill(address)
    page.get_by_role("button", name="Recognise").click()


def test_a_link_to_the_page_opens_its_picture(open_page, pictures):
    page = open_page(path=f"/?url={pictures}/astronaut.jpg")
    see(page.get_by_text(VOTED))


def test_address_gives_the_vote_or_the_reason_why_not(open_page, pictures, classes):
    page = open_page(path="/pictures")
    ask_for(page, f"{pictures}/astronaut.jpg")
    see(page.get_by_text(VOTED))
    one_class = re.compile(f"^({'|'.join(map(re.escape, classes))})$")
    see(page.get_by_role("heading", name=one_class))
    ballots = page.get_by_role("group", name="Ballots of the five models").get_by_role("button")
    expect(ballots).to_have_count(5)
    for ballot, name in zip(ballots.all(), config.MODEL_NAMES, strict=True):
        expect(ballot).to_have_accessible_name(re.compile(f"^{name}: ({'|'.join(map(re.escape, classes))})$"))
    picture = page.get_by_alt_text("The picture astronaut.jpg: ")
    see(picture)
    expect(picture).to_have_js_property("naturalWidth", 512)

    ask_for(page, f"{pictures}/page.html")
    see(page.get_by_text("leads to a web page, not to a picture"))
    see_none(page.get_by_text(VOTED))

    # What Markdown would make a link, a symbol, a dash, a formula or HTML.
    hostile = "www@example.org/--a@b.org:smile:<b>:material_face:$x$**a**b"
    ask_for(page, f"{hostile}\nnonsense")
    alert = page.get_by_role("alert").first
    expect(alert).to_contain_text(hostile)
    assert alert.locator("a, b, strong, span, img").count() == 0

    ask_for(page, "nonsense")
    see(page.get_by_text("There is no web address in nonsense: paste one like"))
    see_none(page.get_by_text("leads to a web page"))


def test_the_main_picture_of_a_page_opens_at_a_press(open_page, pictures):
    page = open_page(path="/pictures")
    ask_for(page, f"![about]({pictures}/about.html)")
    see(page.get_by_text("leads to a web page, not to a picture"))
    page.get_by_role("button", name="Open the page's main picture").click()
    see(page.get_by_text(VOTED))
    see(page.get_by_text(f"{pictures}/astronaut.jpg"))
    see_none(page.get_by_text("leads to a web page"))


@pytest.mark.hostile("the file's name, and that it is larger than 50 MB")
def test_a_file_that_is_too_large_is_refused_and_the_page_goes_on(open_page, tmp_path: Path) -> None:
    page = open_page(path="/pictures")
    (tmp_path / "huge.png").write_bytes(bytes(53_000_000))
    page.locator('input[type="file"]').set_input_files(tmp_path / "huge.png")
    see(page.get_by_text("50.0MB"))
    page.get_by_role("button", name="Recognise").click()
    see(page.get_by_text("choose a file of at most 50 MB"))
    page.get_by_role("button", name="Grace Hopper").click()
    see(page.get_by_text(VOTED))


@pytest.mark.hostile("The server is busy fetching for others: try again in a minute")
def test_one_who_asks_while_all_fetch_is_told_and_is_served_later(open_page, faults, tmp_path: Path):
    address, _ = faults

    class Handler(SlowHandler):
        may_answer = threading.Event()

    with serving_pictures(tmp_path, Handler) as slow:
        try:
            first = open_page(server=address, path="/pictures")
            others = [goes_on(first.context.new_page()) for _ in range(AT_A_TIME)]
            for page in others:
                page.goto(f"{address}/pictures", wait_until="commit")  # all load side by side
            visitors = [first, *others]
            for page in visitors:
                see(page.get_by_role("button", name="Recognise"))
            *early, late = visitors
            for page in early:
                ask_for(page, f"{slow}/astronaut.jpg")
            while Handler.asked < AT_A_TIME:
                first.wait_for_timeout(50)
            ask_for(late, f"{slow}/astronaut.jpg")
            see(late.get_by_text("The server is busy fetching for others"))
            assert Handler.asked == AT_A_TIME
        finally:
            Handler.may_answer.set()
        for page in early:
            see(page.get_by_text(VOTED))
        ask_for(late, f"{slow}/astronaut.jpg")
        see(late.get_by_text(VOTED))


def choose_files(page: Page, **pictures: BGRImage) -> None:
    """Choose pictures by their names, and have them recognised."""
    files: list[FilePayload] = [
        {"name": f"{name}.png", "mimeType": "image/png", "buffer": cv2.imencode(".png", picture)[1].tobytes()}
        for name, picture in pictures.items()
    ]
    open_form(page)
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(files)
    for file in files:
        see(page.get_by_text(file["name"]))
    wait_until_drawn(page)
    page.get_by_role("button", name="Recognise").click()


def test_a_face_is_chosen_where_it_is_seen(open_page: Callable[..., Page]) -> None:
    page = open_page(path="/pictures")
    choose_files(page, two=camera_picture(60, 360))
    faces = page.get_by_role("group", name="Faces, from left to right").get_by_role("button")
    expect(faces).to_have_count(2)
    expect(faces.nth(0)).to_have_attribute("aria-pressed", "true")
    crop = page.get_by_alt_text("The face as the models see it")
    first = crop.get_attribute("src")
    box = page.get_by_role("button", name="Face 2: ").first
    box.click()
    expect(faces.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(crop).not_to_have_attribute("src", first or "")
    second = crop.get_attribute("src")
    page.get_by_text("Why this vote?").click()
    see(page.get_by_alt_text("The face, coloured where covering it changes the vote"))
    page.get_by_text("Why this vote?").click()
    faces.nth(0).focus()
    page.keyboard.press("Enter")
    expect(crop).to_have_attribute("src", first or "")
    expect(faces.nth(0)).to_be_focused()  # whoever uses keys goes on from there
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(crop).to_have_attribute("src", second or "")


def test_of_several_pictures_one_is_large_and_a_new_choice_takes_their_place(open_page: Callable[..., Page]) -> None:
    page = open_page(path="/pictures")
    wall = np.full((200, 300, 3), 90, dtype=np.uint8)
    choose_files(page, wall=wall, one=camera_picture(200), two=camera_picture(60, 360))
    grid = page.get_by_role("group", name="Pictures").get_by_role("button")
    expect(grid).to_have_count(3)
    expect(grid.nth(0)).to_have_accessible_name("wall.png: no face")
    see(page.get_by_alt_text("The picture one.png: "))
    grid.nth(2).click()
    see(page.get_by_alt_text("The picture two.png: "))
    see_none(page.get_by_alt_text("The picture one.png: "))
    see(page.get_by_text("2 faces found. Is somebody missing?"))
    wait_until_drawn(page)
    annotated = page.get_by_role("button", name="Annotated picture")
    annotated.focus()  # which shows the whole of it
    with page.expect_download() as download:
        annotated.click()
    assert download.value.suggested_filename == "two-annotated.png"
    grid.nth(0).click()
    see(page.get_by_text("No face was found."))
    see_none(page.get_by_role("button", name="Annotated picture"))
    choose_files(page, new=camera_picture(200))
    see(page.get_by_alt_text("The picture new.png: "))
    see_none(page.get_by_role("group", name="Pictures"))
    see_none(page.get_by_role("button", name="Recognise"))
