"""Tables of faces -> five fitted models -> checked ONNX files, reports, manifest and model card."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier

from emotion import config
from emotion.card import model_card
from emotion.dataset import read_faces
from emotion.ensemble import load_models
from emotion.errors import TrainingError
from emotion.evaluation import VOTE, Score, predictions, save_report, score, score_lines
from emotion.export import check_ballots, checksums, model_to_onnx, write_pipeline
from emotion.files import replacing
from emotion.fitting import FittedExperiment, fit_experiments
from emotion.progress import Progress
from emotion.recipes import EXPERIMENTS, FULL, Size
from emotion.splitting import Split, split_faces

_SAVING_SECONDS = 25.0

_LIBRARIES = ("scikit-learn", "imbalanced-learn", "xgboost", "skl2onnx", "onnxmltools", "onnx", "onnxruntime", "numpy")


def dummy_score(split: Split, rows: NDArray[np.bool_] | None = None) -> Score:
    """Score what needs no model: always the commonest class of the training rows.

    Parameters
    ----------
    split : Split
    rows : ndarray of shape (n_test,), bool, optional
        The test rows to score on; by default all.

    Returns
    -------
    Score
    """
    test = split.test if rows is None else split.test[rows]
    dummy = DummyClassifier(strategy="most_frequent").fit(split.train.X, split.train.y)
    return score(test.y, dummy.predict(test.X), split.train.classes)


def prepare_folder(out: Path) -> None:
    """Make the folder of models if it is missing, and see that it can be written to: before hours of training.

    Parameters
    ----------
    out : Path

    Raises
    ------
    TrainingError
        If it cannot be made or written to.
    """
    with _write_faults_told(out):
        (out / "fitted").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass


@contextmanager
def _write_faults_told(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrainingError(f"The models cannot be written to {out}: {error.strerror or error}.") from error


def save_models(
    fitted: list[FittedExperiment],
    split: Split,
    out: Path,
    size: Size = FULL,
    seed: int = config.SEED,
    *,
    progress: bool = True,
) -> dict[str, Any]:
    """Convert, check, score and write five models; what was in the folder stays until all of it is done.

    Parameters
    ----------
    fitted : list of FittedExperiment
    split : Split
        Its test rows are the held-out rows of the check and of the scores.
    out : Path, the folder of models; made if it is not there
    size, seed : Size and int, with which they were fitted, for the manifest
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    dict, the manifest

    Raises
    ------
    TrainingError
        If the ONNX files vote otherwise than the fitted objects, or the folder cannot be written.
    """
    prepare_folder(out)
    # The fitted objects go first: should the check refuse the files, what was learnt is not lost.
    with (
        _write_faults_told(out),
        tempfile.TemporaryDirectory(prefix=".training-", dir=out) as name,
        closing(Progress(_SAVING_SECONDS, enabled=progress)) as bar,
        bar.step("converting, checking and writing", _SAVING_SECONDS),
    ):
        _store_fitted(fitted, out / "fitted")
        staging = Path(name)
        manifest = _stage(fitted, split, staging, size, seed)
        # The manifest goes last: whoever loads in between is told that checksums differ, and loads nothing wrong.
        for file in sorted(staging.iterdir(), key=lambda file: file.name == config.MANIFEST_FILE):
            file.replace(out / file.name)
    return manifest


def _stage(fitted: list[FittedExperiment], split: Split, staging: Path, size: Size, seed: int) -> dict[str, Any]:
    for part in fitted:
        write_pipeline(staging, part.experiment.number, part.pipeline, split.train.classes)
        for name, model in part.models.items():
            (staging / f"{name}.onnx").write_bytes(model_to_onnx(model, part.n_components))
    manifest = _describe(fitted, split, size, seed)
    manifest["files"] = checksums(staging)
    _write_manifest(staging, manifest)
    ensemble = load_models(staging)
    codes = {name: predicted for part in fitted for name, predicted in part.codes(split.test.X).items()}
    manifest["differing_ballots"] = check_ballots(ensemble, codes, split.test.X)
    labels = predictions(ensemble, split.test)
    manifest["scores"] = _scores(labels, split)
    _write_reports(labels, split, staging)
    _write_manifest(staging, manifest)
    (staging / "README.md").write_text(model_card(manifest), encoding="utf-8")
    return manifest


def _describe(fitted: list[FittedExperiment], split: Split, size: Size, seed: int) -> dict[str, Any]:
    return {
        "format_version": config.MANIFEST_FORMAT,
        "classes": list(split.train.classes),
        "seed": seed,
        "size": asdict(size),
        "data_fingerprint": split.fingerprint,
        "rows": {
            "given": split.given,
            "duplicates_removed": split.duplicates_removed,
            "conflicts_removed": split.conflicts_removed,
            "copies_removed": split.copies_removed,
            "train": len(split.train),
            "train_classes": split.train.counts(),
            "test": len(split.test),
            "test_without_copies": int((~split.test_copied).sum()),
        },
        "experiments": [
            {
                "number": part.experiment.number,
                "resampling": part.experiment.resampling,
                "class_weight": part.experiment.class_weight,
                "components": part.n_components,
                "models": list(part.models),
                "rows_after": part.rows_after,
            }
            for part in fitted
        ],
        "libraries": {name: _version(name) for name in _LIBRARIES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        # XGBoost without CUDA is another package of the same code.
        return version(f"{name}-cpu")


def _scores(labels: dict[str, NDArray[np.str_]], split: Split) -> dict[str, Any]:
    parts = {"test": np.ones(len(split.test), dtype=bool), "test_without_copies": ~split.test_copied}
    classes = split.train.classes
    scores: dict[str, Any] = {"dummy": {part: dummy_score(split, rows).summary() for part, rows in parts.items()}}
    for name, predicted in labels.items():
        scores[name] = {
            part: score(split.test.y[rows], predicted[rows], classes).summary() for part, rows in parts.items()
        }
    return scores


def _write_reports(labels: dict[str, NDArray[np.str_]], split: Split, staging: Path) -> None:
    def save(file: str, title: str, name: str) -> None:
        save_report(staging / file, title, score(split.test.y, labels[name], split.train.classes))

    for experiment in EXPERIMENTS:
        save(experiment.stack_report, f"{experiment.stack} ({experiment.resampling})", experiment.stack)
        if experiment.boost and experiment.boost_report:
            save(experiment.boost_report, f"{experiment.boost} ({experiment.resampling})", experiment.boost)
    save("final_model.png", "Vote of the five", VOTE)


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (folder / config.MANIFEST_FILE).write_text(text, encoding="utf-8")


def _store_fitted(fitted: list[FittedExperiment], folder: Path) -> None:
    """Keep the scikit-learn objects for notebooks; they are pickles, so they neither ship nor serve."""
    for part in fitted:
        with replacing(folder / f"experiment_{part.experiment.number}.joblib") as partial:
            joblib.dump(part, partial, compress=3)


def train(
    data: Path | str,
    test: Path | str | None = None,
    out: Path | str = config.MODELS,
    size: Size = FULL,
    seed: int = config.SEED,
    *,
    progress: bool = True,
) -> dict[str, Any]:
    """Train the five models from tables of faces and put them into a folder.

    Parameters
    ----------
    data : path of a CSV or Parquet file
    test : path of another one, optional
        By default a fifth of each class of `data` is set aside.
    out : path of the folder of models
    size : Size
    seed : int
    progress : bool
        Whether to draw a progress bar and print what was found.

    Returns
    -------
    dict, the manifest

    Raises
    ------
    DatasetError
        If a table cannot be read or does not hold what training needs.
    TrainingError
        If a class is too small for resampling, or what was trained must not or cannot be saved.
    """
    prepare_folder(Path(out))
    split = split_faces(read_faces(data), read_faces(test) if test else None, seed, progress=progress)
    if progress:
        print(describe_split(split))
        print(score_lines({"dummy": dummy_score(split)}))
    fitted = fit_experiments(split.train, size, seed, progress=progress)
    return save_models(fitted, split, Path(out), size, seed, progress=progress)


def describe_split(split: Split) -> str:
    """Say what is trained on and what was left out.

    Parameters
    ----------
    split : Split

    Returns
    -------
    str, one line
    """
    return (
        f"{len(split.train):,} faces to train on ({split.duplicates_removed:,} repetitions, "
        f"{split.conflicts_removed:,} labelled in two ways and {split.copies_removed:,} near-copies of test faces left "
        f"out), {len(split.test):,} to test on, {int(split.test_copied.sum()):,} of which had near-copies"
    )
