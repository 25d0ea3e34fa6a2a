"""The five training recipes: three experiments that share their shape and differ in resampling and class weights."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from imblearn.base import SamplerMixin
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import EditedNearestNeighbours
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from xgboost import XGBClassifier

Resampling = Literal["SMOTE", "SMOTEENN"]
Weights = Literal["balanced"]
Features = Literal["network", "pixels"]

PCA_COMPONENTS: Final = 400
PCA_VARIANCE: Final = 0.95

SMOTE_SHARE: Final = 0.6
"""Classes are raised to this share of the largest one. The more they are balanced, the more rare expressions are found
and the fewer calm faces are called Neutral: chosen on validation faces and on sets from elsewhere together. Were they
all equal, balanced weights would be alike, and without effect."""

LEAST_KEPT_SHARE: Final = 0.25
"""Cleaning must leave every class this share of the rows that it had before resampling."""

_MANY_ROWS: Final = 1000
"""With fewer, trees have smaller leaves: thirty faces could not be divided."""

LEAST_ROWS: Final = 6
"""Two for each of the three folds of a stack, within which the support vector machine's probabilities take two more."""


@dataclass(frozen=True)
class Experiment:
    """One pipeline, one resampling, and the models that are fitted to its outcome.

    Attributes
    ----------
    number : int, as in ``pipeline_1.onnx``
    features : "network" or "pixels"
        Whether the pipeline begins with the embedding network of this number, or takes the pixels as they are.
    resampling : "SMOTE" or "SMOTEENN"
    class_weight : "balanced" or None
    stack, boost : str, names of models; without `boost` there is only the stack
    stack_report, boost_report : str, names of their report pictures
    """

    number: int
    resampling: Resampling
    class_weight: Weights | None
    stack: str
    stack_report: str
    boost: str | None = None
    boost_report: str | None = None
    features: Features = "network"


EXPERIMENTS: Final = (
    Experiment(1, "SMOTE", "balanced", "model_1", "M1SMOTE_Clf.png", "model_boost_1", "M1SMOTE_boost.png"),
    Experiment(2, "SMOTEENN", "balanced", "model_2", "M2ENN_Clf.png", "model_boost_2", "M2ENN_boost.png"),
    Experiment(3, "SMOTEENN", None, "model_3", "M3SMOTE_clf-NE.png"),
)

PIXEL_EXPERIMENTS: Final = tuple(replace(experiment, features="pixels") for experiment in EXPERIMENTS)
"""The same without networks, to see what these are good for."""


@dataclass(frozen=True)
class Size:
    """How much work goes into each model.

    Attributes
    ----------
    svc_rows : int
        At most this many rows are shown to the support vector machine, so at most this many become support vectors:
        they bound its file, its training time (quadratic in the rows) and its answering time (linear).
    svc_c, svc_gamma_factor : float, as in `BoundedSVC`
    svc_components, tree_components : int
        The support vector machine and the trees see the first so many principal components, the logistic regression
        sees all. The last ones only add noise to a distance, or to a choice of splits.
    boost_rounds, boost_depth : int, of the XGBoost models
    stack_boost_rounds, stack_boost_depth : int, of XGBoost inside the stacks
    final_rounds : int, of gradient boosting over the stack
    folds : int, of the cross-validation inside the stacks
    """

    svc_rows: int
    svc_c: float
    svc_gamma_factor: float
    svc_components: int
    tree_components: int
    boost_rounds: int
    boost_depth: int
    stack_boost_rounds: int
    stack_boost_depth: int
    final_rounds: int
    folds: int


FULL: Final = Size(8_000, 1.0, 1 / 3, 64, 64, 150, 3, 80, 3, 60, 3)
"""For embeddings, which have a few dozen components; chosen on validation faces."""

PIXELS: Final = Size(8_000, 2.0, 1.5, 60, 100, 150, 6, 60, 5, 60, 3)
FAST: Final = Size(200, 1.0, 1.0, 20, 20, 4, 3, 4, 3, 30, 2)


class BoundedSVC(SVC):  # type: ignore[misc]  # scikit-learn has no types
    """A support vector machine fitted to a stratified sample of so many rows, where there are more.

    Parameters
    ----------
    C, class_weight, cache_size, random_state : as in `sklearn.svm.SVC`, with its RBF kernel
    gamma_factor : float
        The kernel's gamma in units of what scikit-learn calls "scale": one over the number of features and their
        variance.
    max_rows : int
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        gamma_factor: float = 1.0,
        class_weight: Weights | None = None,
        cache_size: int = 500,
        random_state: int | None = None,
        max_rows: int = 1000,
    ) -> None:
        super().__init__(C=C, class_weight=class_weight, cache_size=cache_size, random_state=random_state)
        self.gamma_factor = gamma_factor
        self.max_rows = max_rows

    def fit(self, X: NDArray[np.float32], y: NDArray[np.integer]) -> "BoundedSVC":
        """Fit to a sample of the rows.

        Parameters
        ----------
        X : ndarray of shape (n, n_features), float32
        y : ndarray of shape (n,), class codes

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the sample would leave a class without a row, as scikit-learn's stratified sampling says.
        """
        # The sample must leave a row of each class out; a handful of rows more does no harm.
        if len(X) >= self.max_rows + len(np.unique(y)):
            rows, _ = train_test_split(
                np.arange(len(X)), train_size=self.max_rows, stratify=y, random_state=self.random_state
            )
            X, y = X[rows], y[rows]
        self.gamma = self.gamma_factor / (X.shape[1] * X.var())
        super().fit(X, y)
        return self


def build_projection(n_rows: int, n_features: int) -> Pipeline:
    """Make the scaler and the PCA that stand between the features and the models of an experiment.

    Parameters
    ----------
    n_rows : int, on which it will be fitted
    n_features : int

    Returns
    -------
    Pipeline, unfitted, its steps ``scaler`` and ``pca``: (n, n_features) float32 -> (n, n_components) float32. Where
    there are no 400 components, as many are kept as hold 95 % of the variance.
    """
    if min(n_rows, n_features) > PCA_COMPONENTS:
        pca = PCA(PCA_COMPONENTS, svd_solver="covariance_eigh")
    else:
        pca = PCA(PCA_VARIANCE, svd_solver="full")
    return Pipeline([("scaler", MinMaxScaler()), ("pca", pca)])


def build_sampler(experiment: Experiment, counts: Mapping[int, int], seed: int) -> SamplerMixin:
    """Make the resampler of an experiment for given class counts.

    SMOTE (Chawla et al., 2002) raises small classes by interpolating between neighbours. Where the experiment cleans
    afterwards, edited nearest neighbours (Wilson, 1972) removes rows that most of their neighbours contradict, but
    only from classes that were more than doubled: on classes that overlap, its default takes nearly the whole of the
    largest. Where no class was, nothing is cleaned.

    Parameters
    ----------
    experiment : Experiment
    counts : mapping of class code to number of training rows, which `class_sizes.check_counts` has passed
    seed : int

    Returns
    -------
    a sampler of imbalanced-learn
    """
    smallest = min(counts.values())
    target = round(SMOTE_SHARE * max(counts.values()))
    raised = {code: target for code, count in counts.items() if count < target}
    smote = SMOTE(sampling_strategy=raised, k_neighbors=min(5, smallest - 1), random_state=seed)
    doubled = [code for code in raised if target > 2 * counts[code]]
    if experiment.resampling == "SMOTE" or not doubled:
        return smote
    enn = EditedNearestNeighbours(sampling_strategy=doubled, n_neighbors=3, kind_sel="mode", n_jobs=os.cpu_count())
    return SMOTEENN(smote=smote, enn=enn, random_state=seed)


def build_stack(experiment: Experiment, size: Size, n_features: int, seed: int, n_rows: int) -> StackingClassifier:
    """Make the stacking classifier of an experiment.

    A support vector machine, a logistic regression and XGBoost under gradient boosting, stacked on probabilities:
    class codes are not numbers.

    Parameters
    ----------
    experiment : Experiment
    size : Size
    n_features : int, what the pipeline gives
    seed : int
    n_rows : int, on which it will be fitted

    Returns
    -------
    StackingClassifier, unfitted
    """
    svc = BoundedSVC(
        C=size.svc_c,
        gamma_factor=size.svc_gamma_factor,
        class_weight=experiment.class_weight,
        random_state=seed,
        max_rows=size.svc_rows,
    )
    # Of pixels, the few components that hold the light on a face would be all that a distance is made of; of an
    # embedding, the first ones are what matters.
    scaling = [StandardScaler()] if experiment.features == "pixels" else []
    base = [
        (
            "svc",
            make_pipeline(
                _first(size.svc_components, n_features), *scaling, CalibratedClassifierCV(svc, ensemble=False, cv=2)
            ),
        ),
        ("logistic", LogisticRegression(C=0.1, max_iter=300, tol=1e-3, class_weight=experiment.class_weight)),
        (
            "xgboost",
            make_pipeline(
                _first(size.tree_components, n_features),
                _xgboost(size.stack_boost_rounds, size.stack_boost_depth, learning_rate=0.12, seed=seed, n_rows=n_rows),
            ),
        ),
    ]
    # It learns from rows that those below it know too well; small steps, few features at a time and large leaves keep
    # it from believing them. Leaves of a few rows also make it unstable: where almost all rows are of one class, their
    # steps grow without measure.
    final = GradientBoostingClassifier(
        n_estimators=size.final_rounds,
        learning_rate=0.05,
        max_depth=2,
        max_features=0.3,
        min_samples_leaf=0.02,
        subsample=0.5,
        random_state=seed,
    )
    return StackingClassifier(base, final_estimator=final, cv=size.folds, stack_method="predict_proba")


def build_boost(size: Size, n_features: int, seed: int, n_rows: int) -> Pipeline:
    """Make the XGBoost model of an experiment.

    Parameters
    ----------
    size : Size
    n_features : int, what the pipeline gives
    seed : int
    n_rows : int, on which it will be fitted

    Returns
    -------
    Pipeline, unfitted, whose last step ``xgbclassifier`` takes sample weights
    """
    return make_pipeline(
        _first(size.tree_components, n_features),
        _xgboost(size.boost_rounds, size.boost_depth, learning_rate=0.1, seed=seed, n_rows=n_rows),
    )


def _xgboost(rounds: int, depth: int, learning_rate: float, seed: int, n_rows: int) -> XGBClassifier:
    return XGBClassifier(
        n_estimators=rounds,
        max_depth=depth,
        learning_rate=learning_rate,
        min_child_weight=min(5.0, 5.0 * n_rows / _MANY_ROWS),
        subsample=0.8,
        colsample_bytree=0.3,
        tree_method="hist",
        random_state=seed,
    )


def _first(n_components: int, n_features: int) -> ColumnTransformer:
    """Keep the first principal components, which come in order of variance."""
    # By itself: to a cluster, the rows would be sent only to come back as they are.
    return ColumnTransformer([("first", "passthrough", slice(0, min(n_components, n_features)))], n_jobs=1)
