"""Training rows -> five fitted models, by the recipes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

from emotion import config
from emotion.data.annotators import drawn_codes
from emotion.data.dataset import Faces
from emotion.data.embedding import EMBEDDING, OnnxEmbedding, network_file
from emotion.faces.crop import FaceVectors
from emotion.runtime.progress import Progress
from emotion.training.class_sizes import check_counts, check_resampled
from emotion.training.recipes import (
    EXPERIMENTS,
    FULL,
    Experiment,
    Size,
    build_boost,
    build_projection,
    build_sampler,
    build_stack,
)

_SHARED_ROWS: Final = 3_000
"""With fewer rows, cores would wait for each other longer than they work: one alone fits 180 faces in half of the time,
and in a quarter where others are busy, too."""

# Seconds of each step on two cores with the 27 000 training faces of FER2013: what the progress bar is made of.
_EXPECTED_FACES = 27_000
_FEATURES_SECONDS = 60.0
_RESAMPLING_SECONDS = 5.0
_STACK_SECONDS = 200.0
_BOOST_SECONDS = 10.0


@dataclass(frozen=True)
class FittedExperiment:
    """What one experiment learnt.

    Attributes
    ----------
    experiment : Experiment
    pipeline : Pipeline, (n, 2304) -> (n, n_components) float32
    labels : LabelEncoder, class codes <-> labels
    models : dict of model name to fitted classifier, on class codes
    rows_before, rows_after : dict of label to number of rows before and after resampling
    reference : classifier, or None
        Only in the first experiment: XGBoost fitted to its rows as they are, without resampling and weights, to see
        what these do. It does not vote.
    """

    experiment: Experiment
    pipeline: Pipeline
    labels: LabelEncoder
    models: dict[str, ClassifierMixin]
    rows_before: dict[str, int]
    rows_after: dict[str, int]
    reference: ClassifierMixin | None = None

    @property
    def n_components(self) -> int:
        """How many features the pipeline gives."""
        return int(self.pipeline["pca"].n_components_)

    def components(self, X: FaceVectors, embedded: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Give what the models take of faces.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255
        embedded : ndarray of shape (n, d), float32, optional
            What the experiment's network makes of these faces, where that is known already.

        Returns
        -------
        ndarray of shape (n, n_components), float32
        """
        if embedded is not None:
            return np.asarray(self.pipeline[1:].transform(embedded))
        return np.asarray(self.pipeline.transform(_pixels(X, self.experiment)))

    def probabilities(self, components: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        """Let each model say how probable it finds each class.

        Parameters
        ----------
        components : ndarray of shape (n, n_components), float32

        Returns
        -------
        dict of model name to ndarray of shape (n, n_classes), 0-1
        """
        return {name: model.predict_proba(components) for name, model in self.models.items()}

    def reference_labels(self, components: NDArray[np.float32]) -> NDArray[np.str_]:
        """Let the reference predict.

        Parameters
        ----------
        components : ndarray of shape (n, n_components), float32

        Returns
        -------
        ndarray of shape (n,), str

        Raises
        ------
        ValueError
            If this experiment has no reference.
        """
        if self.reference is None:
            raise ValueError(f"experiment {self.experiment.number} has no reference")
        return np.asarray(self.labels.inverse_transform(self.reference.predict(components)))


def fit_experiments(
    train: Faces,
    size: Size = FULL,
    seed: int = config.SEED,
    *,
    opinions: NDArray[np.floating] | None = None,
    experiments: Sequence[Experiment] = EXPERIMENTS,
    networks: Path | str = config.MODELS,
    embedded: Mapping[int, NDArray[np.float32]] | None = None,
    on_cluster: bool = False,
    progress: bool = True,
) -> list[FittedExperiment]:
    """Fit the five models on training rows.

    Rows are resampled before they are fitted to, once for each experiment, and not anew in each fold of a stack's inner
    cross-validation: its out-of-fold probabilities are therefore a little too good for classes that were raised.

    Parameters
    ----------
    train : Faces, from which validation and test rows and their copies are already gone
    size : Size
    seed : int
    opinions : ndarray of shape (n, n_classes), 0-1, rows sum to 1, optional
        The share of people who saw each class in each face. With them, each experiment draws what it takes a face for,
        each class as probable as its share; without, it takes the label.
    experiments : sequence of Experiment
    networks : path of a folder as `emotion.data.embedding.network_file` takes it
    embedded : mapping of an experiment's number to ndarray of shape (n, d), float32, optional
        What its network makes of these faces, where that is known already.
    on_cluster : bool
        Whether the parts of the stacks are fitted by the workers of the Dask cluster to which this process is
        connected (`emotion.runtime.cluster.connected`), and not by the cores of this machine.
    progress : bool
        Whether to draw a progress bar and print class counts.

    Returns
    -------
    list of FittedExperiment, one for each of `experiments`

    Raises
    ------
    TrainingError
        If a class is too small to be resampled or is all but removed by it.
    ModelsError
        If a network is missing or damaged.
    ClusterError
        If the workers of a cluster are all gone; besides that, what Dask raises where a cluster is lost, which
        `emotion.runtime.cluster.connected` tells in a sentence.
    """
    boosts = sum(experiment.boost is not None for experiment in experiments)
    each = _FEATURES_SECONDS + _RESAMPLING_SECONDS + _STACK_SECONDS
    labels = LabelEncoder().fit(train.y)
    by = "" if opinions is None else "By people's votes, "
    if opinions is None:  # before the features, which take longer
        check_counts(dict(enumerate(train.counts().values())), tuple(labels.classes_))
    fitted: list[FittedExperiment] = []
    expected = each * len(experiments) + _BOOST_SECONDS * (boosts + 1)
    with (
        threadpool_limits(1 if len(train) < _SHARED_ROWS else None),
        closing(Progress(expected, scale=len(train) / _EXPECTED_FACES, enabled=progress)) as bar,
    ):
        for experiment in experiments:
            with bar.step(f"experiment {experiment.number}: features", _FEATURES_SECONDS):
                if experiment.features == "network" or not fitted:
                    pipeline, X = fit_pipeline(experiment, train, networks, (embedded or {}).get(experiment.number))
            # Each draws its own synthetic rows and its own sample for the support vectors: votes differ for a reason.
            own_seed = seed + experiment.number
            y = labels.transform(train.y) if opinions is None else drawn_codes(opinions, own_seed)
            X_resampled, y_resampled = _resample(experiment, X, y, labels, by, own_seed, bar)
            models = _fit_models(experiment, X_resampled, y_resampled, size, own_seed, on_cluster, bar)
            reference = None
            if not fitted:
                with bar.step("XGBoost without resampling", _BOOST_SECONDS):
                    reference = build_boost(size, X.shape[1], own_seed, len(X)).fit(X, y)
            before, after = (_named_counts(codes, labels) for codes in (y, y_resampled))
            fitted.append(FittedExperiment(experiment, pipeline, labels, models, before, after, reference))
    return fitted


def answers(
    fitted: Sequence[FittedExperiment], X: FaceVectors, embedded: Mapping[int, NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Let five models say how probable they find each class of the same faces.

    Parameters
    ----------
    fitted : sequence of FittedExperiment
    X : ndarray of shape (n, 2304), uint8, 0-255
    embedded : mapping of an experiment's number to ndarray of shape (n, d), float32
        What its network makes of these faces; where it is not there, it is computed.

    Returns
    -------
    ndarray of shape (n, n_models, n_classes), float64, 0-1, models in the order of `config.MODEL_NAMES`
    """
    said = np.zeros((len(X), len(config.MODEL_NAMES), len(fitted[0].labels.classes_)))
    for part in fitted:
        components = part.components(X, embedded.get(part.experiment.number))
        for name, probabilities in part.probabilities(components).items():
            said[:, config.MODEL_NAMES.index(name)] = probabilities
    return said


def fit_pipeline(
    experiment: Experiment, train: Faces, networks: Path | str, embedded: NDArray[np.float32] | None = None
) -> tuple[Pipeline, NDArray[np.float32]]:
    """Fit the pipeline of an experiment.

    Parameters
    ----------
    experiment : Experiment
    train : Faces, n of them
    networks : path of a folder as `emotion.data.embedding.network_file` takes it
    embedded : ndarray of shape (n, d), float32, optional: what the experiment's network makes of them

    Returns
    -------
    pipeline : Pipeline, (m, 2304) -> (m, n_components) float32
    components : ndarray of shape (n, n_components), float32, what it gives of these faces

    Raises
    ------
    ModelsError
        If the network is missing or damaged.
    """
    first: list[tuple[str, OnnxEmbedding]] = []
    features: NDArray[Any] = _pixels(train.X, experiment)
    if experiment.features == "network":
        embedding = OnnxEmbedding(network_file(networks, experiment.number)).fit(train.X)
        features = embedding.transform(features) if embedded is None else embedded
        first.append((EMBEDDING, embedding))
    projection = build_projection(*features.shape).fit(features)
    round_components(projection)
    return Pipeline([*first, *projection.steps]), projection.transform(features)


def _pixels(X: FaceVectors, experiment: Experiment) -> NDArray[Any]:
    """What a pipeline takes. A network widens a few faces at a time; all of them would take nine kilobytes each."""
    # float32 as in the ONNX files, so that trees split on the values they will be asked about.
    return X if experiment.features == "network" else X.astype(np.float32)


def round_components(pipeline: Pipeline) -> None:
    """Round the principal components to what float16 can hold, in place, before anything is fitted behind them.

    The ONNX file then stores them in half the space and still computes what the fitted objects compute.

    Parameters
    ----------
    pipeline : Pipeline, fitted
    """
    pca = pipeline["pca"]
    pca.components_ = pca.components_.astype(np.float16).astype(np.float32)


def _resample(
    experiment: Experiment,
    X: NDArray[np.float32],
    y: NDArray[np.int_],
    labels: LabelEncoder,
    by: str,
    seed: int,
    bar: Progress,
) -> tuple[NDArray[np.float32], NDArray[np.int_]]:
    classes = tuple(labels.classes_)
    before = dict(enumerate(np.bincount(y, minlength=len(classes)).tolist()))
    check_counts(before, classes, by)
    with bar.step(f"experiment {experiment.number}: {experiment.resampling}", _RESAMPLING_SECONDS):
        X_resampled, y_resampled = build_sampler(experiment, before, seed).fit_resample(X, y)
    after = Counter(y_resampled.tolist())
    check_resampled(before, after, classes)
    changes = ", ".join(f"{classes[code]} {before[code]:,} -> {after[code]:,}" for code in sorted(before))
    bar.say(f"Experiment {experiment.number}, {experiment.resampling}: {changes}")
    return X_resampled.astype(np.float32), y_resampled


def _fit_models(
    experiment: Experiment,
    X: NDArray[np.float32],
    y: NDArray[np.int_],
    size: Size,
    seed: int,
    on_cluster: bool,
    bar: Progress,
) -> dict[str, ClassifierMixin]:
    models: dict[str, ClassifierMixin] = {}
    # Threads: support vectors, linear algebra and trees all compute outside Python's lock, and nothing is copied.
    backend: Any = "threading"
    if on_cluster:
        from emotion.runtime.dask_backend import DaskBackend  # Dask may be missing where there is no cluster

        backend = DaskBackend()
    with (
        bar.step(f"experiment {experiment.number}: {experiment.stack}", _STACK_SECONDS),
        joblib.parallel_config(backend, n_jobs=-1 if on_cluster or len(X) >= _SHARED_ROWS else 1),
    ):
        models[experiment.stack] = build_stack(experiment, size, X.shape[1], seed, len(X)).fit(X, y)
    if experiment.boost:
        weights = compute_sample_weight(experiment.class_weight, y)
        with bar.step(f"experiment {experiment.number}: {experiment.boost}", _BOOST_SECONDS):
            boost = build_boost(size, X.shape[1], seed, len(X))
            models[experiment.boost] = boost.fit(X, y, xgbclassifier__sample_weight=weights)
    return models


def _named_counts(codes: NDArray[np.int_], labels: LabelEncoder) -> dict[str, int]:
    return {str(label): int((codes == code).sum()) for code, label in enumerate(labels.classes_)}
