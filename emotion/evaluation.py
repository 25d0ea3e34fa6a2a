"""Scores on faces that nothing was fitted to, and their pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from emotion.dataset import Faces
from emotion.ensemble import Ensemble
from emotion.errors import DatasetError
from emotion.files import replacing
from emotion.voting import winners

VOTE = "vote"


@dataclass(frozen=True)
class Score:
    """How well labels were predicted.

    Attributes
    ----------
    n : int, faces
    accuracy : float, 0-1
    macro_f1 : float, 0-1, unweighted mean of the F1 of each class
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
        """What goes into the manifest, rounded to four digits."""
        return {
            "faces": self.n,
            "accuracy": round(self.accuracy, 4),
            "macro_f1": round(self.macro_f1, 4),
            "recall": {label: round(value, 4) for label, value in zip(self.classes, self.recall, strict=True)},
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
        macro_f1=float(np.mean(f1)),
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
        (label, f"{p:.0%}", f"{r:.0%}", f"{f:.0%}", f"{n:,}")
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
    axes.set_xticks(ticks, result.classes, rotation=45, ha="right")
    axes.set_yticks(ticks, result.classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("labelled")
    for row, column in np.ndindex(share.shape):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, f"{share[row, column]:.0%}", ha="center", va="center", color=colour)


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
