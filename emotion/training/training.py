"""Tables of faces -> five fitted models -> checked ONNX files, reports, manifest and model card."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from emotion import config
from emotion.data.annotators import Votes, votes_on
from emotion.data.dataset import read_faces
from emotion.data.seen import NO_CODES, Codes, SeenFaces, face_codes, mirrored, read_seen
from emotion.data.splitting import Split, describe_split, split_faces
from emotion.errors import TrainingError
from emotion.runtime.cluster import connected
from emotion.runtime.files import model_faults_told, prepare_folder, put_into_place, replacing
from emotion.runtime.progress import Progress
from emotion.runtime.terminal import say
from emotion.training.calibration import calibrate
from emotion.training.card import model_card
from emotion.training.evaluation import VOTE, as_shares
from emotion.training.export import (
    check_ballots,
    checksums,
    model_to_onnx,
    write_pipeline,
)
from emotion.training.fitting import FittedExperiment, fit_experiments
from emotion.training.judging import CrossValidation, Judged, cross_validate, judge
from emotion.training.recipes import EXPERIMENTS, FULL, Experiment, Size
from emotion.training.reports import reliability_curves, save_report
from emotion.vote.loading import NEW_FOLDER, load_models, network_place
from emotion.vote.voting import Calibration

_SAVING_SECONDS = 60.0

_LIBRARIES = ("scikit-learn", "imbalanced-learn", "xgboost", "skl2onnx", "onnxmltools", "onnx", "onnxruntime", "numpy")


def save_models(
    fitted: list[FittedExperiment],
    split: Split,
    out: Path,
    size: Size = FULL,
    seed: int = config.SEED,
    *,
    networks: Path | str = config.MODELS,
    votes: Votes | None = None,
    crossed: CrossValidation | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Convert, check, calibrate, score and write five models, which take the place of those in the folder as a whole.

    The fitted objects, in ``fitted/``, are replaced first. Should anything fail or end the program before the new files
    are whole, the models that were there stay; from then on, the new ones are what is loaded, also where the program
    ends before each file is in its place (`emotion.vote.loading.settled`).

    Parameters
    ----------
    fitted : list of FittedExperiment
    split : Split
        Its test rows are the held-out rows of the check and of the scores, its validation rows those of the
        calibration. Where there are no test rows, the check takes mirror images of the training rows.
    out : Path, the folder of models; made if it is not there
    size, seed : Size and int, with which they were fitted, for the manifest
    networks : path of the folder of networks with which they were fitted
    votes : Votes, optional, to be scored against too
        Where models learnt them, they are calibrated against the shares of people, too.
    crossed : CrossValidation, where there are no test rows: what is scored
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
        model_faults_told(out),
        tempfile.TemporaryDirectory(prefix=".training-", dir=out) as name,
        closing(Progress(_SAVING_SECONDS, enabled=progress)) as bar,
        bar.step("converting, checking and writing", _SAVING_SECONDS),
    ):
        _store_fitted(fitted, out / "fitted")
        staging = Path(name) / NEW_FOLDER
        staging.mkdir()
        manifest = _stage(fitted, split, staging, size, seed, votes, crossed)
        fitted_to = np.concatenate([face_codes(part.X) for part in (split.train, split.validation)])
        SeenFaces(_seen_by(networks, fitted[0].experiment), fitted_to).write(staging)
        for number, digest in manifest["networks"].items():
            # What stands in the folder that the networks are from shares them; others stand on their own.
            around = out.resolve().parent
            if around == Path(networks).resolve() and network_place(around, int(number), digest) is not None:
                (staging / f"network_{number}.onnx").unlink()
        put_into_place(staging, out)
    return manifest


def _seen_by(networks: Path | str, experiment: Experiment) -> Codes:
    """Codes of the faces that the networks learnt from; none where there are no networks in between."""
    return read_seen(networks).networks if experiment.features == "network" else NO_CODES


def _stage(
    fitted: list[FittedExperiment],
    split: Split,
    staging: Path,
    size: Size,
    seed: int,
    votes: Votes | None,
    crossed: CrossValidation | None,
) -> dict[str, Any]:
    manifest = _describe(fitted, split, size, seed)
    classes = split.train.classes
    validation_truth = as_shares(split.validation.y, classes)
    if votes is not None and votes.validation is not None:
        validation_truth = votes.validation
    manifest["labels"] = "table" if votes is None or votes.train is None else "votes"
    manifest["networks"] = {}
    for part in fitted:
        if digest := write_pipeline(staging, part.experiment.number, part.pipeline, classes):
            manifest["networks"][str(part.experiment.number)] = digest
        for name, model in part.models.items():
            (staging / f"{name}.onnx").write_bytes(model_to_onnx(model, part.n_components))
    manifest["files"] = checksums(staging)
    # One that changes nothing, until it is measured with these very files.
    manifest["calibration"] = asdict(Calibration.none(len(classes)))
    _write_manifest(staging, manifest)
    said = load_models(staging).model_probabilities(split.validation.X)
    manifest["calibration"] = calibrate(said, validation_truth, seed).summary()
    _write_manifest(staging, manifest)
    ensemble = load_models(staging)
    # Never training rows as they are, which lie exactly on the thresholds of trees.
    held_out = split.test.X if len(split.test) else mirrored(split.train.X)
    components = [part.components(held_out) for part in fitted]
    codes = {
        name: said.argmax(axis=1)
        for part, of in zip(fitted, components, strict=True)
        for name, said in part.probabilities(of).items()
    }
    manifest["differing_ballots"] = check_ballots(ensemble, codes, held_out)
    reference = fitted[0].reference_labels(components[0]) if len(split.test) else None
    judged = judge(ensemble, split, votes, crossed, reference)
    manifest |= judged.summary()
    for experiment in EXPERIMENTS if judged.scores else ():
        _save_report(staging / experiment.stack_report, experiment.stack, experiment.resampling, judged)
        if experiment.boost and experiment.boost_report:
            _save_report(staging / experiment.boost_report, experiment.boost, experiment.resampling, judged)
    if judged.scores:
        save_report(staging / "final_model.png", "Vote of the five", judged.main[VOTE])
    if judged.reliability is not None:
        bins = {"faces that were not learnt": manifest["reliability"]["bins"]}
        figure = reliability_curves(bins, manifest["calibration"]["uncertain_below"])
        figure.savefig(staging / "reliability.png", dpi=90)
    _write_manifest(staging, manifest)
    (staging / "README.md").write_text(model_card(manifest), encoding="utf-8")
    return manifest


def _describe(fitted: list[FittedExperiment], split: Split, size: Size, seed: int) -> dict[str, Any]:
    return {
        "format_version": config.MANIFEST_FORMAT,
        "trained": datetime.now(UTC).date().isoformat(),
        "classes": list(split.train.classes),
        "seed": seed,
        "size": asdict(size),
        "data_fingerprint": split.fingerprint,
        "rows": {
            "given": split.given,
            "duplicates_removed": split.duplicates_removed,
            "conflicts_removed": split.conflicts_removed,
            "copies_removed": split.copies_removed,
            "validation_copies_removed": split.validation_copies_removed,
            "train": len(split.train),
            "train_classes": split.train.counts(),
            "validation": len(split.validation),
            "seen_removed": split.seen_removed,
            "test": len(split.test),
            "test_without_copies": int((~split.test_copied).sum()),
            "classes": split.classes,
        },
        "experiments": [
            {
                "number": part.experiment.number,
                "features": part.experiment.features,
                "resampling": part.experiment.resampling,
                "class_weight": part.experiment.class_weight,
                "components": part.n_components,
                "models": list(part.models),
                "rows_before": part.rows_before,
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


def _save_report(path: Path, name: str, resampling: str, judged: Judged) -> None:
    save_report(path, f"{name} ({resampling})", judged.main[name])


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
    out: Path | str = config.OWN_MODELS,
    size: Size = FULL,
    seed: int = config.SEED,
    *,
    experiments: Sequence[Experiment] = EXPERIMENTS,
    networks: Path | str = config.MODELS,
    votes: Path | str | None = None,
    learn_votes: bool = False,
    dask: str | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Train the five models from tables of faces and put them into a folder.

    Parameters
    ----------
    data : path or address of a table, as `emotion.data.dataset.read_faces` takes it
    test : path or address of another one, optional
        By default the table's own test part, or else a fifth of each class, is set aside.
    out : path of the folder of models
    size : Size
    seed : int
    experiments : sequence of Experiment
    networks : path of a folder as `emotion.data.embedding.network_file` takes it; by default those that ship, which
        stay as they are whatever the emotions of `data`
    votes : path of FER+'s table of votes on the faces, optional, to be scored against too
    learn_votes : bool
        Whether models learn what ten people saw, and not the labels of the tables alone.
    dask : str, optional
        The address of a Dask scheduler, whose workers fit the parts of the stacks.
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
        If a class is too small for resampling, what was trained must not or cannot be saved, or votes are to be learnt
        and there are none.
    ModelsError
        If a network is missing or damaged.
    StorageError
        If the storage behind an address does not answer.
    ClusterError
        If the cluster is not there, or is lost.
    """
    if learn_votes and votes is None:
        raise TrainingError("Name the table of votes that the models are to learn, with --votes.")
    prepare_folder(Path(out))
    seen = _seen_by(networks, experiments[0])
    # A cluster that is not there is told before the tables are read.
    with connected(dask) if dask is not None else nullcontext():
        split = split_faces(read_faces(data), read_faces(test) if test else None, seed, seen=seen, progress=progress)
        if progress:
            say(describe_split(split))
        # A wrong table is told before the training, not after.
        opinions = votes_on(split, votes, learn=learn_votes) if votes is not None else None
        return train_on(
            split,
            out,
            size,
            seed,
            experiments=experiments,
            networks=networks,
            votes=opinions,
            on_cluster=dask is not None,
            progress=progress,
        )


def train_on(
    split: Split,
    out: Path | str = config.OWN_MODELS,
    size: Size = FULL,
    seed: int = config.SEED,
    *,
    experiments: Sequence[Experiment] = EXPERIMENTS,
    networks: Path | str = config.MODELS,
    votes: Votes | None = None,
    on_cluster: bool = False,
    progress: bool = True,
) -> dict[str, Any]:
    """Train the five models on faces that are split already, judge them, and put them into a folder.

    Parameters
    ----------
    split : Split
    out, size, seed, experiments, networks : as in `train`
    votes : Votes on the faces, optional
    on_cluster, progress : bool, as in `emotion.training.fitting.fit_experiments`

    Returns
    -------
    dict, the manifest

    Raises
    ------
    TrainingError
        If a class is too small for resampling, or what was trained must not or cannot be saved.
    ModelsError
        If a network is missing or damaged.
    ClusterError
        If the workers of a cluster are all gone.
    """
    how: dict[str, Any] = {"experiments": experiments, "networks": networks, "progress": progress}
    crossed = None
    if not len(split.test):
        crossed = cross_validate(split.train, split.train_known, size, seed, **how)
    learnt = votes.train if votes is not None else None
    fitted = fit_experiments(split.train, size, seed, opinions=learnt, on_cluster=on_cluster, **how)
    return save_models(
        fitted, split, Path(out), size, seed, networks=networks, votes=votes, crossed=crossed, progress=progress
    )
