"""How time and memory grow with files, with faces in a picture, with webcam sessions, with training faces:
python benchmarks/growth.py
"""

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
from scipy.fft import idctn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import emotion
from benchmarks.machine import machine
from benchmarks.speed import picture_folder, timed, vectorizing, watched
from emotion import config
from emotion.data.tables.writing import face_writer
from emotion.faces.crop import FaceVectors
from emotion.faces.pixels import BGRImage
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

TRAINING_TITLE = "## With training faces"
TRAINING = (
    TRAINING_TITLE
    + """

`python -m emotion train --data TABLE --out FOLDER`, on made-up faces in Parquet:

{rows}

*Tiny* models (`--fast`) leave what is done with every face: reading, the search for copies, embedding, resampling.

For {times:.0f} times the faces, reading and splitting takes {splitting:.0f} times as long, and {each_face:.1f} KB more
memory for each face, whose pixels are 2.3. The search for copies goes with pairs of training and test faces: most of
them are left out in boxes of faces that cannot be alike, the others cost less than a nanosecond in each of fifty
places. Embedding and fitting grow with the faces; the support vector machines see 8,000 at most.

`benchmarks/growth.py` measures this part alone where it is told to; here on {processor}, {cores} cores.
"""
)


def main() -> None:
    """Measure, print, and write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="*", default=[1_000, 10_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--pictures", type=int, nargs="*", default=[1_000, 10_000, 30_000], help="to be voted on")
    parser.add_argument("--faces", type=int, nargs="*", default=[1, 2, 5, 10, 20, 50], help="in a picture")
    parser.add_argument("--sessions", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--training", type=int, nargs="*", default=[3_000, 30_000], help="faces")
    parser.add_argument("--fast-training", type=int, nargs="*", default=[30_000, 100_000], help="of tiny models")
    parser.add_argument("--splitting", type=int, nargs="*", default=[300_000], help="only to be read and split")
    parser.add_argument("--only-training", action="store_true", help="leave the rest of the page as it is")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--page", type=Path, help="a Markdown file for the figures, such as docs/growth.md")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine()}
    if not options.only_training:
        result |= {
            "files": [of_files(count, "image_to_vector.py") for count in options.files],
            "pictures": [of_files(count, "predict") for count in options.pictures],
            "faces": of_faces(options.faces),
            "sessions": [of_sessions(count) for count in options.sessions],
        }
    result["training"] = [
        of_training(count, how)
        for how, counts in (
            ("as they are", options.training),
            ("tiny", options.fast_training),
            ("none", options.splitting),
        )
        for count in counts
    ]
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.page:
        rest = options.page.read_text(encoding="utf-8") if options.only_training else page(result)
        rest = rest.partition(TRAINING_TITLE)[0].rstrip()
        options.page.write_text(f"{rest}\n\n{training_section(result)}", encoding="utf-8")


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


SPLITTING = """
import sys
from emotion import config
from emotion.data.dataset import read_faces
from emotion.data.seen import read_seen
from emotion.data.splitting import split_faces
split_faces(read_faces(sys.argv[1]), seen=read_seen(config.MODELS).networks)
"""


def of_training(count: int, models: str) -> dict[str, Any]:
    """Train on so many faces, and once more only read and split them, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        table = f"{folder}/faces.parquet"
        random = np.random.default_rng(0)
        with face_writer(Path(table)) as writer:
            for start in range(0, count, PART_FACES):
                faces, labels = made_up_faces(min(PART_FACES, count - start), random)
                writer.write(faces, labels, [""] * len(labels))
        splitting, splitting_peak = watched([sys.executable, "-c", SPLITTING, table])
        figures = {"splitting_seconds": splitting, "splitting_memory_mb": splitting_peak}
        told = f"{count:7,} training faces: {splitting:6.1f} s to split, {splitting_peak:5.0f} MB"
        if models != "none":
            training = [sys.executable, "-m", "emotion", "train", "--data", table, "--out", f"{folder}/models"]
            whole, peak = watched([*training, "--fast"] if models == "tiny" else training)
            figures |= {"seconds": whole, "memory_mb": peak}
            told += f"; {models}: {whole:7.1f} s in all, {peak:5.0f} MB"
    print(told, flush=True)
    return {"faces": count, "models": models, **figures}


PART_FACES = 8_192
CLASSES = 7
WAVES = 16


def made_up_faces(count: int, random: np.random.Generator) -> tuple[FaceVectors, list[str]]:
    """Draw pictures whose waves are the weaker the shorter they are, as in photographs (Field, 1987), around one of
    each class; every twentieth is a darker copy of the one before.

    That leaves the search for copies what faces leave it: of what their thumbnails differ in, eight directions hold
    half, in FER2013 as here.
    """
    rows, columns = np.indices((WAVES, WAVES))
    strength = (1.0 + rows + columns) ** -1.2
    # The same whatever is drawn, so that all parts of a table have the same classes.
    middles = np.random.default_rng(1).normal(size=(CLASSES, WAVES, WAVES))
    classes = random.integers(0, CLASSES, count)
    waves = np.zeros((count, config.FACE_SIDE, config.FACE_SIDE), dtype=np.float32)
    waves[:, :WAVES, :WAVES] = strength * (random.normal(size=(count, WAVES, WAVES)) + 0.5 * middles[classes])
    waves[:, 0, 0] = 0
    pictures = 128 + 1_500 * idctn(waves, axes=(1, 2), norm="ortho")
    pictures[20::20] = 0.8 * pictures[19:-1:20]
    classes[20::20] = classes[19:-1:20]
    return np.clip(pictures, 0, 255).astype(np.uint8).reshape(count, -1), [f"Class {number}" for number in classes]


def training_section(result: dict[str, Any]) -> str:
    """Lay the figures of training out."""
    rows = result["training"]
    few = min(rows, key=lambda row: row["faces"])
    many = max(rows, key=lambda row: row["faces"])
    table = [
        [
            f"{row['faces']:,}",
            f"{row['splitting_seconds']:,.0f} s",
            f"{row['splitting_memory_mb']:,.0f} MB",
            row["models"] if "seconds" in row else "",
            f"{row['seconds']:,.0f} s" if "seconds" in row else "",
            f"{row['memory_mb']:,.0f} MB" if "seconds" in row else "",
        ]
        for row in rows
    ]
    return TRAINING.format(
        **result["machine"],
        rows=_table(["faces", "read and split", "memory", "models", "whole training", "memory of all"], table),
        times=many["faces"] / few["faces"],
        splitting=many["splitting_seconds"] / few["splitting_seconds"],
        each_face=1e3
        * (many["splitting_memory_mb"] - few["splitting_memory_mb"])
        / max(many["faces"] - few["faces"], 1),
    )


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
