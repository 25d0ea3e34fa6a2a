"""Scores on faces that nothing was fitted to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from emotion.data.annotators import Opinions
from emotion.data.dataset import Faces
from emotion.data.splitting import Split
from emotion.errors import DatasetError
from emotion.vote.ensemble import Ensemble
from emotion.vote.measured.shares import FEW as FEW
from emotion.vote.measured.shares import HARDLY_ANY as HARDLY_ANY
from emotion.vote.measured.shares import interval as interval

VOTE: Final = "vote"

INDEPENDENT: Final = 0.8
"""In cross-validation, models of other folds learn from the faces that one is judged on, so right and wrong answers go
together: the true share lies as far from the measured one as if so many of the faces had been judged by models that
share nothing. With it, 95 % intervals hold the accuracy of small own sets as often as they say
(`benchmarks/intervals.py`)."""


@dataclass(frozen=True)
class Score:
    """How well labels were predicted.

    Attributes
    ----------
    n : int, faces
    accuracy : float, 0-1
    macro_f1 : float, 0-1, unweighted mean of the F1 of each class that there are faces of
    independent : float, 0-1, as in `interval`
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
    independent: float = 1.0

    def summary(self) -> dict[str, Any]:
        """What goes into the manifest, rounded to six digits; of the classes that there are faces of."""
        return {
            "faces": self.n,
            "accuracy": round(self.accuracy, 6),
            "macro_f1": round(self.macro_f1, 6),
            **({} if self.independent == 1.0 else {"independent": self.independent}),
            "classes": {
                label: {
                    "faces": faces,
                    "right": int(self.confusion[code, code]),
                    "voted": int(self.confusion[:, code].sum()),
                }
                for code, (label, faces) in enumerate(zip(self.classes, self.support, strict=True))
                if faces
            },
        }


def told(right: int, of: int, independent: float = 1.0) -> str:
    """Say how many are right, as exactly as their number allows.

    Parameters
    ----------
    right, of : int
    independent : float, 0-1, as in `interval`

    Returns
    -------
    str: a share and the 95 % interval of the true one, as in ``63.8% (61.5 to 66.0)``; of fewer than `FEW` faces, their
    count, as in ``33 of 36 (78 to 97 %)``; of fewer than `HARDLY_ANY`, no share, as in ``7 of 9``; a dash where there
    are none
    """
    if not of:
        return "–"
    low, high = interval(right, of, independent)
    if of < HARDLY_ANY:
        return f"{right:,} of {of:,}"
    if of < FEW:
        return f"{right:,} of {of:,} ({100 * low:.0f} to {100 * high:.0f} %)"
    return f"{right / of:.1%} ({100 * low:.1f} to {100 * high:.1f})"


def accuracy_told(figures: Mapping[str, Any]) -> str:
    """Say how often a model was right.

    Parameters
    ----------
    figures : mapping, as `Score.summary` gives it

    Returns
    -------
    str, as `told` gives it
    """
    return told(round(figures["accuracy"] * figures["faces"]), figures["faces"], figures.get("independent", 1.0))


def macro_f1_told(figures: Mapping[str, Any]) -> str:
    """Say a model's macro-F1, where there are faces enough for one.

    Parameters
    ----------
    figures : mapping, as `Score.summary` gives it

    Returns
    -------
    str; a dash for fewer than `FEW` faces, or faces of a single class
    """
    return f"{figures['macro_f1']:.1%}" if figures["faces"] >= FEW and len(figures["classes"]) > 1 else "–"


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
            f"The models know {known}, but not: {', '.join(unknown)}. Leave such faces out, or name other models."
            if unknown
            else "There are no faces to score."
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


def as_shares(y: NDArray[np.str_], classes: tuple[str, ...]) -> NDArray[np.float32]:
    """Take each face's label for the opinion of everybody.

    Parameters
    ----------
    y : ndarray of shape (n,), str
    classes : tuple of str

    Returns
    -------
    ndarray of shape (n, n_classes), float32, 0 or 1
    """
    return np.asarray(y[:, None] == np.array(classes), dtype=np.float32)


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
    return labels_of(ensemble, ensemble.model_probabilities(faces.X))


def labels_of(ensemble: Ensemble, probabilities: NDArray[np.floating]) -> dict[str, NDArray[np.str_]]:
    """Say what each model and the vote take faces for.

    Parameters
    ----------
    ensemble : Ensemble
    probabilities : ndarray of shape (n, n_models, n_classes), 0-1, what its models say of them

    Returns
    -------
    dict of model name, and ``vote``, to ndarray of shape (n,), str
    """
    ballots = np.array(ensemble.classes)[probabilities.argmax(axis=2)]
    labels = {name: ballots[:, i] for i, name in enumerate(ensemble.model_names)}
    return {**labels, VOTE: ensemble.combiner.labels(probabilities)}


def evaluate(ensemble: Ensemble, faces: Faces, unknown: tuple[str, ...] = ()) -> dict[str, Score]:
    """Score each model and the vote on faces that they never saw.

    Parameters
    ----------
    ensemble : Ensemble
    faces : Faces
    unknown : tuple of str, labels that the models do not know: on these faces they are always wrong

    Returns
    -------
    dict of model name, and ``vote``, to Score

    Raises
    ------
    DatasetError
        If there are no faces, or one has another label that the models do not know.
    """
    classes = (*ensemble.classes, *unknown)
    return {name: score(faces.y, labels, classes) for name, labels in predictions(ensemble, faces).items()}


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


def dummy_labels(split: Split, learnt: NDArray[np.floating] | None = None) -> NDArray[np.str_]:
    """Label the test rows without a model: always the commonest class of the training rows.

    Parameters
    ----------
    split : Split
    learnt : ndarray of shape (n_train, n_classes), 0-1, optional
        The shares of people who saw each class in these, where models learn them and not the labels.

    Returns
    -------
    ndarray of shape (n_test,), str
    """
    if learnt is not None:
        return np.full(len(split.test), split.train.classes[learnt.sum(axis=0).argmax()])
    dummy = DummyClassifier(strategy="most_frequent").fit(split.train.X, split.train.y)
    return np.asarray(dummy.predict(split.test.X))


def split_scores(labels: dict[str, NDArray[np.str_]], split: Split, opinions: Opinions | None) -> dict[str, Any]:
    """Score labels of the test faces, on all of them and on parts of them.

    Parameters
    ----------
    labels : dict of a name to ndarray of shape (n_test,), str
    split : Split
    opinions : Opinions on the test faces, optional

    Returns
    -------
    dict of each name to a dict of each part to `Score.summary`: ``test`` and ``test_without_copies`` against the
    table's labels; where there are opinions, ``ferplus_majority`` and ``ferplus_without_copies`` against what most
    people saw, and ``ferplus_protocol``, in which they may have seen what is none of the classes
    """
    everything = np.ones(len(split.test), dtype=bool)
    parts = {"test": (split.test.y, everything), "test_without_copies": (split.test.y, ~split.test_copied)}
    if opinions is not None:
        agreed = opinions.majority != ""
        parts["ferplus_majority"] = (opinions.majority, agreed)
        if (agreed & ~split.test_copied).any():
            parts["ferplus_without_copies"] = (opinions.majority, agreed & ~split.test_copied)
        parts["ferplus_protocol"] = (opinions.protocol, opinions.protocol != "")
    classes = split.train.classes
    return {
        name: {
            part: score(truth[rows], predicted[rows], tuple(sorted({*classes, *map(str, truth[rows])}))).summary()
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
