"""How time and memory grow with files, with faces in a picture, with webcam sessions: python benchmarks/growth.py"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import emotion
from benchmarks.machine import machine
from benchmarks.speed import picture_folder, timed, vectorizing, watched
from emotion import config
from emotion.faces.decode import BGRImage
from emotion.vote.recognizer import Recognizer

PAGE = """\
# How time and memory grow

`python benchmarks/growth.py --page docs/growth.md` measures and writes this page.
{processor}, {cores} cores, Python {python}.

## With files

`image_to_vector.py`, to Parquet in parts:

{files}

A straight line once the start of Python and its libraries, a second or less, no longer counts. In memory are a few
parts of 2,048 pictures at a time, and the names of all files: {each_file:.0f} MB more for a million. (A single
Parquet file grows faster in memory: its writer keeps what it says of each column of each group of rows until the end.)

`python -m emotion predict FOLDER --csv votes.csv`, which has the models vote on each:

{pictures}

A straight line as well. In memory are the names of one folder at a time and, where a run is gone on with, eight
bytes for each picture.

## With faces in a picture

A picture of 1920x1080 pixels:

{faces}

A straight line: the picture itself, then about {finding:.1f} ms to find and cut out each face and {voting:.1f} ms to
vote on it. From seventeen faces on, all cores vote.

## With webcam sessions

640x480, 30 frames a second from each camera, half a minute; the browsers run on the same cores:

{sessions}

Not a straight line: as long as there is time left on the cores, each session gets what its camera gives; beyond, all
share, and where not all had a video, browsers and server together were too slow to agree on one within a minute.
Decoding, encoding and drawing of the video take most of the time, on both sides; the votes, one a session every two
seconds, next to nothing. Four sessions are let in unless `EMOTION_SESSIONS` says otherwise. For more, run several
copies of the page (`docs/deploy/`), which share nothing.
"""


def main() -> None:
    """Measure, print, and write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="*", default=[1_000, 10_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--pictures", type=int, nargs="*", default=[1_000, 10_000, 30_000], help="to be voted on")
    parser.add_argument("--faces", type=int, nargs="*", default=[1, 2, 5, 10, 20, 50], help="in a picture")
    parser.add_argument("--sessions", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--page", type=Path, help="a Markdown file for the figures, such as docs/growth.md")
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
    if options.page:
        options.page.write_text(page(result), encoding="utf-8")


def of_files(count: int, command: str) -> dict[str, Any]:
    """Read a folder of faces of 48x48 pixels: into Parquet in parts, or with votes on each into a CSV."""
    faces = np.random.default_rng(0).integers(0, 256, (256, config.N_PIXELS), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        pictures = picture_folder(Path(folder), faces, count)
        if command == "predict":
            voting = [sys.executable, "-m", "emotion", "predict", str(pictures), "--csv", f"{folder}/votes.csv"]
            seconds, peak = watched(voting)
        else:
            timing = vectorizing(pictures, f"{folder}/faces/", count)
            seconds, peak = timing["median_ms"] / 1000, timing["memory_mb"]
    print(f"{command}, {count:9,} files: {seconds:8.1f} s, {count / seconds:6.0f} a second, {peak:5.0f} MB", flush=True)
    return {"files": count, "seconds": seconds, "a_second": count / seconds, "memory_mb": peak}


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


def page(result: dict[str, Any]) -> str:
    """Lay the figures out, with what they say."""
    files, pictures, faces, sessions = (result[name] for name in ("files", "pictures", "faces", "sessions"))
    more_faces = faces[-1]["faces"] - faces[0]["faces"]
    # From where there are parts enough for all cores; below, memory grows with them.
    many = next((row for row in files if row["files"] >= 100_000), files[0])
    finding = (faces[-1]["finding_ms"] - faces[0]["finding_ms"]) / more_faces
    of_faces = [
        [f"{f['faces']}", f"{f['found']}", f"{f['finding_ms']:.0f} ms", f"{f['whole_ms']:.0f} ms"] for f in faces
    ]
    of_sessions = [
        [f"{row['sessions']}", f"{row['least_frames']:.0f} to {row['most_frames']:.0f}", f"{row['memory_mb']:.0f} MB"]
        if "error" not in row
        else [f"{row['sessions']}", "not all had a video", ""]
        for row in sessions
    ]
    return PAGE.format(
        **result["machine"],
        files=_file_table(files),
        each_file=1e6 * (files[-1]["memory_mb"] - many["memory_mb"]) / max(files[-1]["files"] - many["files"], 1),
        pictures=_file_table(pictures),
        faces=_table(["faces", "found", "to find them", "with votes on each"], of_faces),
        finding=finding,
        voting=(faces[-1]["whole_ms"] - faces[0]["whole_ms"]) / more_faces - finding,
        sessions=_table(["sessions", "frames a second, each", "memory of the server"], of_sessions),
    )


def _file_table(rows: list[dict[str, float]]) -> str:
    return _table(
        ["files of 48x48", "time", "a second", "memory"],
        [
            [f"{r['files']:,}", f"{r['seconds']:.1f} s", f"{r['a_second']:,.0f}", f"{r['memory_mb']:.0f} MB"]
            for r in rows
        ],
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---:"] * len(head), *rows))


if __name__ == "__main__":
    main()
