"""Whether the intervals that training states for small sets hold: python benchmarks/intervals.py --data data.csv ...

Small sets are drawn from faces that the networks do not know: FER2013's validation and test faces. Each is judged as
training judges it, by cross-validation. What is true is how often models that learnt from the whole set are right on
all other faces of its classes, each class counting alike. The recipes are those of `--fast`, unless --full is given.
"""

import argparse
import json
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emotion import config
from emotion.data.dataset import Faces, read_faces
from emotion.data.embedding import embeddings
from emotion.data.seen import read_seen
from emotion.data.splitting import split_faces
from emotion.training.evaluation import INDEPENDENT, VOTE, interval
from emotion.training.fitting import answers, fit_experiments
from emotion.training.judging import cross_validate, judge_crossed
from emotion.training.recipes import FAST, FULL, Size
from emotion.vote.ensemble import Combiner
from emotion.vote.voting import Calibration

Embedded = dict[int, NDArray[np.float32]]
"""What each network makes of faces."""

_POOL: list[Faces] = []
_EMBEDDED: list[Embedded] = []
"""Read once, for the processes that are forked."""

KINDS = (
    (("Happy", "Sad"), 15),
    (("Happy", "Sad", "Surprise"), 20),
    (("Happy", "Sad", "Surprise"), 60),
    (("Angry", "Happy", "Neutral", "Surprise"), 30),
)
"""Classes, and faces of each."""


def main() -> None:
    """Draw sets, judge each, and count how often the intervals hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013's training table")
    parser.add_argument("--test", type=Path, required=True, help="FER2013's test table")
    parser.add_argument("--sets", type=int, default=200, help="how many, of all kinds together (default: 200)")
    parser.add_argument("--full", action="store_true", help="with the recipes as they are: hours")
    parser.add_argument("--json", type=Path, help="a file for the figures; what is there already is gone on with")
    options = parser.parse_args()
    _POOL.append(unknown_faces(options.data, options.test))
    _EMBEDDED.append(embeddings(config.MODELS, _POOL[0].X))
    done = json.loads(options.json.read_text()) if options.json and options.json.exists() else []
    size = FULL if options.full else FAST
    todo = [number for number in range(options.sets) if number >= len(done)]
    # Forked: the faces are there already.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("fork")) as workers:
        for measured in tqdm(workers.map(judged, todo, [size] * len(todo)), total=len(todo)):
            done.append(measured)
            if options.json:
                options.json.write_text(json.dumps(done) + "\n")
    for independent in (INDEPENDENT, 1.0):
        print(f"faces that count: {independent:.0%} of those judged")
        for kind in [*KINDS, None]:
            some = [m for m in done if kind is None or (len(kind[0]), kind[1]) == (m["classes"], m["of_each"])]
            held = [low <= m["true"] <= high for m in some for low, high in [bounds(m, independent)]]
            errors = np.array([m["measured"] - m["true"] for m in some])
            name = "all" if kind is None else f"{len(kind[0])} classes of {kind[1]}"
            print(
                f"{name:<18} {len(some):>4} sets: {np.mean(held):.1%} held; measured less true {errors.mean():+.1%} "
                f"on average, spread {errors.std():.1%}"
            )


def unknown_faces(data: Path, test: Path) -> Faces:
    """Give FER2013's validation and test faces, which the networks do not know."""
    split = split_faces(read_faces(data), read_faces(test), seen=read_seen(config.MODELS).networks, progress=True)
    parts = (split.validation, split.test)
    return Faces(np.concatenate([part.X for part in parts]), np.concatenate([part.y for part in parts]))


def judged(number: int, size: Size) -> dict[str, float]:
    """Draw the set of this number, and judge it as training does, and by faces that are not in it."""
    pool, embedded = _POOL[0], _EMBEDDED[0]
    labels, of_each = KINDS[number % len(KINDS)]
    random = np.random.default_rng(number)
    rows = np.concatenate([random.permutation(np.flatnonzero(pool.y == label))[:of_each] for label in labels])
    own = pool[rows]
    of_own = {number: of[rows] for number, of in embedded.items()}
    crossed = cross_validate(own, np.zeros(len(own), dtype=bool), size, embedded=of_own, progress=False)
    vote = judge_crossed(own.y[crossed.rows], own.classes, crossed).main[VOTE]
    true = true_accuracy(pool, rows, embedded, size)
    return {"classes": len(own.classes), "of_each": of_each, "n": vote.n, "measured": vote.accuracy, "true": true}


def true_accuracy(pool: Faces, rows: NDArray[np.intp], embedded: Embedded, size: Size) -> float:
    """Say how often models that learnt from these rows are right on others of their classes, each counting alike."""
    own = pool[rows]
    others = np.setdiff1d(np.flatnonzero(np.isin(pool.y, own.classes)), rows)
    of_own = {number: of[rows] for number, of in embedded.items()}
    fitted = fit_experiments(own, size, embedded=of_own, progress=False)
    said = answers(fitted, pool.X[others], {number: of[others] for number, of in embedded.items()})
    labels = Combiner(own.classes, Calibration.none(len(own.classes))).labels(said)
    return float(np.mean([(labels[pool.y[others] == label] == label).mean() for label in own.classes]))


def bounds(measured: dict[str, float], independent: float) -> tuple[float, float]:
    """Give the interval that is stated."""
    return interval(measured["measured"] * measured["n"], measured["n"], independent)


if __name__ == "__main__":
    main()
