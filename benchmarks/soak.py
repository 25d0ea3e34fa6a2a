"""Hours of visitors in minutes: sessions that come, go and vanish; what the server has left of them in the end.

    python benchmarks/soak.py --minutes 30

Each round two browsers open a webcam session; one presses Stop, has a picture recognised and leaves, the other is
killed without a word. Afterwards threads, file descriptors and memory of the server are to be where they were, within a
quarter; else, or where the log has a traceback, the exit status is 1.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, Playwright, TimeoutError, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from benchmarks.machine import machine
from emotion.page.server import PAUSE_SECONDS
from tests.browser.live import (
    browser_flags,
    camera_picture,
    component,
    goes_on,
    required_chromium,
    server_process,
    serving,
)

SETTLING_SECONDS = 60.0
"""WebRTC notices after half a minute that a browser is gone."""

MOST_LEFT = {"memory_mb": 1.25, "threads": 1.25, "descriptors": 1.25}
"""What there may be in the end, as a multiple of the start."""

FORGETTING_SECONDS = 150.0
"""Streamlit keeps a visitor who may come back for two minutes (server.disconnectedSessionTTL)."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--log", type=Path, help="a file for what the server said")
    options = parser.parse_args()
    chromium = required_chromium()
    samples = []
    # Those who vanished keep their places for half a minute; the measurement is to go on meanwhile.
    places = {"EMOTION_SESSIONS": "50"}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log", environment=places) as address,
        sync_playwright() as player,
    ):
        server = server_process(address)
        flags = browser_flags([camera_picture(200)] * 30, Path(folder) / "camera.mjpeg")
        for _ in range(2):  # what is made once and kept (models, pools of threads) is no leak
            _round(player, chromium, flags, address)
        _settle(player, chromium, flags, address)
        samples.append(_sample(server, 0.0))
        started = time.monotonic()
        rounds = again = 0
        while (passed := time.monotonic() - started) < 60 * options.minutes - FORGETTING_SECONDS:
            again += _round(player, chromium, flags, address)
            rounds += 1
            samples.append(_sample(server, passed))
        _settle(player, chromium, flags, address)
        samples.append(_sample(server, time.monotonic() - started))
        log = (Path(folder) / "log").read_text()
    print(f"{rounds} rounds in {samples[-1]['seconds'] / 60:.0f} minutes, Start pressed again {again} times")
    print(f"  tracebacks in the server's log: {log.count('Traceback')}")
    for name in ("memory_mb", "threads", "descriptors"):
        values = [sample[name] for sample in samples]
        print(f"  {name:12} start {values[0]:8.0f}   peak {max(values):8.0f}   end {values[-1]:8.0f}")
    between = [sample["memory_mb"] for sample in samples[1:-1]]
    third = max(len(between) // 3, 1)
    thirds = [statistics.median(between[at : at + third]) for at in (0, len(between) - third)]
    print(f"  memory_mb after a round, median of the first third {thirds[0]:.0f}, of the last {thirds[1]:.0f}")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "samples": samples}, indent=1) + "\n")
    if options.log:
        options.log.write_text(log)
    faults = [name for name, most in MOST_LEFT.items() if samples[-1][name] > most * samples[0][name]]
    faults += ["tracebacks"] * ("Traceback" in log)
    if faults:
        sys.exit(f"not as it was before: {', '.join(faults)}")


def _settle(player: Playwright, chromium: str, flags: list[str], address: str) -> None:
    """Wait until the server can have forgotten its visitors."""
    time.sleep(FORGETTING_SECONDS)
    for _ in range(2):  # it forgets those who are gone when the next one comes, and collects after a drawing
        _look_in(player, chromium, flags, address)
    time.sleep(SETTLING_SECONDS + PAUSE_SECONDS)


def _round(player: Playwright, chromium: str, flags: list[str], address: str) -> int:
    browsers = [player.chromium.launch(executable_path=chromium, args=flags) for _ in range(2)]
    pages = [goes_on(browser.new_page()) for browser in browsers]
    for page in pages:
        page.goto(address)
        component(page).get_by_role("button", name="Start").click(timeout=60_000)
    again = sum(_wait_for_a_vote(page) for page in pages)
    leaving = pages[0]
    leaving.wait_for_timeout(3000)
    component(leaving).get_by_role("button", name="Stop").click()
    leaving.get_by_text("Press Start").wait_for(timeout=90_000)  # the page draws itself anew, and would undo a change
    leaving.get_by_role("link", name="Pictures").click()
    leaving.get_by_role("button", name="Grace Hopper").click(timeout=90_000)
    leaving.get_by_text("of 5 models agree").wait_for(timeout=90_000)
    browsers[0].close()
    for process in psutil.process_iter():
        if _has_flag(process, flags[-1]):  # the other browser is closed: those of the one that is left
            process.kill()
    browsers[1].close()
    return again


def _look_in(player: Playwright, chromium: str, flags: list[str], address: str) -> None:
    browser = player.chromium.launch(executable_path=chromium, args=flags)
    page = goes_on(browser.new_page())
    page.goto(address)
    page.get_by_text("Press Start").wait_for(timeout=60_000)
    browser.close()


def _wait_for_a_vote(page: Page) -> int:
    """Give how often Start had to be pressed again: browsers end a session that gets no processor for seconds."""
    for again in range(3):
        try:
            page.get_by_text("of 5 models agree").wait_for(timeout=40_000)
        except TimeoutError:
            component(page).get_by_role("button", name="Start").click(timeout=60_000)
        else:
            return again
    raise RuntimeError("three sessions in a row had no vote")


def _has_flag(process: psutil.Process, flag: str) -> bool:
    try:
        return flag in process.cmdline()
    except psutil.Error:
        return False


def _sample(server: psutil.Process, seconds: float) -> dict[str, float]:
    return {
        "seconds": seconds,
        "memory_mb": server.memory_info().rss / 1e6,
        "threads": server.num_threads(),
        "descriptors": server.num_fds(),
    }


if __name__ == "__main__":
    main()
