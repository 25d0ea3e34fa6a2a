"""How many pictures of each expression are enough: python benchmarks/pictures.py --data data.csv --test test.csv

Small sets are drawn from faces that the networks do not know, FER2013's validation and test faces, nearly each of which
is another person's. Five models learn from each set, and are asked about all other such faces of its expressions, each
counting alike. With --page, the table takes the place of the one in docs/retrain.md.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.intervals import true_accuracy, unknown_faces
from emotion import config
from emotion.data.embedding import embeddings
from emotion.runtime.files import replacing
from emotion.training.recipes import FULL

KINDS = (("Happy", "Sad", "Surprise"), ("Angry", "Fear", "Happy", "Neutral", "Sad", "Surprise"))
SIZES = (10, 20, 40, 80, 160, 320)
DRAWS = 3
TABLE = re.compile(r"\| pictures of each .*?(?=\n\n)", re.DOTALL)


def main() -> None:
    """Measure and print; with --page, write it there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013's training table")
    parser.add_argument("--test", type=Path, required=True, help="FER2013's test table")
    parser.add_argument("--page", type=Path, help="docs/retrain.md, where its table stands")
    options = parser.parse_args()
    pool = unknown_faces(options.data, options.test)
    embedded = embeddings(config.MODELS, pool.X)
    heads = " | ".join(f"right, {len(labels)} expressions | least to most" for labels in KINDS)
    lines = [f"| pictures of each expression | {heads} |", "|---:|" + "---:|---:|" * len(KINDS)]
    for size in tqdm(SIZES):
        cells = []
        for labels in KINDS:
            right = []
            for draw in range(DRAWS):
                random = np.random.default_rng((draw, size))
                rows = [random.permutation(np.flatnonzero(pool.y == label))[:size] for label in labels]
                right.append(true_accuracy(pool, np.concatenate(rows), embedded, FULL))
            cells.append(f"{np.mean(right):.0%} | {min(right):.0%} to {max(right):.0%}")
        lines.append(f"| {size} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    if options.page:
        text = options.page.read_text(encoding="utf-8")
        with replacing(options.page) as partial:
            partial.write_text(TABLE.sub("\n".join(lines), text), encoding="utf-8")


if __name__ == "__main__":
    main()
