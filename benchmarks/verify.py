"""Whether the published figures come out again: python benchmarks/verify.py --data data.csv --test test.csv --votes V

Measures the models that ship, on FER2013 and FER+'s votes and, where folders are named as for benchmarks/truth.py, on
sets from elsewhere; compares every figure with the manifests, from which README, docs and cards are written.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.truth import natural_shares
from emotion import config
from emotion.data.annotators import Votes, drawn_codes, votes_on
from emotion.data.dataset import read_faces
from emotion.data.seen import read_seen
from emotion.data.splitting import Split, split_faces
from emotion.errors import EmotionError
from emotion.measure import measure_pictures, summary
from emotion.training.calibration import calibrate
from emotion.training.evaluation import as_shares
from emotion.training.fitting import fit_pipeline
from emotion.training.judging import judge
from emotion.training.recipes import EXPERIMENTS, FULL, build_boost
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import load_models, read_manifest

SETS = (config.MODELS, config.MODELS / "fer2013")


def main() -> int:
    """Measure, compare, and say what differs; the status is 1 where something does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013's training table, made with --keep-names")
    parser.add_argument("--test", type=Path, required=True, help="its public test table")
    parser.add_argument("--votes", type=Path, required=True, help="FER+'s votes")
    parser.add_argument("sets", nargs="*", metavar="NAME=FOLDER[,FOLDER...]", help="sets from elsewhere")
    options = parser.parse_args()
    if unknown := [text for text in options.sets if text.partition("=")[0] not in read_manifest()["elsewhere"]]:
        parser.error(
            f"nothing is published of {', '.join(unknown)}; NAME is one of: {', '.join(read_manifest()['elsewhere'])}"
        )
    differing = 0
    try:
        split = split_faces(read_faces(options.data), read_faces(options.test), seen=read_seen(config.MODELS).networks)
        for folder in SETS:
            models, manifest = load_models(folder), read_manifest(folder)
            if split.fingerprint != manifest["data_fingerprint"]:
                print(f"{folder.name}: these are not the tables that it was trained on.")
                return 1
            votes = votes_on(split, options.votes, learn=manifest["labels"] == "votes")
            differing += compared(folder.name, measured(models, manifest, split, votes), manifest)
        models, manifest = load_models(), read_manifest()
        for name, folders in (text.split("=", 1) for text in options.sets):
            outcomes = [outcome for f in folders.split(",") for outcome in measure_pictures(f, models)[0]]
            again = summary(outcomes, natural_shares() if "natural" in manifest["elsewhere"][name] else None)
            differing += compared(name, again, manifest["elsewhere"][name])
    except EmotionError as error:
        print(error, file=sys.stderr)
        return 1
    return int(differing > 0)


def measured(models: Ensemble, manifest: dict[str, Any], split: Split, votes: Votes) -> dict[str, Any]:
    """Make what a manifest has of figures again."""
    validation = as_shares(split.validation.y, models.classes) if votes.validation is None else votes.validation
    said = models.model_probabilities(split.validation.X)
    calibration = calibrate(said, validation, manifest["seed"]).summary()
    judged = judge(models, split, votes, reference=unresampled(models, manifest, split, votes)).summary()
    return {**judged, "calibration": calibration}


def unresampled(models: Ensemble, manifest: dict[str, Any], split: Split, votes: Votes) -> NDArray[np.str_]:
    """Fit the one reference anew that does not ship: XGBoost on the first experiment's rows as they are."""

    classes, seed = np.array(models.classes), manifest["seed"] + EXPERIMENTS[0].number
    codes = np.searchsorted(classes, split.train.y) if votes.train is None else drawn_codes(votes.train, seed)
    pipeline, X = fit_pipeline(EXPERIMENTS[0], split.train, config.MODELS)
    boost = build_boost(FULL, X.shape[1], seed, len(X)).fit(X, codes)
    return np.asarray(classes[boost.predict(pipeline.transform(split.test.X))])


def compared(name: str, again: dict[str, Any], published: dict[str, Any]) -> int:
    """Print which figures differ, and give their number."""
    before, now = dict(figures({key: published.get(key) for key in again})), dict(figures(again))
    differing = [path for path in sorted({*before, *now}) if before.get(path) != now.get(path)]
    print(f"{name}: {len(before) - len(differing):,} of {len(before):,} figures come out again to the digit")
    for path in differing:
        print(f"  {path}: published {before.get(path)}, now {now.get(path)}")
    return len(differing)


def figures(of: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give each number and text of nested dicts and lists with the way to it."""
    if isinstance(of, dict):
        for key, value in of.items():
            yield from figures(value, f"{path}/{key}")
    elif isinstance(of, list):
        for place, value in enumerate(of):
            yield from figures(value, f"{path}/{place}")
    else:
        yield path, of


if __name__ == "__main__":
    sys.exit(main())
