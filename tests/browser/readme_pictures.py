"""The pictures of the README, made anew from the page: python -m tests.browser.readme_pictures"""

import io
import math
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from emotion import config
from emotion.faces.pixels import BGRImage
from tests.browser.live import VOTED, browser_flags, component, goes_on, required_chromium, serving

FOLDER = config.ROOT / "docs"
WINDOW = {"width": 1366, "height": 768}
FILM_SECONDS = 6.0
FILM_WIDTH = 720


def film() -> list[BGRImage]:
    """A portrait that sways before its own blurred colours."""
    portrait = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    ground = cv2.GaussianBlur(cv2.resize(portrait, (640, 480)), (0, 0), 25)
    pictures = []
    for number in range(180):
        picture = ground.copy()
        left = 110 + round(70 * math.sin(2 * math.pi * number / 180))
        picture[:, left : left + 420] = portrait[:480, 20:440]
        pictures.append(np.asarray(picture, dtype=np.uint8))
    return pictures


def _filmed(page: Page) -> list[Image.Image]:
    frames = []
    until = time.monotonic() + FILM_SECONDS
    while time.monotonic() < until:
        shot = Image.open(io.BytesIO(page.screenshot(type="jpeg", quality=90)))
        frames.append(shot.resize((FILM_WIDTH, round(FILM_WIDTH * shot.height / shot.width)), Image.Resampling.LANCZOS))
    return frames


def _keep(page: Page, name: str) -> None:
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(256, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Open each page, and keep what it shows."""
    chromium = required_chromium()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as address, sync_playwright() as player:
        flags = browser_flags(film(), Path(folder) / "camera.mjpeg")
        browser = player.chromium.launch(executable_path=chromium, args=flags)
        page = goes_on(browser.new_page(viewport=WINDOW))
        page.goto(address)
        component(page).get_by_role("button", name="Start").click()
        page.get_by_text(VOTED).wait_for(timeout=90_000)
        first, *others = frames = _filmed(page)
        pause = round(1000 * FILM_SECONDS / len(frames))
        first.save(FOLDER / "webcam.webp", save_all=True, append_images=others, duration=pause, loop=0, quality=60)
        page.wait_for_timeout(15_000)
        _keep(page, "webcam")
        page.goto(f"{address}/pictures")
        page.get_by_role("button", name="Grace Hopper").click()
        page.get_by_text("Why ").click()
        page.get_by_alt_text("The face, coloured where covering it changes the vote").wait_for()
        _keep(page, "pictures")
        page.goto(f"{address}/models")
        page.get_by_role("heading", name="The five models, and the words").wait_for()
        _keep(page, "models")
        browser.close()


if __name__ == "__main__":
    main()
