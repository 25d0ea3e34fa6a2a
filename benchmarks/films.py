"""How fast films are looked at, what memory that takes, and whether their votes are those of pictures.

    python benchmarks/films.py [--hours 1] [--groups FOLDER --boxes groups.csv]

The films are encoded here: portraits that sway, 640x480 at 30 frames a second, H.264. With --groups, pictures of people
side by side, it also measures how well colours of hair and clothes tell these apart.
"""

import argparse
import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from distributed import Client

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import machine
from emotion import Recognizer, config, load_models
from emotion.bulk.folders import recognize_folder
from emotion.data.tables.boxes import read_boxes
from emotion.faces.decode import decode_image
from emotion.faces.detect import Box
from emotion.faces.pixels import BGRImage
from emotion.streams.films.colours import colours_of, likeness
from emotion.streams.films.reading.opening import open_film
from emotion.streams.films.returning import LEAST_ALIKE
from emotion.streams.films.watching import FilmWatch
from tests.films import film
from tests.loopback import free_port

FRAMES_A_SECOND = 30
SWAY_PIXELS = 60
SWAY_SECONDS = 4.0


def portraits() -> list[BGRImage]:
    """The faces of the example pictures, with what is around them, 300 pixels high."""
    from emotion.faces.yunet import YuNetDetector

    found = []
    for path in sorted(config.EXAMPLES.glob("*.jpg")):
        image = decode_image(path.read_bytes())
        x, y, w, h = YuNetDetector().detect(image)[0].box
        part = image[max(0, y - h // 2) : y + 2 * h, max(0, x - w // 2) : x + w + w // 2]
        found.append(np.asarray(cv2.resize(part, (240, 300), interpolation=cv2.INTER_AREA), dtype=np.uint8))
    return found


def swaying(seconds: float, faces: int) -> Iterator[BGRImage]:
    """One or two portraits on grey, that move to and fro."""
    people = portraits()[:faces]
    for number in range(round(seconds * FRAMES_A_SECOND)):
        picture = np.full((480, 640, 3), 120, np.uint8)
        shift = round(SWAY_PIXELS / 2 * np.sin(2 * np.pi * number / FRAMES_A_SECOND / SWAY_SECONDS))
        for place, person in enumerate(people):
            middle = 640 * (2 * place + 1) // (2 * faces) + shift
            picture[90:390, middle - 120 : middle + 120] = person
        yield picture


def repeated(content: bytes, times: int, out: Path) -> None:
    """Put a film behind itself, packet by packet: an hour is not encoded anew."""
    import io

    with av.open(str(out), "w", format="mp4") as target:
        stream, shift = None, 0
        for _ in range(times):
            with av.open(io.BytesIO(content)) as source:
                video = source.streams.video[0]
                stream = stream or target.add_stream_from_template(video)
                length = int(video.duration)
                for packet in source.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    target.mux(packet)
            shift += length


def looked_at(path: Path) -> dict[str, float]:
    """Look at a film in a process of its own, as the command line does: seconds, and memory over the start."""
    code = (
        "import resource, sys, time; from emotion import load_models;"
        "from emotion.streams.films.reading.opening import open_film;"
        "from emotion.streams.films.watching import FilmWatch;"
        "models = load_models(); kept = []\n"
        "with open(sys.argv[1], 'rb') as file, open_film(file) as film:\n"
        "    watch = FilmWatch(models); began = time.perf_counter(); first = None; votes = 0; faces = set()\n"
        "    for look in watch.looks(film):\n"
        "        first = first or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "        votes += len(look.moment.faces) if look.moment else 0\n"
        "        faces |= {face.number for face in look.moment.faces} if look.moment else set()\n"
        "    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    print(time.perf_counter() - began, film.duration, votes, len(faces), first / 1024, most / 1024)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, path], cwd=config.ROOT, capture_output=True, text=True, check=True
    )
    seconds, duration, votes, faces, first, most = map(float, out.stdout.split())
    return {
        "film_seconds": duration,
        "seconds": round(seconds, 2),
        "times_as_fast": round(duration / seconds, 2),
        "votes": votes,
        "faces": faces,
        "memory_at_first_look_mb": round(first),
        "memory_at_most_mb": round(most),
    }


def agreement() -> dict[str, float]:
    """How often a film's vote is that of the single picture: faces that change every second."""
    models = load_models()
    recognizer = Recognizer(models)
    scenes = [next(swaying(0.1, 1)) for _ in range(1)]
    for path in sorted(config.EXAMPLES.glob("*.jpg")):
        image = decode_image(path.read_bytes())
        for flip, gain in itertools.product((False, True), (0.8, 1.0, 1.2)):
            changed = cv2.convertScaleAbs(cv2.flip(image, 1) if flip else image, alpha=gain)
            scenes.append(np.asarray(cv2.resize(changed, (480, 480)), dtype=np.uint8))
    scenes = [cv2.copyMakeBorder(s, 0, 0, (640 - s.shape[1]) // 2, (640 - s.shape[1]) // 2, 0)[:, :640] for s in scenes]
    expected = [[face.vote.label for face in recognizer.recognize(scene)] for scene in scenes]
    right = total = 0
    for options in ({}, {"stamps": True}, {"turned": 90}):
        pictures = [scene for scene in scenes for _ in range(FRAMES_A_SECOND)]
        stamps = np.cumsum(np.random.default_rng(0).choice([0.02, 0.0333, 0.06], len(pictures))).tolist()
        second = [n // FRAMES_A_SECOND for n in range(len(pictures))]
        if options.get("turned"):
            pictures = [np.rot90(picture, -1) for picture in pictures]
        content = film(pictures, turned=int(options.get("turned", 0)), stamps=stamps if options.get("stamps") else None)
        with open_film(content) as opened:
            for look in FilmWatch(models).looks(opened):
                if look.moment is not None:
                    labels = [face.vote.label for face in look.moment.faces]
                    right += labels == expected[second[look.frame]]
                    total += 1
    return {"moments": total, "as_the_single_picture": right, "share": round(right / total, 4)}


def told_apart(folder: Path, boxes: Path) -> dict[str, float]:
    """How often people side by side pass for one, and one who moved in other light for himself."""
    chance = np.random.default_rng(0)
    others, same = [], []
    for name, marked in read_boxes(boxes).items():
        path = folder / name
        path = path if path.is_file() else folder / Path(name).name
        image = decode_image(path.read_bytes())
        faces = [box for box, is_invalid in marked if min(box.w, box.h) >= 40 and not is_invalid][:8]
        seen = [colours_of(image, box) for box in faces]
        others += [likeness(a, b) for a, b in itertools.combinations(seen, 2)]
        for box, colours in zip(faces, seen, strict=True):
            size, (right, down) = 1 + chance.uniform(-0.2, 0.2), chance.uniform(-0.2, 0.2, 2)
            moved = Box(*(round(v) for v in (box.x + right * box.w, box.y + down * box.h, box.w * size, box.h * size)))
            lit = np.clip(image * chance.uniform(0.8, 1.2), 0, 255).astype(np.uint8)
            same.append(likeness(colours, colours_of(lit, moved)))
    return {
        "pairs_side_by_side": len(others),
        "taken_for_one": round(float(np.mean(np.array(others) >= LEAST_ALIKE)), 4),
        "moved": len(same),
        "known_again": round(float(np.mean(np.array(same) >= LEAST_ALIKE)), 4),
    }


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[str]:
    """A scheduler and its workers, of one thread each, as processes of their own; gives the address."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    module, quiet = [sys.executable, "-m"], {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [
        subprocess.Popen(
            [*module, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"],
            **quiet,
        )
    ]
    worker = [*module, "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    try:
        started += [subprocess.Popen(worker, cwd=config.ROOT, **quiet) for _ in range(workers)]
        with Client(address, timeout=60) as client:
            client.wait_for_workers(workers, timeout=60)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def shared_out(content: bytes, films: int, scratch: Path) -> dict[str, float]:
    """How long one Dask worker, and two, take for a folder of films."""
    folder = scratch / "films"
    folder.mkdir()
    for number in range(films):
        (folder / f"{number}.mp4").write_bytes(content)
    models, seconds = load_models(), {}
    for count in (1, 2):
        with cluster(count) as address:
            # The workers load libraries and models with the first films.
            for name in ("warm", "measured"):
                began = time.perf_counter()
                recognize_folder(folder, scratch / f"{name}-{count}.csv", models, dask=address, progress=False)
                seconds[count] = round(time.perf_counter() - began, 2)
    return {"films": films, "one_worker_s": seconds[1], "two_workers_s": seconds[2]}


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=0.0, help="also look at a film so long (default: none)")
    parser.add_argument("--dask", action="store_true", help="also have one and two Dask workers do a folder of films")
    parser.add_argument("--groups", type=Path, help="folder of pictures of people side by side")
    parser.add_argument("--boxes", type=Path, help="where their faces are: as evaluate --boxes takes it")
    options = parser.parse_args()
    figures: dict[str, object] = {"machine": machine()}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "film.mp4"
        for faces in (1, 2):
            content = film(swaying(60, faces))
            path.write_bytes(content)
            figures[f"{faces} face{'s' * (faces > 1)}"] = looked_at(path)
            if faces == 1 and options.hours:
                repeated(content, round(60 * options.hours), path)
                figures[f"{options.hours} hours"] = looked_at(path)
        if options.dask:
            figures["Dask"] = shared_out(film(swaying(20, 1)), 4, Path(scratch))
    figures["votes"] = agreement()
    if options.groups and options.boxes:
        figures["colours"] = told_apart(options.groups, options.boxes)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
