"""Scores on faces that nothing was fitted to, and how sure a vote may be."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.dummy import DummyClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from emotion.data.dataset import Faces
from emotion.data.splitting import Split
from emotion.errors import DatasetError
from emotion.vote.ensemble import Ensemble
from emotion.vote.voting import Calibration, count_votes, winners

VOTE: Final = "vote"

CERTAIN_PRECISION: Final = 0.5
"""Where fewer votes than this are right, a label is more often wrong than not, and is called uncertain."""


@dataclass(frozen=True)
class Score:
    """How well labels were predicted.

    Attributes
    ----------
    n : int, faces
    accuracy : float, 0-1
    macro_f1 : float, 0-1, unweighted mean of the F1 of each class that there are faces of
    classes : tuple of str
    precision, recall, f1 : tuple of float, 0-1, for each class; 0 where undefined
    support : tuple of int, faces of each class
    confusion : ndarray of shape (n_classes, n_classes), int; rows are true classes, columns predicted ones
    """

    n: int
    accuracy: float
    macro_f1: float
    classes: tuple[str, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    support: tuple[int, ...]
    confusion: NDArray[np.int_]

    def summary(self) -> dict[str, Any]:
        """What goes into the manifest, rounded to six digits; of the classes that there are faces of."""
        return {
            "faces": self.n,
            "accuracy": round(self.accuracy, 6),
            "macro_f1": round(self.macro_f1, 6),
            "recall": {
                label: round(share, 6)
                for label, share, faces in zip(self.classes, self.recall, self.support, strict=True)
                if faces
            },
        }


def score(y_true: NDArray[np.str_], y_predicted: NDArray[np.str_], classes: tuple[str, ...]) -> Score:
    """Compare predicted labels with true ones.

    Parameters
    ----------
    y_true, y_predicted : ndarray of shape (n,), str
    classes : tuple of str, all that may occur

    Returns
    -------
    Score

    Raises
    ------
    DatasetError
        If there are no rows, or a true label is none of the classes.
    """
    unknown = sorted(set(map(str, y_true)) - set(classes))
    if unknown or not len(y_true):
        known = ", ".join(classes)
        raise DatasetError(
            f"The models know {known}, but not: {', '.join(unknown)}." if unknown else "There are no faces to score."
        )
    names = list(classes)
    precision, recall, f1, support = precision_recall_fscore_support(
        y_true, y_predicted, labels=names, zero_division=0.0
    )
    return Score(
        n=len(y_true),
        accuracy=float(accuracy_score(y_true, y_predicted)),
        macro_f1=float(np.mean(f1[support > 0])),
        classes=tuple(classes),
        precision=tuple(map(float, precision)),
        recall=tuple(map(float, recall)),
        f1=tuple(map(float, f1)),
        support=tuple(map(int, support)),
        confusion=np.asarray(confusion_matrix(y_true, y_predicted, labels=names)),
    )


def predictions(ensemble: Ensemble, faces: Faces) -> dict[str, NDArray[np.str_]]:
    """Let each model and the vote label the same faces.

    Parameters
    ----------
    ensemble : Ensemble
    faces : Faces

    Returns
    -------
    dict of model name, and ``vote``, to ndarray of shape (n,), str
    """
    probabilities = ensemble.model_probabilities(faces.X)
    ballots = probabilities.argmax(axis=2)
    classes = np.array(ensemble.classes)
    labels = {name: classes[ballots[:, i]] for i, name in enumerate(ensemble.model_names)}
    return {**labels, VOTE: classes[winners(ballots, probabilities.mean(axis=1))]}


def evaluate(ensemble: Ensemble, faces: Faces) -> dict[str, Score]:
    """Score each model and the vote on faces that they never saw.

    Parameters
    ----------
    ensemble : Ensemble
    faces : Faces

    Returns
    -------
    dict of model name, and ``vote``, to Score

    Raises
    ------
    DatasetError
        If there are no faces, or one has a label that the models do not know.
    """
    return {name: score(faces.y, labels, ensemble.classes) for name, labels in predictions(ensemble, faces).items()}


def remembered(labels: NDArray[np.str_], copy_labels: NDArray[np.str_]) -> NDArray[np.str_]:
    """Label faces as models would that had kept copies of them, and did no more than repeat the labels of these.

    That is what such copies are worth, and no score of the models: it says how far figures that were measured with
    copies in the training part are above those that were measured without.

    Parameters
    ----------
    labels : ndarray of shape (n,), str, what the models say that never saw a copy
    copy_labels : ndarray of shape (n,), str, the label of each face's copy; "" where there is none

    Returns
    -------
    ndarray of shape (n,), str
    """
    return np.where(copy_labels != "", copy_labels, labels)


def calibrate(probabilities: NDArray[np.floating], labels: NDArray[np.intp], y_codes: NDArray[np.intp]) -> Calibration:
    """Measure how sure a vote may be, on faces that nothing was fitted to.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes), 0-1, the mean over the models
    labels : ndarray of shape (n,), class codes, what the vote says
    y_codes : ndarray of shape (n,), class codes, what is true

    Returns
    -------
    Calibration: the temperature with the smallest log loss, and the probability under which fewer than
    `CERTAIN_PRECISION` of the votes are right, by isotonic regression (Zadrozny and Elkan, 2002)
    """
    rows = np.arange(len(y_codes))

    def log_loss(log_temperature: float) -> float:
        calibrated = Calibration(float(np.exp(log_temperature)), 0.0).apply(probabilities)
        return float(-np.log(np.maximum(calibrated[rows, y_codes], 1e-9)).mean())

    temperature = float(np.exp(minimize_scalar(log_loss, bounds=(-2.0, 2.0), method="bounded").x))
    confidence = Calibration(temperature, 0.0).apply(probabilities)[rows, labels]
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(confidence, labels == y_codes)
    levels = np.linspace(0, 1, 1001)
    reliable = levels[isotonic.predict(levels) >= CERTAIN_PRECISION]
    return Calibration(round(temperature, 4), round(float(reliable[0]) if len(reliable) else 1.0, 4))


@dataclass(frozen=True)
class Reliability:
    """How often votes are right that claim a probability.

    Attributes
    ----------
    confidence, precision : ndarray of shape (n_bins,), float, 0-1
        Of the votes of each bin of equal width, the mean probability of the label, and the share that is right.
    faces : ndarray of shape (n_bins,), int; bins without a vote are left out
    expected_error : float, 0-1
        Mean distance of the two over all votes: the expected calibration error (Naeini et al., 2015).
    uncertain : float, 0-1, share of votes that are called uncertain
    uncertain_precision, certain_precision : float, 0-1, share of these, and of the others, that is right
    """

    confidence: NDArray[np.float64]
    precision: NDArray[np.float64]
    faces: NDArray[np.int_]
    expected_error: float
    uncertain: float
    uncertain_precision: float
    certain_precision: float

    def summary(self) -> dict[str, Any]:
        """What goes into the manifest, rounded to six digits."""
        names = ("expected_error", "uncertain", "uncertain_precision", "certain_precision")
        bins = {
            "confidence": [round(float(share), 6) for share in self.confidence],
            "precision": [round(float(share), 6) for share in self.precision],
            "faces": [int(count) for count in self.faces],
        }
        return {name: round(getattr(self, name), 6) for name in names} | {"bins": bins}


def reliability(
    ensemble: Ensemble, faces: Faces, calibration: Calibration | None = None, bins: int = 15
) -> Reliability:
    """Compare what votes claim with how often they are right.

    Parameters
    ----------
    ensemble : Ensemble
    faces : Faces, with labels that the models know
    calibration : Calibration, by default that of the ensemble
    bins : int, of equal width

    Returns
    -------
    Reliability
    """
    applied = calibration or ensemble.calibration
    probabilities = ensemble.model_probabilities(faces.X)
    calibrated = applied.apply(probabilities.mean(axis=1))
    votes = count_votes(probabilities.argmax(axis=2), calibrated, ensemble.classes, applied.uncertain_below)
    confidence = np.array([vote.probabilities[vote.label] for vote in votes])
    right = np.array([vote.label for vote in votes]) == faces.y
    uncertain = np.array([vote.uncertain for vote in votes])
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    filled = np.unique(place)
    claimed = np.array([confidence[place == b].mean() for b in filled])
    kept = np.array([right[place == b].mean() for b in filled])
    count = np.array([(place == b).sum() for b in filled])
    return Reliability(
        confidence=claimed,
        precision=kept,
        faces=count,
        expected_error=float((np.abs(claimed - kept) * count).sum() / len(votes)),
        uncertain=float(uncertain.mean()),
        uncertain_precision=float(right[uncertain].mean()) if uncertain.any() else 0.0,
        certain_precision=float(right[~uncertain].mean()) if not uncertain.all() else 0.0,
    )


def dummy_labels(split: Split) -> NDArray[np.str_]:
    """Label the test rows without a model: always the commonest class of the training rows.

    Parameters
    ----------
    split : Split

    Returns
    -------
    ndarray of shape (n_test,), str
    """
    dummy = DummyClassifier(strategy="most_frequent").fit(split.train.X, split.train.y)
    return np.asarray(dummy.predict(split.test.X))


def split_scores(
    labels: dict[str, NDArray[np.str_]], split: Split, majority: NDArray[np.str_] | None
) -> dict[str, Any]:
    """Score labels of the test faces, on all of them and on parts of them.

    Parameters
    ----------
    labels : dict of a name to ndarray of shape (n_test,), str
    split : Split
    majority : ndarray of shape (n_test,), str, optional, as `emotion.data.annotators.majority_of` gives it

    Returns
    -------
    dict of each name to a dict of each part (``test``, ``test_without_copies``; ``ferplus_majority`` and
    ``table_labels`` where there are such) to `Score.summary`
    """
    everything = np.ones(len(split.test), dtype=bool)
    parts = {"test": (split.test.y, everything), "test_without_copies": (split.test.y, ~split.test_copied)}
    if majority is not None:
        parts["ferplus_majority"] = (majority, majority != "")
    if split.table_labels is not None:
        parts["table_labels"] = (split.table_labels, everything)
    # The table may have labels that people gave to no training face.
    classes = tuple(sorted({*split.train.classes, *map(str, [] if split.table_labels is None else split.table_labels)}))
    return {
        name: {
            part: score(
                truth[rows], predicted[rows], classes if part == "table_labels" else split.train.classes
            ).summary()
            for part, (truth, rows) in parts.items()
        }
        for name, predicted in labels.items()
    }


def worth_of_copies(vote: NDArray[np.str_], split: Split) -> dict[str, Any]:
    """Say what the near-copies of test faces would have been worth, had they stayed among the training faces.

    Parameters
    ----------
    vote : ndarray of shape (n_test,), str, what the vote says
    split : Split, in which some test faces have copies

    Returns
    -------
    dict: ``same_label``, the share (0-1) of these faces with the label of their copy; ``remembered``, the
    `Score.summary` of the vote if it repeated these labels
    """
    same_label = float((split.copy_labels == split.test.y)[split.test_copied].mean())
    repeating = score(split.test.y, remembered(vote, split.copy_labels), split.train.classes)
    return {"same_label": round(same_label, 6), "remembered": repeating.summary()}
