"""FER+: what ten people each saw in the faces of FER2013 (Barsoum et al., 2016, https://arxiv.org/abs/1608.01041)."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion.data.dataset import Faces
from emotion.data.splitting import SMALL, Split
from emotion.data.tables.opening import Wanted, text_rows
from emotion.errors import DatasetError
from emotion.faces import kinds

VOTED_LABELS: Final = {
    "neutral": "Neutral",
    "happiness": "Happy",
    "surprise": "Surprise",
    "sadness": "Sad",
    "anger": "Angry",
    "disgust": "Disgust",
    "fear": "Fear",
    "contempt": "Contempt",
}
"""Columns of votes, and the labels that they stand for."""

_MOST_VOTES: Final = 1_000_000
_VOTES: Final = Wanted(
    "a table of votes",
    f"file (or Image name), {', '.join(VOTED_LABELS)}",
    "FER+'s own is fer2013new.csv of https://github.com/microsoft/FERPlus",
    (kinds.VOTES_TABLE,),
)

LEAST_MAJORITY: Final = 5
"""Of ten votes; with fewer for any label, people did not agree on a face."""


def read_votes(path: Path | str, files: Sequence[str]) -> NDArray[np.int64]:
    """Find the votes on given pictures.

    Parameters
    ----------
    path : path of a CSV file with the columns `file`, or `Image name` as FER+'s authors call it, and those of
        `VOTED_LABELS`
    files : sequence of str, names of pictures; folders before a name do not count

    Returns
    -------
    ndarray of shape (len(files), 8), int64, numbers of votes in the order of `VOTED_LABELS`; noughts for a picture
    that nobody voted on

    Raises
    ------
    DatasetError
        If the file is missing or not such a table, or has none of the pictures.
    """
    names = [re.split(r"[/\\]", name)[-1] for name in files]
    votes: dict[str, list[int]] = {}
    with text_rows(path, _VOTES, tuple(VOTED_LABELS)) as rows:
        file = next((name for name in ("Image name", "file") if name in (rows.fieldnames or ())), None)
        if file is None:
            raise DatasetError(f"{path} is not a table of votes: it lacks the column file (or Image name).")
        try:
            for row in rows:
                votes[row[file]] = [_count(row[column]) for column in VOTED_LABELS]
        except (ValueError, TypeError, OverflowError, csv.Error) as error:
            raise DatasetError(
                f"{path} is not a table of votes: near its line {rows.line_num} there are not {len(VOTED_LABELS)} "
                "whole numbers of votes."
            ) from error
    nobody = [0] * len(VOTED_LABELS)
    found = np.array([votes.get(name, nobody) for name in names], dtype=np.int64).reshape(-1, len(VOTED_LABELS))
    if votes.keys().isdisjoint(names):
        raise DatasetError(
            f"{path} has no votes on these faces: it names files like {next(iter(votes), 'none')}, and not like "
            f"{next(iter(names), 'none')}."
        )
    return found


def _count(text: str) -> int:
    count = float(text)
    if not 0 <= count <= _MOST_VOTES or count != int(count):
        raise ValueError(f"no number of votes: {text[:30]}")
    return int(count)


def vote_shares(votes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Turn votes into a distribution, leaving out what only one person saw, as FER+'s authors do.

    Parameters
    ----------
    votes : ndarray of shape (n, 8), int64

    Returns
    -------
    ndarray of shape (n, 8), float32; rows sum to 1, or are noughts where no two people agreed
    """
    counted = np.where(votes > 1, votes, 0).astype(np.float32)
    return np.asarray(counted / np.maximum(counted.sum(axis=1, keepdims=True), 1))


def majority_labels(votes: NDArray[np.int64], classes: Sequence[str]) -> NDArray[np.str_]:
    """Say what at least half of the people saw.

    Parameters
    ----------
    votes : ndarray of shape (n, 8), int64
    classes : sequence of str, the labels that count

    Returns
    -------
    ndarray of shape (n,), str; empty where fewer than five agreed, where two labels share the lead, or where the label
    that leads is none of `classes`
    """
    labels = np.array(list(VOTED_LABELS.values()))
    leading = votes.max(axis=1)
    agreed = (leading >= LEAST_MAJORITY) & ((votes == leading[:, None]).sum(axis=1) == 1)
    chosen = labels[votes.argmax(axis=1)]
    return np.where(agreed & np.isin(chosen, list(classes)), chosen, "")


def file_names(faces: Faces) -> list[str]:
    """Give the names by which votes are found.

    Parameters
    ----------
    faces : Faces

    Returns
    -------
    list of str

    Raises
    ------
    DatasetError
        If the table of faces had none.
    """
    if faces.files is None:
        raise DatasetError(
            "Votes are found by the names of pictures, and the table of faces has none: it needs the column file, as "
            "image_to_vector.py --keep-names writes it."
        )
    names: list[str] = faces.files.tolist()
    return names


@dataclass(frozen=True)
class Opinions:
    """What people saw in faces, of the classes that count.

    Attributes
    ----------
    classes : tuple of str
    votes : ndarray of shape (n, n_classes), int64, how many people saw each class; noughts for a face without votes
    shares : ndarray of shape (n, n_classes), float32
        The share of the people that saw each class. Rows sum to 1, to less where some saw what is none of the classes,
        or to 0 for a face without votes.
    majority : ndarray of shape (n,), str, as `majority_labels` gives it
    protocol : ndarray of shape (n,), str
        The same among all that FER+ has votes for: it may be none of the classes, as Contempt is.
    """

    classes: tuple[str, ...]
    votes: NDArray[np.int64]
    shares: NDArray[np.float32]
    majority: NDArray[np.str_]
    protocol: NDArray[np.str_]

    def with_labels(self, labels: NDArray[np.str_]) -> NDArray[np.float32]:
        """Count each face's label as one more opinion, beside every vote.

        Parameters
        ----------
        labels : ndarray of shape (n,), str, of `classes`

        Returns
        -------
        ndarray of shape (n, n_classes), float32; rows sum to 1
        """
        counted = self.votes + (labels[:, None] == np.array(self.classes))
        return np.asarray(counted / counted.sum(axis=1, keepdims=True), dtype=np.float32)


def opinions_on(faces: Faces, votes: Path | str, classes: tuple[str, ...] | None = None) -> Opinions:
    """Look up what ten people saw in each face.

    Parameters
    ----------
    faces : Faces, with the names of their files
    votes : path of FER+'s table of votes
    classes : tuple of str, the labels that count; by default those of the faces

    Returns
    -------
    Opinions

    Raises
    ------
    DatasetError
        If the table cannot be read, the file names were not kept, or people did not agree on any of these faces.
    """
    classes = classes or faces.classes
    found = read_votes(votes, file_names(faces))
    voted = list(VOTED_LABELS.values())
    columns = [voted.index(label) if label in voted else -1 for label in classes]
    # A class that nobody could vote for has no votes.
    counted = np.pad(found, ((0, 0), (0, 1)))[:, columns]
    shares = (counted / np.maximum(found.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    majority = majority_labels(found, classes)
    if not (majority != "").any():
        raise DatasetError(
            f"{votes} does not tell what these faces show: on none of the {len(faces):,}, {LEAST_MAJORITY} people or "
            f"more agreed on one of {', '.join(classes)}."
        )
    return Opinions(classes, counted, shares, majority, majority_labels(found, voted))


@dataclass(frozen=True)
class Votes:
    """What people saw in the faces of a split.

    Attributes
    ----------
    test : Opinions, on the test faces
    train : ndarray of shape (n_train, n_classes), float32, or None
        What models learn in place of the labels, where they learn votes: `Opinions.with_labels`.
    validation : ndarray of shape (n_validation, n_classes), float32, or None
        What such models are calibrated by: `Opinions.shares`.
    """

    test: Opinions
    train: NDArray[np.float32] | None = None
    validation: NDArray[np.float32] | None = None


def votes_on(split: Split, path: Path | str, *, learn: bool) -> Votes:
    """Look up what people saw in the faces of a split.

    Parameters
    ----------
    split : Split, of faces with the names of their files
    path : path of FER+'s table of votes
    learn : bool, whether models are to learn it

    Returns
    -------
    Votes, on the test faces alone if models are not to learn it

    Raises
    ------
    DatasetError
        As `opinions_on`, of any of these parts.
    """
    classes = split.train.classes
    if not len(split.test):
        why = f"fewer than {SMALL:,}" if len(split.train) < SMALL else "nearly all known to the networks"
        raise DatasetError(
            f"{path} is for sets with a test part, and of {len(split.train):,} faces, {why}, none is set aside: name "
            "one with --test."
        )
    test = opinions_on(split.test, path, classes)
    if not learn:
        return Votes(test)
    learnt = opinions_on(split.train, path, classes).with_labels(split.train.y)
    return Votes(test, learnt, opinions_on(split.validation, path, classes).shares if len(split.validation) else None)


def drawn_codes(opinions: NDArray[np.floating], seed: int) -> NDArray[np.intp]:
    """Draw what each face is taken for, each class as probable as the share of people who saw it.

    Over many faces, that teaches the whole distribution: where people disagree, so do the faces' classes.

    Parameters
    ----------
    opinions : ndarray of shape (n, n_classes), 0-1, rows sum to more than 0
    seed : int

    Returns
    -------
    ndarray of shape (n,), class codes, none of a share of 0
    """
    below = opinions.cumsum(axis=1)
    drawn = np.random.default_rng(seed).random(len(opinions)) * below[:, -1]
    return np.asarray((drawn[:, None] >= below).sum(axis=1))
