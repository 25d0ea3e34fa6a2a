"""How long the parts take, without a browser: python benchmarks/speed.py

Each figure is the median of many runs after a warm-up, with the 95th percentile beside it where single runs are short.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage.data
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import emotion
from emotion import config
from emotion.faces import BGRImage, FaceDetector
from emotion.recognizer import Recognizer

ORIGINAL_MILLISECONDS = 382.0
"""What the project that this one re-imagines states for one face, each of its models asked through scikit-learn."""

PEAK_OF_COMMAND = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def main() -> None:
    """Measure, print, and write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=config.MODELS)
    parser.add_argument("--files", type=int, default=30_000, help="pictures for image_to_vector.py (default: 30000)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()

    started = time.perf_counter()
    models = emotion.load_models(options.models)
    figures = {"loading the models": {"median_ms": 1000 * (time.perf_counter() - started)}}

    faces = np.random.default_rng(0).integers(0, 256, (256, config.N_PIXELS), np.uint8)
    one = figures["one face, five models, one core"] = timed(lambda: models.vote(faces[:1]), 500)
    one["the_original_ms"] = ORIGINAL_MILLISECONDS
    many = figures["256 faces, five models, all cores"] = timed(lambda: models.vote(faces), 10)
    many["faces_a_second"] = 256 / many["median_ms"] * 1000

    webcam, files = FaceDetector(config.VIDEO_DETECTION_SIDE), FaceDetector()
    for name, detector, picture in (
        ("detection, webcam frame of 640x480", webcam, scene(1, 640, 480)),
        ("detection, picture of 1280x720", files, scene(1, 1280, 720)),
        ("detection, picture of 4000x3000", files, scene(1, 4000, 3000)),
    ):
        figures[name] = timed(lambda detector=detector, picture=picture: detector.detect(picture), 30)
    recognizer = Recognizer(models, config.VIDEO_DETECTION_SIDE)
    for count in (1, 4):
        picture = scene(count, 640, 480)
        found = len(recognizer.recognize(picture))
        if found != count:
            raise RuntimeError(f"{found} faces were found where {count} are")
        name = f"frame of 640x480 with {count} face{'s' * (count > 1)}: found, cut out, voted on"
        figures[name] = timed(lambda picture=picture: recognizer.recognize(picture), 100)
    memory = {"models and faces": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    figures[f"image_to_vector.py, {options.files} files of 48x48"] = vectorizing(faces, options.files)

    result = {"machine": machine(), "figures": figures, "peak_memory_mb": memory}
    report(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


def timed(call: Callable[[], Any], times: int) -> dict[str, float]:
    """Time a call, in milliseconds."""
    for _ in range(max(2, times // 20)):
        call()
    milliseconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        milliseconds.append(1000 * (time.perf_counter() - started))
    return {"median_ms": statistics.median(milliseconds), "p95_ms": statistics.quantiles(milliseconds, n=20)[-1]}


def scene(count: int, width: int, height: int) -> BGRImage:
    """Draw portraits side by side on a grey ground, a quarter as wide as the picture."""
    portrait = cv2.cvtColor(skimage.data.astronaut()[20:210, 130:300], cv2.COLOR_RGB2BGR)
    portrait = cv2.resize(portrait, (width // 4, width // 4 * 190 // 170), interpolation=cv2.INTER_AREA)
    picture = np.full((height, width, 3), 120, dtype=np.uint8)
    for number in range(count):
        left = width * (2 * number + 1) // (2 * count) - portrait.shape[1] // 2
        picture[height // 4 : height // 4 + portrait.shape[0], left : left + portrait.shape[1]] = portrait
    return picture


def vectorizing(faces: np.ndarray, files: int) -> dict[str, float]:
    """Time image_to_vector.py over many files of 48x48 pixels, and see what memory its largest process took."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        for label in ("happy", "sad"):
            (pictures / label).mkdir(parents=True)
        contents = [cv2.imencode(".png", face.reshape(48, 48))[1].tobytes() for face in faces]
        for number in tqdm(range(files), desc="files for image_to_vector.py", leave=False):
            name = pictures / ("happy", "sad")[number % 2] / f"{number}.png"
            name.write_bytes(contents[number % len(contents)])
        command = [sys.executable, "image_to_vector.py", str(pictures), "--output", str(Path(folder) / "faces.csv")]
        started = time.perf_counter()
        # A small process between: of one that this large one started, the system counts this one's memory in.
        between = [sys.executable, "-c", PEAK_OF_COMMAND, *command]
        done = subprocess.run(between, cwd=config.ROOT, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - started
    peak = int(done.stdout) / 1024
    return {"median_ms": 1000 * seconds, "files_a_second": files / seconds, "largest_process_mb": peak}


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on and with."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=config.ROOT, capture_output=True, text=True).stdout
    return {
        "processor": processor or platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("numpy", "onnxruntime", "opencv-python-headless")},
        "commit": commit.strip(),
    }


def report(result: dict[str, Any]) -> None:
    """Print a line a figure."""
    described = result["machine"]
    print(f"{described['processor']}, {described['cores']} cores, Python {described['python']}")
    for name, figure in result["figures"].items():
        line = f"  {name:62} {figure['median_ms']:9.2f} ms"
        if "p95_ms" in figure:
            line += f"   95 %: {figure['p95_ms']:8.2f} ms"
        if "the_original_ms" in figure:
            original = figure["the_original_ms"]
            line += f"   the original: {original:.0f} ms, {original / figure['median_ms']:.0f} times as long"
        for key in ("faces_a_second", "files_a_second", "largest_process_mb"):
            if key in figure:
                line += f"   {key.replace('_', ' ')}: {figure[key]:,.0f}"
        print(line)
    for name, value in result["peak_memory_mb"].items():
        print(f"  peak memory, {name}: {value:.0f} MB")


if __name__ == "__main__":
    main()
