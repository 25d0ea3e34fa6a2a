"""How time and memory grow with files, with faces in a picture, with webcam sessions: python benchmarks/growth.py"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import emotion
from benchmarks.speed import PEAK_OF_COMMAND, machine, picture_folder, timed, vectorizing
from emotion import config
from emotion.faces import BGRImage
from emotion.recognizer import Recognizer


def main() -> None:
    """Measure, print, and write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="*", default=[1_000, 10_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--pictures", type=int, nargs="*", default=[1_000, 10_000, 30_000], help="to be voted on")
    parser.add_argument("--faces", type=int, nargs="*", default=[1, 2, 5, 10, 20, 50], help="in a picture")
    parser.add_argument("--sessions", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    result = {
        "machine": machine(),
        "files": [of_files(count, "image_to_vector.py") for count in options.files],
        "pictures": [of_files(count, "predict") for count in options.pictures],
        "faces": of_faces(options.faces),
        "sessions": [of_sessions(count) for count in options.sessions],
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


def of_files(count: int, command: str) -> dict[str, Any]:
    """Read a folder of faces of 48x48 pixels: into a Parquet file, or with votes on each into a CSV."""
    faces = np.random.default_rng(0).integers(0, 256, (256, config.N_PIXELS), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        pictures = picture_folder(Path(folder), faces, count)
        if command == "predict":
            voting = [sys.executable, "-m", "emotion", "predict", str(pictures), "--out", f"{folder}/votes.csv"]
            started = time.perf_counter()
            between = [sys.executable, "-c", PEAK_OF_COMMAND, *voting]
            done = subprocess.run(between, cwd=config.ROOT, check=True, capture_output=True, text=True)
            seconds, peak = time.perf_counter() - started, int(done.stdout) / 1024
        else:
            timing = vectorizing(pictures, f"{folder}/faces.parquet", count)
            seconds, peak = timing["median_ms"] / 1000, timing["largest_process_mb"]
    print(f"{command}, {count:9,} files: {seconds:8.1f} s, {count / seconds:6.0f} a second, {peak:5.0f} MB", flush=True)
    return {"files": count, "seconds": seconds, "a_second": count / seconds, "largest_process_mb": peak}


def of_faces(counts: Sequence[int]) -> list[dict[str, float]]:
    """Find, cut out and vote on the faces of a picture of 1920x1080 pixels."""
    recognizer = Recognizer(emotion.load_models())
    figures = []
    for count in counts:
        picture = crowd(count)
        found = len(recognizer.recognize(picture))
        detecting = timed(lambda picture=picture: recognizer.find(picture), 20)["median_ms"]
        whole = timed(lambda picture=picture: recognizer.recognize(picture), 20)["median_ms"]
        print(f"{count:3} faces, {found:3} found: {detecting:6.1f} ms to find, {whole:6.1f} ms with votes", flush=True)
        figures.append({"faces": count, "found": found, "finding_ms": detecting, "whole_ms": whole})
    return figures


def crowd(count: int) -> BGRImage:
    """Draw portraits in ten columns and five rows."""
    portrait = cv2.cvtColor(skimage.data.astronaut()[20:210, 130:300], cv2.COLOR_RGB2BGR)
    portrait = cv2.resize(portrait, (170, 190), interpolation=cv2.INTER_AREA)
    picture = np.full((1080, 1920, 3), 120, dtype=np.uint8)
    for number in range(count):
        left, top = 11 + 192 * (number % 10), 13 + 216 * (number // 10)
        picture[top : top + 190, left : left + 170] = portrait
    return picture


def of_sessions(count: int) -> dict[str, Any]:
    """Let so many browsers have a webcam session of half a minute, on the same cores."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        measure = [sys.executable, "benchmarks/webcam.py", "--sessions", str(count), "--seconds", "30"]
        done = subprocess.run([*measure, "--json", str(file)], cwd=config.ROOT, capture_output=True, text=True)
        if done.returncode:
            told = (done.stderr.strip().splitlines() or [""])[-1]
            print(f"{count:3} sessions: {told}", flush=True)
            return {"sessions": count, "error": told}
        figures = json.loads(file.read_text())
    frames = sorted(session["frames_a_second"] for session in figures["sessions"])
    memory = figures["memory_mb"]["peak"]
    print(f"{count:3} sessions: {frames[0]:.1f} to {frames[-1]:.1f} frames a second, {memory:.0f} MB", flush=True)
    return {"sessions": count, "least_frames": frames[0], "most_frames": frames[-1], "memory_mb": memory}


if __name__ == "__main__":
    main()
