"""How smooth the webcam page is, in real browsers with fake cameras: python benchmarks/webcam.py --sessions 4

Each camera shows a portrait that sways, and on its lower rim a strip of squares that counts the frames. A script in the
browser notes when each processed frame arrives, reads its number and looks where the box is; the box's lag is how much
older the place is that it is drawn around than the frame that it is drawn on.
"""

import argparse
import contextlib
import json
import math
import re
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import machine
from emotion import config
from emotion.faces.pixels import BGRImage
from emotion.faces.yunet import Effort, YuNetDetector
from tests.browser.live import (
    browser_flags,
    camera_picture,
    component,
    goes_on,
    required_chromium,
    server_process,
    serving,
)

FRAMES = 240
FRAMES_A_SECOND = 30
AMPLITUDE = 150
"""Pixels to each side, once in eight seconds: at its fastest the head moves 118 pixels a second."""

BITS = 8
SQUARE = 24

# Runs for each new frame of the <video>: when it was shown, its number from the strip, the middle of the blue box. Two
# lines of it are read, no more: what is measured is not to be slowed.
WATCH = """video => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 2];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const seen = window.seenFrames = [];
    const look = (now, { presentationTime, presentedFrames }) => {
        const frame = { at: presentationTime, count: presentedFrames, number: null, box: null };
        if (video.videoWidth) {
            context.drawImage(video, 0, 480 - SQUARE / 2, 640, 1, 0, 0, 640, 1);
            context.drawImage(video, 0, ROW, 640, 1, 0, 1, 640, 1);
            const pixels = context.getImageData(0, 0, 640, 2).data;
            let number = 0;
            for (let bit = 0; bit < BITS; bit++) {
                const x = 639 - (bit * SQUARE + SQUARE / 2);  // the video is mirrored
                if (pixels[4 * Math.round(x)] > 128) number += 1 << bit;
            }
            frame.number = number;
            const blue = [];
            for (let x = 0; x < 640; x++) if (pixels[4 * (640 + x) + 2] - pixels[4 * (640 + x)] > 80) blue.push(x);
            if (blue.length && blue.at(-1) - blue[0] > 60) frame.box = (blue[0] + blue.at(-1)) / 2;
        }
        seen.push(frame);
        video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
}"""


@dataclass(frozen=True)
class Smoothness:
    """What one session was like.

    Attributes
    ----------
    first_box_seconds : float, from Start to the first frame with a box
    frames_a_second : float
    longest_gap_ms : float, between two frames, while votes run
    gap_p99_ms : float
    box_lag_ms : float, the shift in time that brings the box's course nearest to the face's
    """

    first_box_seconds: float
    frames_a_second: float
    longest_gap_ms: float
    gap_p99_ms: float
    box_lag_ms: float


def left_edge(number: float) -> float:
    """Where the portrait is on a frame."""
    return 210 + AMPLITUDE * math.sin(2 * math.pi * number / FRAMES)


def film() -> list[BGRImage]:
    """Draw the camera's pictures."""
    pictures = []
    for number in range(FRAMES):
        picture = camera_picture(round(left_edge(number)))
        for bit in range(BITS):
            shade = 255 if number >> bit & 1 else 0
            cv2.rectangle(picture, (bit * SQUARE, 480 - SQUARE), ((bit + 1) * SQUARE - 1, 479), (shade,) * 3, -1)
        pictures.append(picture)
    return pictures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=1, help="how many browsers at once (default: 1)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: 60)")
    parser.add_argument("--personal", type=Path, help="my-face.json: models that know one person's face vote")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    chromium = required_chromium()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as player, contextlib.ExitStack() as stack:
        flags = browser_flags(film(), Path(folder) / "camera.mjpeg")
        browser = player.chromium.launch(executable_path=chromium, args=flags)
        begun = time.monotonic()
        places = {"EMOTION_SESSIONS": str(options.sessions)}
        address = stack.enter_context(serving(Path(folder) / "log", environment=places))
        server = server_process(address)
        _warm_up(goes_on(browser.new_page()), address)
        opening = time.monotonic() - begun
        pages, started = [], []
        for _ in range(options.sessions):
            page = goes_on(browser.new_page(viewport={"width": 1280, "height": 800}))
            if options.personal is None:
                page.goto(address)
            else:
                _use(page, address, options.personal)
            component(page).get_by_role("button", name="Start").wait_for(timeout=60_000)
            pages.append(page)
        for page in pages:
            started.append(_press_start(page))
        memory = []
        until = time.monotonic() + options.seconds
        while (left := until - time.monotonic()) > 0:
            pages[0].wait_for_timeout(min(5.0, left) * 1000)
            memory.append((time.monotonic() - until + options.seconds, server.memory_info().rss / 1e6))
        sessions = [_smoothness(page, at) for page, at in zip(pages, started, strict=True)]
        browser.close()
    figures = {
        "machine": machine(),
        "seconds": options.seconds,
        "opening_seconds": opening,
        "sessions": [asdict(session) for session in sessions],
        "memory_mb": _memory(memory),
    }
    _print(figures, options.seconds)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def _warm_up(page: Page, address: str) -> None:
    """Let the server load the models: sessions are measured once they are."""
    page.goto(address)
    page.get_by_text(re.compile("Press Start")).wait_for(timeout=60_000)
    page.close()


def _use(page: Page, address: str, personal: Path) -> None:
    """Have the models of this visit know a face, and go to the webcam."""
    page.goto(f"{address}/face")
    page.get_by_test_id("stFileUploader").filter(has_text="A file of your face").locator("input").set_input_files(
        personal
    )
    page.get_by_text(personal.name).wait_for(timeout=60_000)
    page.get_by_test_id("stFormSubmitButton").filter(has_text="Open").get_by_role("button").click()
    page.get_by_role("button", name="Use it").click()
    page.get_by_text("These models vote").wait_for(timeout=60_000)
    page.get_by_role("link", name="Webcam").click()
    page.get_by_text("For my face").wait_for(timeout=60_000)


def _press_start(page: Page) -> float:
    """Start a session; give the browser's clock, in milliseconds, of that moment."""
    [found] = YuNetDetector(config.VIDEO_SIDES, effort=Effort.QUICK).detect(camera_picture(210))
    face = found.box
    script = WATCH.replace("SQUARE", str(SQUARE)).replace("BITS", str(BITS)).replace("ROW", str(face.y + face.h // 2))
    frame = component(page)
    frame.get_by_role("button", name="Start").click()
    at: float = frame.locator("body").evaluate("() => performance.now()")
    frame.locator("video").wait_for(state="attached", timeout=60_000)
    frame.locator("video").evaluate(script)
    return at


def _smoothness(page: Page, started_at: float) -> Smoothness:
    frames: list[dict[str, Any]] = component(page).locator("video").evaluate("() => window.seenFrames")
    with_box = [frame for frame in frames if frame["box"] is not None]
    if not with_box:
        raise RuntimeError("no frame had a box")
    first = with_box[0]["at"]
    after = [frame for frame in frames if frame["at"] >= first]
    shown = np.diff([frame["count"] for frame in after])
    # Where a busy page ran the script once for several frames that the browser showed, they share the time.
    gaps = np.repeat(np.diff([frame["at"] for frame in after]) / shown, shown)
    return Smoothness(
        first_box_seconds=(first - started_at) / 1000,
        frames_a_second=1000 * len(gaps) / (after[-1]["at"] - first),
        longest_gap_ms=float(gaps.max()),
        gap_p99_ms=float(np.percentile(gaps, 99)),
        box_lag_ms=_lag(with_box),
    )


def _lag(frames: list[dict[str, Any]]) -> float:
    """Find the delay, in milliseconds, after which the face's course fits the box's best."""
    numbers = np.array([frame["number"] for frame in frames], dtype=float)
    boxes = np.array([frame["box"] for frame in frames])
    lags = np.arange(0.0, 1000.0, 5.0)
    places = [-np.sin(2 * np.pi * (numbers - lag / 1000 * FRAMES_A_SECOND) / FRAMES) for lag in lags]
    errors = [np.median(np.abs(boxes - np.median(boxes - AMPLITUDE * place) - AMPLITUDE * place)) for place in places]
    return float(lags[int(np.argmin(errors))])


def _memory(samples: list[tuple[float, float]]) -> dict[str, float]:
    """Compare what the server holds after the first minute with what it holds at the end."""
    settled = next((mb for at, mb in samples if at >= 60), samples[-1][1])
    return {"after_a_minute": settled, "peak": max(mb for _, mb in samples), "end": samples[-1][1]}


def _print(figures: dict[str, Any], seconds: float) -> None:
    sessions = figures["sessions"]
    print(f"{len(sessions)} webcam sessions of 640x480 at once, {seconds:.0f} seconds")
    names = {
        "first_box_seconds": "Start to first box, s",
        "frames_a_second": "frames a second",
        "longest_gap_ms": "longest gap, ms",
        "gap_p99_ms": "99 % of gaps under, ms",
        "box_lag_ms": "lag of the box, ms",
    }
    for key, name in names.items():
        values = [session[key] for session in sessions]
        print(f"  {name:24}{min(values):8.1f} to {max(values):8.1f}, median {statistics.median(values):8.1f}")
    print(f"  from the server's start to a page that can be used: {figures['opening_seconds']:.1f} s")
    memory = figures["memory_mb"]
    print(f"  server memory, MB: {memory['after_a_minute']:.0f} after a minute, {memory['end']:.0f} at the end")


if __name__ == "__main__":
    main()
