"""The page for image addresses in a real browser, with pictures served on this computer."""

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
import skimage.data
from playwright.sync_api import Page, expect

from emotion import config


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pictures(tmp_path: Path) -> Iterator[str]:
    """The address of a server with a portrait and a page of text."""
    astronaut_bgr = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    assert cv2.imwrite(str(tmp_path / "astronaut.jpg"), astronaut_bgr)
    (tmp_path / "page.html").write_text("<h1>No picture</h1>")
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def ask_for(page: Page, address: str) -> None:
    page.get_by_label("Addresses of pictures, one a line").fill(address)
    page.get_by_role("button", name="Recognise").click()


def test_a_link_to_the_page_opens_its_picture(open_page, pictures):
    page = open_page(path=f"/?url={pictures}/astronaut.jpg")
    expect(page.get_by_text("of 5 models agree")).to_be_visible()


def test_address_gives_the_vote_or_the_reason_why_not(open_page, pictures, classes):
    page = open_page()
    page.get_by_role("link", name="Pictures").click()

    ask_for(page, f"{pictures}/astronaut.jpg")
    expect(page.get_by_text("of 5 models agree")).to_be_visible()
    one_class = re.compile(f"^({'|'.join(map(re.escape, classes))})$")
    expect(page.get_by_role("heading", name=one_class)).to_be_visible()
    for name in config.MODEL_NAMES:
        ballot = page.get_by_role("row", name=name).get_by_role("cell").nth(1)
        expect(ballot).to_have_text(one_class)
    picture = page.get_by_alt_text("The picture with a box around each face")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 512

    ask_for(page, f"{pictures}/page.html")
    expect(page.get_by_text("This is not a picture")).to_be_visible()
    expect(page.get_by_text("of 5 models agree")).to_be_hidden()

    # What Markdown would make a link, a symbol, a dash, a formula or HTML.
    hostile = "www.example.org/--:smile:<b>:material_face:$x$**a**"
    ask_for(page, hostile.replace(":smile:", "a@b.org:smile:") + " nonsense")
    alert = page.get_by_role("alert").first
    expect(alert).to_contain_text(hostile.replace(":smile:", "a@b.org:smile:"))
    assert alert.locator("a, b, strong, span, img").count() == 0

    ask_for(page, "nonsense")
    expect(page.get_by_text("This is not a complete web address")).to_be_visible()
    expect(page.get_by_text("This is not a picture")).to_be_hidden()
