"""Tables of faces -> five fitted models -> checked ONNX files, reports, manifest and model card."""

import hashlib
import json
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.class_weight import compute_sample_weight

from emotion import config
from emotion.card import model_card
from emotion.dataset import Faces, read_faces
from emotion.ensemble import load_models
from emotion.errors import TrainingError
from emotion.evaluation import VOTE, Score, predictions, save_report, score, score_lines
from emotion.export import check_ballots, checksums, model_to_onnx, write_pipeline
from emotion.progress import Progress
from emotion.recipes import (
    EXPERIMENTS,
    FULL,
    Experiment,
    Size,
    build_boost,
    build_pipeline,
    build_sampler,
    build_stack,
    check_resampled,
)
from emotion.splitting import Split, split_faces

# Seconds of each step on two cores with the 27 000 training faces of FER2013: what the progress bar is made of.
_EXPECTED_FACES = 27_000
_PIPELINE_SECONDS = 10.0
_RESAMPLING_SECONDS = 5.0
_STACK_SECONDS = 200.0
_BOOST_SECONDS = 10.0
_SAVING_SECONDS = 20.0

_LIBRARIES = ("scikit-learn", "imbalanced-learn", "xgboost", "skl2onnx", "onnxmltools", "onnx", "onnxruntime", "numpy")


@dataclass(frozen=True)
class FittedExperiment:
    """What one experiment learnt.

    Attributes
    ----------
    experiment : Experiment
    pipeline : Pipeline, (n, 2304) -> (n, n_components) float32
    labels : LabelEncoder, class codes <-> labels
    models : dict of model name to fitted classifier, on class codes
    rows_after : dict of label to number of rows after resampling
    """

    experiment: Experiment
    pipeline: Pipeline
    labels: LabelEncoder
    models: dict[str, ClassifierMixin]
    rows_after: dict[str, int]

    @property
    def n_components(self) -> int:
        """How many features the pipeline gives."""
        return int(self.pipeline["pca"].n_components_)

    def codes(self, X: NDArray[np.uint8]) -> dict[str, NDArray[np.integer]]:
        """Let each model predict.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        dict of model name to ndarray of shape (n,), class codes
        """
        features = self.pipeline.transform(X.astype(np.float32))
        return {name: model.predict(features) for name, model in self.models.items()}


def fit_experiments(
    train: Faces, size: Size = FULL, seed: int = config.SEED, *, progress: bool = True
) -> list[FittedExperiment]:
    """Fit the five models on training rows.

    Parameters
    ----------
    train : Faces, from which test rows and their copies are already gone
    size : Size
    seed : int
    progress : bool
        Whether to draw a progress bar and print class counts.

    Returns
    -------
    list of FittedExperiment, one for each of `emotion.recipes.EXPERIMENTS`

    Raises
    ------
    TrainingError
        If a class is too small to be resampled or is all but removed by it.
    """
    boosts = sum(experiment.boost is not None for experiment in EXPERIMENTS)
    expected = (_RESAMPLING_SECONDS + _STACK_SECONDS) * len(EXPERIMENTS) + _BOOST_SECONDS * boosts + _PIPELINE_SECONDS
    labels = LabelEncoder().fit(train.y)
    y = labels.transform(train.y)
    with closing(Progress(expected, scale=len(train) / _EXPECTED_FACES, enabled=progress)) as bar:
        with bar.step("scaler and PCA", _PIPELINE_SECONDS):
            # float32 as in the ONNX files, so that trees split on the values they will be asked about. The
            # experiments share rows and features, hence this pipeline too.
            pixels = train.X.astype(np.float32)
            pipeline = build_pipeline(len(pixels)).fit(pixels)
            X = pipeline.transform(pixels)
        del pixels
        fitted = []
        for experiment in EXPERIMENTS:
            # Each draws its own synthetic rows and its own sample for the support vectors: votes differ for a reason.
            own_seed = seed + experiment.number
            X_resampled, y_resampled = _resample(experiment, X, y, labels, own_seed, bar)
            models = _fit_models(experiment, X_resampled, y_resampled, size, own_seed, bar)
            fitted.append(FittedExperiment(experiment, pipeline, labels, models, _named_counts(y_resampled, labels)))
    return fitted


def _resample(
    experiment: Experiment, X: NDArray[np.float32], y: NDArray[np.int_], labels: LabelEncoder, seed: int, bar: Progress
) -> tuple[NDArray[np.float32], NDArray[np.int_]]:
    before = Counter(y.tolist())
    with bar.step(f"experiment {experiment.number}: {experiment.resampling}", _RESAMPLING_SECONDS):
        X_resampled, y_resampled = build_sampler(experiment, before, seed).fit_resample(X, y)
    after = Counter(y_resampled.tolist())
    check_resampled(before, after, tuple(labels.classes_))
    changes = ", ".join(f"{labels.classes_[code]} {before[code]:,} -> {after[code]:,}" for code in sorted(before))
    bar.say(f"Experiment {experiment.number}, {experiment.resampling}: {changes}")
    return X_resampled.astype(np.float32), y_resampled


def _fit_models(
    experiment: Experiment, X: NDArray[np.float32], y: NDArray[np.int_], size: Size, seed: int, bar: Progress
) -> dict[str, ClassifierMixin]:
    models: dict[str, ClassifierMixin] = {}
    # Threads: support vectors, linear algebra and trees all compute outside Python's lock, and nothing is copied.
    with (
        bar.step(f"experiment {experiment.number}: {experiment.stack}", _STACK_SECONDS),
        joblib.parallel_config("threading", n_jobs=-1),
    ):
        models[experiment.stack] = build_stack(experiment, size, X.shape[1], seed).fit(X, y)
    if experiment.boost:
        weights = compute_sample_weight(experiment.class_weight, y)
        with bar.step(f"experiment {experiment.number}: {experiment.boost}", _BOOST_SECONDS):
            boost = build_boost(size, X.shape[1], seed)
            models[experiment.boost] = boost.fit(X, y, xgbclassifier__sample_weight=weights)
    return models


def _named_counts(codes: NDArray[np.int_], labels: LabelEncoder) -> dict[str, int]:
    return {str(label): int((codes == code).sum()) for code, label in enumerate(labels.classes_)}


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


def save_models(fitted: list[FittedExperiment], split: Split, out: Path, seed: int = config.SEED) -> dict[str, Any]:
    """Convert, check, score and write five models; what was in the folder stays until all of it is done.

    Parameters
    ----------
    fitted : list of FittedExperiment
    split : Split
        Its test rows are the held-out rows of the check and of the scores.
    out : Path, the folder of models; made if it is not there
    seed : int, for the manifest

    Returns
    -------
    dict, the manifest

    Raises
    ------
    TrainingError
        If the ONNX files vote otherwise than the fitted objects, or the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".training-", dir=out) as name:
            staging = Path(name)
            manifest = _stage(fitted, split, staging, seed)
            _store_fitted(fitted, out / "fitted")
            # The manifest goes last: whoever loads in between is told that checksums differ, and loads nothing wrong.
            files = sorted(staging.iterdir(), key=lambda file: file.name == config.MANIFEST_FILE)
            for file in files:
                file.replace(out / file.name)
    except OSError as error:
        raise TrainingError(f"The models cannot be written to {out}: {error.strerror or error}.") from error
    return manifest


def _stage(fitted: list[FittedExperiment], split: Split, staging: Path, seed: int) -> dict[str, Any]:
    for part in fitted:
        write_pipeline(staging, part.experiment.number, part.pipeline, split.train.classes)
        for name, model in part.models.items():
            (staging / f"{name}.onnx").write_bytes(model_to_onnx(model, part.n_components))
    manifest = _describe(fitted, split, seed)
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


def _describe(fitted: list[FittedExperiment], split: Split, seed: int) -> dict[str, Any]:
    removed = split.duplicates_removed + split.conflicts_removed + split.copies_removed
    return {
        "format_version": config.MANIFEST_FORMAT,
        "classes": list(split.train.classes),
        "seed": seed,
        "data_fingerprint": _fingerprint(split),
        "rows": {
            "data": len(split.train) + removed,
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


def _fingerprint(split: Split) -> str:
    digest = hashlib.sha256()
    for part in (split.train, split.test):
        digest.update(part.X.tobytes())
        digest.update("\n".join(map(str, part.y)).encode())
    return digest.hexdigest()


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
    folder.mkdir(exist_ok=True)
    for part in fitted:
        joblib.dump(part, folder / f"experiment_{part.experiment.number}.joblib", compress=3)


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
    split = split_faces(read_faces(data), read_faces(test) if test else None, seed)
    if progress:
        print(describe_split(split))
        print(score_lines({"dummy": dummy_score(split)}))
    fitted = fit_experiments(split.train, size, seed, progress=progress)
    return save_models(fitted, split, Path(out), seed)


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
