"""Every part of the page in three windows, light and dark, to be looked at: python -m tests.browser.views FOLDER"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
from playwright.sync_api import Page, sync_playwright

from emotion import config
from emotion.faces.pixels import BGRImage
from tests.browser.live import (
    SCHEMES,
    SWAYING,
    browser_flags,
    camera_picture,
    component,
    goes_on,
    look_at_film,
    required_chromium,
    see,
    serving,
    show_in,
    start,
    wait_until_drawn,
    write_film,
)

SIZES = ((1366, 768), (1920, 1080), (390, 844))
SESSION_MS = 15_000
"""How long a session lasts before it is looked at."""
SETTLE_MS = 1_000
"""What a chart takes to be drawn anew in a window of another size, and more."""

TWO_FACES = [camera_picture(60, 360)] * 30


def session(page: Page) -> None:
    start(page)
    see(component(page).get_by_role("button", name="Stop"))
    page.wait_for_timeout(SESSION_MS)


def picture(page: Page) -> None:
    page.get_by_role("button", name="Grace Hopper").click()
    see(page.get_by_role("button", name="Results as CSV"))


def several_pictures(page: Page) -> None:
    drawn = {"two.png": camera_picture(60, 360), "one.png": camera_picture(210), "nobody.png": camera_picture()}
    files = {name: cv2.imencode(".png", picture)[1].tobytes() for name, picture in drawn.items()}
    files |= {path.name: path.read_bytes() for path in config.EXAMPLES.glob("*.jpg")}
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in files.items()]
    )
    see(page.get_by_text("Grace-Hopper.jpg"))
    wait_until_drawn(page)
    page.get_by_role("button", name="Recognise").click()
    see(page.get_by_role("button", name="Results as CSV"))


def notice(page: Page) -> None:
    see(page.get_by_role("button", name="Go on"))


def face(page: Page) -> None:
    see(page.get_by_role("button", name="Learn"))


def models(page: Page) -> None:
    see(page.get_by_role("heading", name="The five models, and the words"))


VIEWS: dict[str, tuple[str, list[BGRImage], Callable[[Page], None]]] = {
    "notice": ("", SWAYING, notice),
    "webcam": ("", SWAYING, session),
    "webcam-two-faces": ("", TWO_FACES, session),
    "pictures-one": ("pictures", SWAYING, picture),
    "pictures-several": ("pictures", SWAYING, several_pictures),
    "films": ("films", SWAYING, look_at_film),
    "face": ("face", SWAYING, face),
    "models": ("models", SWAYING, models),
}


def main(folder: Path) -> None:
    """Show each view, and keep it in each window."""
    if folder.resolve().is_relative_to(config.ROOT):
        sys.exit("Name a folder outside of the repository.")
    folder.mkdir(parents=True, exist_ok=True)
    chromium = required_chromium()
    with tempfile.TemporaryDirectory() as own, serving(Path(own) / "log") as address, sync_playwright() as player:
        camera_file = Path(own) / "camera.mjpeg"
        browser = player.chromium.launch(executable_path=chromium, args=browser_flags(SWAYING, camera_file))
        for name, (path, camera, show) in VIEWS.items():
            write_film(camera, camera_file)
            page = browser.new_page(viewport={"width": SIZES[0][0], "height": SIZES[0][1]})
            if show is not notice:
                goes_on(page)
            page.goto(f"{address}/{path}")
            show(page)
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                for scheme in SCHEMES:
                    show_in(page, scheme)
                    page.wait_for_timeout(SETTLE_MS)
                    page.screenshot(path=folder / f"{name}-{width}x{height}-{scheme}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m tests.browser.views FOLDER")
    main(Path(sys.argv[1]))
