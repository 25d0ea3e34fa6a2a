"""FER+: what ten people each saw in the faces of FER2013 (Barsoum et al., 2016, https://arxiv.org/abs/1608.01041)."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion.data.dataset import Faces
from emotion.data.splitting import Split
from emotion.errors import DatasetError

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
    names = [name.rsplit("/", 1)[-1] for name in files]
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as table:
            rows = csv.DictReader(table)
            file = "Image name" if "Image name" in (rows.fieldnames or ()) else "file"
            votes = {row[file]: [int(row[column]) for column in VOTED_LABELS] for row in rows}
        nobody = [0] * len(VOTED_LABELS)
        found = np.array([votes.get(name, nobody) for name in names], dtype=np.int64).reshape(-1, len(VOTED_LABELS))
    except OSError as error:
        raise DatasetError(f"The table of votes {path} cannot be read: {error.strerror or error}.") from error
    except (KeyError, ValueError, TypeError, OverflowError, csv.Error) as error:
        raise DatasetError(
            f"{path} is not a table of votes: it needs the columns file (or Image name), {', '.join(VOTED_LABELS)}, "
            "with whole numbers."
        ) from error
    if votes.keys().isdisjoint(names):
        raise DatasetError(
            f"{path} has no votes on these faces: it names files like {next(iter(votes), 'none')}, and not like "
            f"{next(iter(names), 'none')}."
        )
    return found


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


def majority_of(faces: Faces, votes: Path | str, classes: tuple[str, ...] | None = None) -> NDArray[np.str_]:
    """Look up what most of ten people saw in each face.

    Parameters
    ----------
    faces : Faces, with the names of their files
    votes : path of FER+'s table of votes
    classes : tuple of str, the labels that count; by default those of the faces

    Returns
    -------
    ndarray of shape (n,), str, as `majority_labels` gives them; empty where there is no majority

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


def people_split(split: Split, votes: Path | str) -> Split:
    """Label faces by what most of ten people saw in them, and leave out those on which people did not agree.

    Parameters
    ----------
    split : Split, of faces with the names of their files
    votes : path of FER+'s table of votes

    Returns
    -------
    Split, of fewer faces in the same parts

    Raises
    ------
    DatasetError
        As `majority_of`; or if people saw an expression in a validation or test face that they saw
        in no training face, or no two expressions in these, or agreed on no test face without a copy.
    """
    given = (split.train, split.validation, split.test)
    majorities = [majority_of(faces, votes, split.train.classes) for faces in given]
    parts = [replace(faces, y=said)[said != ""] for faces, said in zip(given, majorities, strict=True)]
    train, validation, test = parts
    unknown = {*validation.classes, *test.classes} - set(train.classes)
    if unknown or len(train.classes) < 2:
        lacking = f" None shows: {', '.join(sorted(unknown))}." if unknown else ""
        raise DatasetError(f"Too few of the training faces are among those that people agreed on.{lacking}")
    agreed = majorities[2] != ""
    if split.test_copied[agreed].all():
        raise DatasetError(
            "Every test face that people agreed on is also a training face; give test faces that are not."
        )
    return replace(
        split,
        train=train,
        validation=validation,
        test=test,
        copy_labels=split.copy_labels[agreed],
        undecided_removed=sum(map(len, given)) - sum(map(len, parts)),
        table_labels=split.test.y[agreed],
    )
