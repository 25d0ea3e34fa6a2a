"""How long the parts take, without a browser: python benchmarks/speed.py

Where runs are short, a figure is the median of many after a warm-up, with the 95th percentile beside it; what takes
seconds runs once, through Dask three times.
What needs faces takes them from data.csv (make data), and is left out where there is none.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import distributed
import numpy as np
import psutil
import skimage.data
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import emotion
from benchmarks.machine import machine
from benchmarks.others import fer, original_recipe
from emotion import config
from emotion.data.dataset import read_faces
from emotion.data.splitting import split_faces
from emotion.faces.detect import HaarDetector
from emotion.faces.pixels import BGRImage
from emotion.faces.yunet import YuNetDetector
from emotion.training.training import train
from emotion.vote.recognizer import VideoRecognizer

MEMORY_STEP_SECONDS = 0.2


def main() -> None:
    """Measure, print, and write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=config.MODELS)
    parser.add_argument("--files", type=int, default=30_000, help="pictures for image_to_vector.py (default: 30000)")
    parser.add_argument("--data", type=Path, default=config.ROOT / "data.csv", help="a table of faces")
    parser.add_argument("--test", type=Path, default=config.ROOT / "test.csv", help="another one, kept out of training")
    parser.add_argument(
        "--original-rows",
        type=int,
        help="train the original's recipe on so many of them (default: all, which takes minutes)",
    )
    parser.add_argument("--peer-python", default=sys.executable, help="an interpreter with the package fer")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()

    figures = {"loading the models": timed(lambda: emotion.load_models(options.models), 20)}
    models = emotion.load_models(options.models)

    faces = np.random.default_rng(0).integers(0, 256, (256, config.N_PIXELS), np.uint8)
    figures["one face, five models, one core"] = timed(lambda: models.vote(faces[:1]), 500)
    many = figures["256 faces, five models, all cores"] = timed(lambda: models.vote(faces), 30)
    many["faces_a_second"] = 256 / many["median_ms"] * 1000

    webcam, files = YuNetDetector(config.VIDEO_SIDES, twice=False), YuNetDetector()
    for name, detector, picture in (
        ("detection, webcam frame of 640x480", webcam, scene(1, 640, 480)),
        ("detection, picture of 1280x720", files, scene(1, 1280, 720)),
        ("detection, picture of 4000x3000", files, scene(1, 4000, 3000)),
        ("detection by the Haar cascade, picture of 1280x720", HaarDetector(), scene(1, 1280, 720)),
    ):
        figures[name] = timed(lambda detector=detector, picture=picture: detector.detect(picture), 30)
    recognizer = VideoRecognizer(models)
    for count in (1, 4):
        picture = scene(count, 640, 480)
        found = len(recognizer.recognize(picture))
        if found != count:
            raise RuntimeError(f"{found} faces were found where {count} are")
        name = f"frame of 640x480 with {count} face{'s' * (count > 1)}: found, cut out, voted on"
        figures[name] = timed(lambda picture=picture: recognizer.recognize(picture), 100)
    serving = "import emotion, numpy; emotion.load_models().vote(numpy.zeros((256, 2304), numpy.uint8))"
    memory = {"a process that loads the models and votes on 256 faces": watched([sys.executable, "-c", serving])[1]}
    figures |= compared(scene(1, 640, 480), options)
    with tempfile.TemporaryDirectory() as folder:
        pictures = picture_folder(Path(folder), faces, options.files)
        for ending in ("csv", "parquet"):
            table = Path(folder) / f"faces.{ending}"
            name = f"image_to_vector.py, {options.files} files of 48x48, to {table.suffix}"
            figures[name] = vectorizing(pictures, str(table), options.files)
            figures[f"reading {options.files} faces from {table.suffix}"] = timed(
                lambda table=table: read_faces(table), 3
            )
        figures |= clustered(pictures, Path(folder), options.files)
    if options.data.is_file():
        test = options.test if options.test.is_file() else None
        figures["retraining the five models, networks as they are"] = retraining(options.data, test, options.models)

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
    figures = {"median_ms": statistics.median(milliseconds)}
    if times >= 20:
        figures["p95_ms"] = statistics.quantiles(milliseconds, n=20)[-1]
    return figures


def scene(count: int, width: int, height: int) -> BGRImage:
    """Draw portraits side by side on a grey ground, a quarter as wide as the picture."""
    portrait = cv2.cvtColor(skimage.data.astronaut()[20:210, 130:300], cv2.COLOR_RGB2BGR)
    portrait = cv2.resize(portrait, (width // 4, width // 4 * 190 // 170), interpolation=cv2.INTER_AREA)
    picture = np.full((height, width, 3), 120, dtype=np.uint8)
    for number in range(count):
        left = width * (2 * number + 1) // (2 * count) - portrait.shape[1] // 2
        picture[height // 4 : height // 4 + portrait.shape[0], left : left + portrait.shape[1]] = portrait
    return picture


def compared(picture: BGRImage, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Time others at the same work."""
    figures: dict[str, dict[str, float]] = {}
    if options.data.is_file():
        test = read_faces(options.test) if options.test.is_file() else None
        train_faces = split_faces(read_faces(options.data), test, progress=False).train
        rows = np.random.default_rng(0).permutation(len(train_faces))[: options.original_rows]
        predict = original_recipe(train_faces[rows])
        name = f"one face, the original's recipe trained on {len(rows)} faces, all cores"
        figures[name] = timed(lambda: predict(train_faces.X[0]), 30)
    else:
        print(f"There is no {options.data}: the original's recipe is left out.", file=sys.stderr)
    if peer := fer(picture, options.peer_python):
        figures["one face, the package fer (one small network)"] = peer["face"]
        figures["frame of 640x480 with 1 face, the package fer"] = peer["frame"]
    return figures


def picture_folder(folder: Path, faces: np.ndarray, files: int) -> Path:
    """Write many files of 48x48 pixels."""
    pictures = folder / "pictures"
    for label in ("happy", "sad"):
        (pictures / label).mkdir(parents=True)
    contents = [cv2.imencode(".png", face.reshape(48, 48))[1].tobytes() for face in faces]
    for number in tqdm(range(files), desc="files for image_to_vector.py", leave=False):
        name = pictures / ("happy", "sad")[number % 2] / f"{number}.png"
        name.write_bytes(contents[number % len(contents)])
    return pictures


def vectorizing(pictures: Path, output: str, files: int, *more: str) -> dict[str, float]:
    """Time image_to_vector.py, and see what memory it took."""
    seconds, peak = watched([sys.executable, "image_to_vector.py", str(pictures), "--output", output, *more])
    return {"median_ms": 1000 * seconds, "files_a_second": files / seconds, "memory_mb": peak}


def watched(command: list[str]) -> tuple[float, float]:
    """Run a command; give its seconds, and the most memory, in MB, that it and the processes it starts took together.

    What processes share is counted once (their proportional set sizes are added up).
    """
    started = time.perf_counter()
    peak = 0
    with subprocess.Popen(command, cwd=config.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        own = psutil.Process(running.pid)
        while running.poll() is None:
            with contextlib.suppress(psutil.Error):  # one has just ended
                family = [own, *own.children(recursive=True)]
                peak = max(peak, sum(process.memory_full_info().pss for process in family))
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(MEMORY_STEP_SECONDS)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command)
    return time.perf_counter() - started, peak / 1e6


def clustered(pictures: Path, folder: Path, files: int) -> dict[str, dict[str, float]]:
    """Time the same through Dask, with one worker and with two, of one core each: the median of three runs."""
    figures = {}
    for count in (1, 2):
        with dask_cluster(folder / f"scheduler{count}.json", count) as address:
            runs = [
                vectorizing(pictures, f"{folder}/parts{count}-{run}/", files, "--dask", address) for run in range(3)
            ]
            name = f"the same to parts, through Dask with {count} worker{'s' * (count > 1)} of one core"
            figures[name] = sorted(runs, key=lambda run: run["median_ms"])[1]
    return figures


@contextlib.contextmanager
def dask_cluster(file: Path, workers: int) -> Iterator[str]:
    """Start a scheduler and its workers; give its address once all are there."""
    quiet = {"cwd": config.ROOT, "stderr": subprocess.DEVNULL}
    program = [sys.executable, "-m", "distributed.cli.dask_{}", "--host", "127.0.0.1", "--no-dashboard"]
    told = {"scheduler": ["--port", "0", "--scheduler-file", str(file)]}
    told["worker"] = ["--scheduler-file", str(file), "--nthreads", "1", "--no-nanny"]
    started = []
    try:
        for kind in ("scheduler", *["worker"] * workers):
            command = [part.format(kind) for part in program] + told[kind]
            started.append(subprocess.Popen(command, **quiet))  # type: ignore[call-overload]
        while not file.is_file():
            time.sleep(0.1)
        with distributed.Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(workers)
            address = client.scheduler.address
        yield address
    finally:
        for process in started:
            process.kill()
            process.wait()


def retraining(data: Path, test: Path | None, networks: Path) -> dict[str, float]:
    """Time training on a table, as `python -m emotion train` does it."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        train(data, test, folder, networks=networks)
        return {"median_ms": 1000 * (time.perf_counter() - started)}


def report(result: dict[str, Any]) -> None:
    """Print a line a figure."""
    described = result["machine"]
    print(f"{described['processor']}, {described['cores']} cores, Python {described['python']}")
    for name, figure in result["figures"].items():
        line = f"  {name:68} {figure['median_ms']:9.2f} ms"
        if "p95_ms" in figure:
            line += f"   95 %: {figure['p95_ms']:8.2f} ms"
        for key in ("faces_a_second", "files_a_second", "memory_mb"):
            if key in figure:
                line += f"   {key.replace('_', ' ')}: {figure[key]:,.0f}"
        print(line)
    for name, value in result["peak_memory_mb"].items():
        print(f"  peak memory, {name}: {value:.0f} MB")


if __name__ == "__main__":
    main()
