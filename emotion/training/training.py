"""Tables of faces -> five fitted models -> checked ONNX files, reports, manifest and model card."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from emotion import config
from emotion.data.annotators import Votes, votes_on
from emotion.data.dataset import Faces, read_faces
from emotion.data.seen import NO_CODES, Codes, SeenFaces, face_codes, read_seen
from emotion.data.splitting import Split, describe_split, split_faces
from emotion.errors import TrainingError
from emotion.runtime.cluster import connected
from emotion.runtime.files import put_into_place, replacing
from emotion.runtime.progress import Progress
from emotion.runtime.terminal import say
from emotion.training.calibration import LEAST_FACES, calibrate, reliability
from emotion.training.card import model_card
from emotion.training.evaluation import (
    VOTE,
    dummy_labels,
    predictions,
    score,
    split_scores,
    worth_of_copies,
)
from emotion.training.export import check_ballots, checksums, model_to_onnx, write_pipeline
from emotion.training.fitting import FittedExperiment, fit_experiments
from emotion.training.recipes import EXPERIMENTS, FULL, Experiment, Size
from emotion.training.reports import save_report, score_lines
from emotion.vote.loading import NEW_FOLDER, load_models, network_place
from emotion.vote.voting import Calibration

_SAVING_SECONDS = 60.0

_LIBRARIES = ("scikit-learn", "imbalanced-learn", "xgboost", "skl2onnx", "onnxmltools", "onnx", "onnxruntime", "numpy")


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
    networks: Path | str = config.MODELS,
    votes: Votes | None = None,
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
        calibration.
    out : Path, the folder of models; made if it is not there
    size, seed : Size and int, with which they were fitted, for the manifest
    networks : path of the folder of networks with which they were fitted
    votes : Votes, optional, to be scored against too
        Where models learnt them, they are calibrated against the shares of people, too.
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
        staging = Path(name) / NEW_FOLDER
        staging.mkdir()
        manifest = _stage(fitted, split, staging, size, seed, votes)
        fitted_to = np.concatenate([face_codes(part.X) for part in (split.train, split.validation)])
        SeenFaces(_seen_by(networks, fitted[0].experiment), fitted_to).write(staging)
        for number, digest in manifest["networks"].items():
            # What stands in a folder of models shares the networks of that folder.
            if network_place(out.resolve().parent, int(number), digest) is not None:
                (staging / f"network_{number}.onnx").unlink()
        put_into_place(staging, out)
    return manifest


def _seen_by(networks: Path | str, experiment: Experiment) -> Codes:
    """Codes of the faces that the networks learnt from; none where there are no networks in between."""
    return read_seen(networks).networks if experiment.features == "network" else NO_CODES


def _stage(
    fitted: list[FittedExperiment], split: Split, staging: Path, size: Size, seed: int, votes: Votes | None
) -> dict[str, Any]:
    manifest = _describe(fitted, split, size, seed)
    validation_truth, test_truth = (_as_shares(part, split.train.classes) for part in (split.validation, split.test))
    if votes is not None and votes.validation is not None:
        validation_truth, test_truth = votes.validation, votes.test.shares
    manifest["labels"] = "table" if votes is None or votes.train is None else "votes"
    manifest["networks"] = {}
    for part in fitted:
        if digest := write_pipeline(staging, part.experiment.number, part.pipeline, split.train.classes):
            manifest["networks"][str(part.experiment.number)] = digest
        for name, model in part.models.items():
            (staging / f"{name}.onnx").write_bytes(model_to_onnx(model, part.n_components))
    manifest["files"] = checksums(staging)
    # One that changes nothing, until it is measured with these very files.
    manifest["calibration"] = asdict(Calibration.none(len(split.train.classes)))
    _write_manifest(staging, manifest)
    said = load_models(staging).model_probabilities(split.validation.X)
    manifest["calibration"] = calibrate(said, validation_truth, seed).summary()
    _write_manifest(staging, manifest)
    ensemble = load_models(staging)
    codes = {name: predicted for part in fitted for name, predicted in part.codes(split.test.X).items()}
    manifest["differing_ballots"] = check_ballots(ensemble, codes, split.test.X)
    labels = predictions(ensemble, split.test)
    commonest = dummy_labels(split, None if votes is None else votes.train)
    references = {"dummy": commonest, "unresampled": fitted[0].reference_labels(split.test.X)}
    manifest["scores"] = split_scores({**references, **labels}, split, None if votes is None else votes.test)
    if split.test_copied.any():
        manifest["near_copies"] = worth_of_copies(labels[VOTE], split)
    manifest["reliability"] = reliability(ensemble, split.test.X, test_truth).summary()
    truth, rows = split.test.y, np.ones(len(split.test), dtype=bool)
    if votes is not None and votes.train is not None:
        truth, rows = votes.test.majority, votes.test.majority != ""
    _write_reports({name: said[rows] for name, said in labels.items()}, truth[rows], split.train.classes, staging)
    _write_manifest(staging, manifest)
    (staging / "README.md").write_text(model_card(manifest), encoding="utf-8")
    return manifest


def _as_shares(faces: Faces, classes: tuple[str, ...]) -> NDArray[np.float32]:
    """The label as the opinion of everybody."""
    return np.asarray(faces.y[:, None] == np.array(classes), dtype=np.float32)


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
            "validation_copies_removed": split.validation_copies_removed,
            "train": len(split.train),
            "train_classes": split.train.counts(),
            "validation": len(split.validation),
            "seen_removed": split.seen_removed,
            "test": len(split.test),
            "test_without_copies": int((~split.test_copied).sum()),
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


def _write_reports(
    labels: dict[str, NDArray[np.str_]], truth: NDArray[np.str_], classes: tuple[str, ...], staging: Path
) -> None:
    def save(file: str, title: str, name: str) -> None:
        save_report(staging / file, title, score(truth, labels[name], classes))

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
        By default a fifth of each class of `data` is set aside.
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
        if progress:
            say(score_lines({"dummy": score(split.test.y, dummy_labels(split), split.train.classes)}))
        fitted = fit_experiments(
            split.train,
            size,
            seed,
            opinions=opinions.train if opinions is not None else None,
            experiments=experiments,
            networks=networks,
            on_cluster=dask is not None,
            progress=progress,
        )
    manifest = save_models(fitted, split, Path(out), size, seed, networks=networks, votes=opinions, progress=progress)
    calibration = manifest["calibration"]
    if progress and calibration["interval"] is None:
        say(
            f"{calibration['faces']:,} validation faces are too few to measure how sure votes may be; {LEAST_FACES} "
            "are needed. Their probabilities were left as the models gave them."
        )
    return manifest
