"""Scores on faces that nothing was fitted to, and their pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from emotion.annotators import majority_labels, read_votes
from emotion.dataset import Faces
from emotion.ensemble import Ensemble
from emotion.errors import DatasetError
from emotion.files import replacing
from emotion.voting import Calibration, count_votes, winners

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


def majority_of(faces: Faces, votes: Path | str, classes: tuple[str, ...] | None = None) -> NDArray[np.str_]:
    """Look up what most of ten people saw in each face.

    Parameters
    ----------
    faces : Faces, with the names of their files
    votes : path of FER+'s table of votes
    classes : tuple of str, the labels that count; by default those of the faces

    Returns
    -------
    ndarray of shape (n,), str, as `emotion.annotators.majority_labels` gives them; empty where there is no majority

    Raises
    ------
    DatasetError
        If the table cannot be read, the file names were not kept, or there are no votes on these faces.
    """
    if faces.files is None:
        raise DatasetError("Votes belong to files: make the table of faces with image_to_vector.py --keep-names.")
    majority = majority_labels(read_votes(votes, faces.files.tolist()), classes or faces.classes)
    if not (majority != "").any():
        raise DatasetError(f"{votes} has no votes on these faces.")
    return majority


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


def reliability_figure(measured: Reliability, uncertain_below: float) -> Figure:
    """Draw how often votes are right against the probability that they claim, over how many there are.

    Parameters
    ----------
    measured : Reliability
    uncertain_below : float, 0-1, marked by a line

    Returns
    -------
    matplotlib Figure
    """
    figure = Figure(figsize=(6, 6), layout="constrained")
    curve, histogram = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    curve.plot([0, 1], [0, 1], color="grey", linewidth=1, label="as often right as claimed")
    curve.plot(measured.confidence, measured.precision, marker="o", label="measured")
    curve.set_title(f"expected calibration error {measured.expected_error:.1%}")
    curve.set_ylabel("share of votes that are right")
    histogram.bar(measured.confidence, measured.faces, width=0.04)
    histogram.set_xlabel("probability that the vote claims")
    histogram.set_ylabel("faces")
    for axes in (curve, histogram):
        axes.axvline(uncertain_below, color="firebrick", linestyle=":", label="uncertain to the left")
    curve.legend()
    return figure


def score_lines(scores: Mapping[str, Score]) -> str:
    """Lay scores out as a table for the terminal.

    Parameters
    ----------
    scores : mapping of name to Score

    Returns
    -------
    str, a header and one line a name
    """
    lines = [f"{'':<14} {'accuracy':>9} {'macro-F1':>9} {'faces':>7}"]
    lines += [f"{name:<14} {s.accuracy:>9.1%} {s.macro_f1:>9.1%} {s.n:>7,}" for name, s in scores.items()]
    return "\n".join(lines)


def class_line(of_vote: Score) -> str:
    """Say for the terminal what share of each class the vote finds.

    Parameters
    ----------
    of_vote : Score

    Returns
    -------
    str, of the classes that there are faces of
    """
    shares = zip(of_vote.classes, of_vote.recall, of_vote.support, strict=True)
    return f"The vote finds {', '.join(f'{share:.1%} of {label}' for label, share, faces in shares if faces)}."


def reliability_line(measured: Reliability) -> str:
    """Say for the terminal how far votes' probabilities can be trusted.

    Parameters
    ----------
    measured : Reliability

    Returns
    -------
    str
    """
    return (
        f"What votes claim differs from how often they are right by {measured.expected_error:.1%} on average; "
        f"{measured.uncertain:.1%} are uncertain, of which {measured.uncertain_precision:.1%} are right, of the others "
        f"{measured.certain_precision:.1%}."
    )


def report_figure(title: str, result: Score) -> Figure:
    """Draw the confusion matrix of a model beside its table of classes.

    Parameters
    ----------
    title : str
    result : Score

    Returns
    -------
    matplotlib Figure
    """
    figure = Figure(figsize=(11, 5), layout="constrained")
    matrix, table = figure.subplots(1, 2, width_ratios=(1.2, 1))
    figure.suptitle(
        f"{title}: accuracy {result.accuracy:.1%}, macro-F1 {result.macro_f1:.1%}, on {result.n:,} faces not trained on"
    )
    _draw_confusion(matrix, result)
    table.axis("off")
    rows = [
        (_plain(label), f"{p:.0%}", f"{r:.0%}", f"{f:.0%}", f"{n:,}")
        for label, p, r, f, n in zip(
            result.classes, result.precision, result.recall, result.f1, result.support, strict=True
        )
    ]
    columns = ("", "precision", "recall", "F1", "faces")
    table.table(cellText=rows, colLabels=columns, loc="center", edges="horizontal").scale(1, 1.6)
    return figure


def _draw_confusion(axes: Any, result: Score) -> None:
    share = result.confusion / np.maximum(result.confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(result.classes))
    names = [_plain(label) for label in result.classes]
    axes.set_xticks(ticks, names, rotation=45, ha="right")
    axes.set_yticks(ticks, names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("labelled")
    for row, column in np.ndindex(share.shape):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, f"{share[row, column]:.0%}", ha="center", va="center", color=colour)


def _plain(label: str) -> str:
    """Keep matplotlib from taking what is between dollar signs for a formula."""
    return label.replace("$", r"\$")


def save_report(path: Path, title: str, result: Score) -> None:
    """Write the report picture of a model.

    Parameters
    ----------
    path : Path, a .png
    title : str
    result : Score

    Raises
    ------
    OSError
        If the file cannot be written; an older one is left as it is.
    """
    with replacing(path) as partial:
        report_figure(title, result).savefig(partial, format="png", dpi=90)
