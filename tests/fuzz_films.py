"""Damaged films, for tests.fuzz: they are read in processes of their own, so that a crash of FFmpeg is counted.

The processes go on from film to film; one that crashes, takes too long or too much memory is replaced by another.
"""

import contextlib
import logging
import math
import multiprocessing
import os
import random
import resource
import sys
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from emotion.errors import FilmError
from emotion.streams.films.reading import coded
from emotion.streams.films.reading.frames import note_on
from emotion.streams.films.reading.opening import open_film
from tests.films import KINDS, animation, film, index_first, numbered

SECONDS = 20
BYTES = 1_500_000_000
_ALL_BYTES = 8_000_000_000
_FRAMES = 12
_EXTREMES = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**62, 2**63 - 1, 2**64 - 1]


def films() -> list[bytes]:
    """Small films of every container and codec that is read, and animated pictures."""
    pictures = [numbered(number) for number in range(_FRAMES)]
    made = [film(pictures, rate=5, sound=kind.sound, **kind.settings) for kind in KINDS.values()]
    made += [
        index_first(film(pictures, rate=5)),
        film(pictures, rate=5, container={"movflags": "frag_keyframe"}),
    ]
    made += [film(pictures, rate=5, turned=90, interlaced=True)]
    return made + [animation(pictures[:6], form) for form in ("GIF", "WEBP", "PNG")]


def spoilt(data: bytes, other: bytes, generator: random.Random) -> bytes:
    """Change a film in one to four places: parts of it, parts of another film, and numbers of its headers."""
    changed = bytearray(data)
    for _ in range(generator.randint(1, 4)):
        place = int(len(changed) * generator.random() ** generator.choice([1, 1, 3]))
        if generator.random() < 0.2:  # where MP4 has its index
            place = max(0, len(changed) - 1 - int(1500 * generator.random()))
        length = min(generator.choice([1, 4, 64, 1024]), generator.randint(1, 4096))
        kind = generator.randrange(7)
        if kind <= 1 and place < len(changed):
            changed[place] ^= 1 << generator.randrange(8)
        elif kind == 2:
            size, order = generator.choice([1, 2, 4, 4, 8]), generator.choice(["big", "little"])
            number = generator.choice(_EXTREMES) & (256**size - 1)
            changed[place : place + size] = number.to_bytes(size, order)  # type: ignore[arg-type]
        elif kind == 3:
            del changed[place : place + length]
        elif kind == 4:
            changed[place:place] = changed[place : place + length] * generator.choice([1, 1, 2, 50])
        elif kind == 5:
            begins = generator.randrange(len(other))
            changed[place : place + generator.choice([0, length])] = other[begins : begins + length]
        elif generator.random() < 0.3:
            del changed[place:]
    return bytes(changed)


def watch(data: bytes, since: float) -> str:
    """Read a film as the program does, and a picture of each frame; say how many there were, and what was told."""
    with open_film(data) as opened:
        assert opened.width > 0
        assert opened.height > 0
        assert math.isfinite(opened.duration)
        assert 0 < opened.rate < 1000
        last, count = -1.0, 0
        for frame in opened.frames(since):
            assert last < frame.seconds < math.inf, f"{last} {frame.seconds}"
            last, count = frame.seconds, count + 1
            picture = frame.picture()
            assert picture.ndim == 3
            assert max(picture.shape) <= 1921
        return f"{count} {note_on(opened)}"


def _serve(connection: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ALL_BYTES, _ALL_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    coded._WORTH_SEEKING_SECONDS = 0.5  # type: ignore[misc]
    coded._SEEK_MARGIN_SECONDS = 0.0  # type: ignore[misc]
    with contextlib.suppress(EOFError):
        while True:
            data, since = connection.recv()
            try:
                told = f"read: {watch(data, since)}"
            except FilmError as error:
                told = f"refused: {error}"
            except Exception:  # noqa: BLE001 -- whatever escapes is what is looked for
                told = f"escaped: {traceback.format_exc()}"
            connection.send((told, _most_bytes()))


def _most_bytes() -> int:
    """The most memory that this process has had. What getrusage says may be that of the process which started it."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


class Reader:
    """A process that reads films, one after the other."""

    def __init__(self) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process: Any = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def outcome(self, data: bytes, since: float) -> str:
        """Say what became of a film; whoever is told anything but "read" and "refused" needs another process."""
        try:
            self._ours.send((data, since))
            if not self._ours.poll(SECONDS):
                return f"took over {SECONDS} s"
            told, most = self._ours.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            return f"crashed: {self._process.exitcode}"
        return f"took {most:,} bytes" if most > BYTES and not told.startswith("escaped") else str(told)

    def close(self) -> None:
        self._ours.close()
        self._process.kill()
        self._process.join()


def drive(runs: int, seed: int) -> None:
    """Read damaged films, keep those that come to no good end, and tell how many there were."""
    generator = random.Random(seed)
    seeds = films()
    started, ends, reader = time.monotonic(), Counter[str](), Reader()
    for run in range(runs):
        data = spoilt(generator.choice(seeds), generator.choice(seeds), generator)
        told = reader.outcome(data, generator.choice([0.0, 0.0, 1.0, 2.0]))
        ends[told.split(":")[0].split(",")[0]] += 1
        if not told.startswith(("read", "refused")):
            Path(f"escaped-{seed}-{run}").write_bytes(data)
            print(f"run {run} of seed {seed}: {told}", file=sys.stderr, flush=True)
            reader.close()
            reader = Reader()
    reader.close()
    seconds = time.monotonic() - started
    print(f"{runs:,} films in {seconds:.0f} s: {', '.join(f'{count:,} {told}' for told, count in ends.most_common())}")
    if set(ends) - {"read", "refused"}:
        sys.exit(1)
