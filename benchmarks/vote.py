"""How long one face takes through all five models: python benchmarks/vote.py"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import emotion
from emotion import config

ORIGINAL_MILLISECONDS = 382.0
"""What the project that this one re-imagines takes for one face, each of its models asked through scikit-learn."""


def main() -> None:
    """Measure and print; random faces, since no model's time depends on what a face shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=config.MODELS)
    parser.add_argument("--faces", type=int, default=500, help="how many single faces to time (default: 500)")
    options = parser.parse_args()

    started = time.perf_counter()
    models = emotion.load_models(options.models)
    loading = time.perf_counter() - started

    faces = np.random.default_rng(0).integers(0, 256, (options.faces, 1, config.N_PIXELS), np.uint8)
    for face in faces[:20]:
        models.vote(face)
    milliseconds = []
    for face in faces:
        started = time.perf_counter()
        models.vote(face)
        milliseconds.append(1000 * (time.perf_counter() - started))

    median = statistics.median(milliseconds)
    p95 = statistics.quantiles(milliseconds, n=20)[-1]
    print(f"one face, five models, {options.faces} times")
    print(f"  median          {median:8.2f} ms")
    print(f"  95th percentile {p95:8.2f} ms")
    print(f"  the original    {ORIGINAL_MILLISECONDS:8.2f} ms, {ORIGINAL_MILLISECONDS / median:.0f} times as long")
    print(f"loading the models  {loading:6.2f} s")


if __name__ == "__main__":
    main()
