"""What is learnt from and what is measured on: duplicates, copies, rows set aside.

Evaluation is only worth something on faces that nothing was fitted to. Public data sets hold the same picture several
times, also across their train and test folders, shifted by a pixel, darkened or with a watermark; so a split by rows
is not enough.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from emotion import config
from emotion.data.dataset import Faces, by_parts
from emotion.data.refusals import gone_classes, too_few_classes, too_few_told
from emotion.data.seen import NO_CODES, Codes, copies_between, distinct_rows, known
from emotion.errors import DatasetError
from emotion.faces.crop import FaceVectors

TEST_SHARE: Final = 0.2
VALIDATION_SHARE: Final = 0.1
"""Of what is left when the test part is set aside: 2,600 faces of FER2013, on which accuracy has a standard error of
0.9 points. Two ways are compared on the same faces, which shows smaller differences."""

SMALL: Final = 1000
"""With fewer faces, a fifth would be under two hundred: nothing is set aside then, and the models are judged by
cross-validation."""
LEAST_VALIDATION: Final = 300
"""With fewer validation faces, a calibration fits their chance more than the models: they are left to learn from."""
LEAST_LEARNT: Final = 3
"""Of fewer faces of a class, there are not two neighbours to each between which others could be made up."""


@dataclass(frozen=True)
class Split:
    """Training, validation and test rows that share no picture.

    Attributes
    ----------
    train : Faces
        What everything is fitted to.
    validation : Faces
        What choices are made on, and probabilities calibrated; empty where it would be less than `LEAST_VALIDATION`.
    test : Faces
        What is measured on, once; empty where there are fewer than `SMALL` faces and no test part was given.
    train_known : ndarray of shape (len(train),), bool: training rows that the networks had learnt from
    copy_labels : ndarray of shape (len(test),), str
        The label, in the table, of the copy of each test face that was among the training rows, or among the faces
        that were left out since networks had learnt them (of the likest one, where there were several); "" where there
        was none. Those copies are gone, but what networks had learnt of them before is not.
    duplicates_removed : int, training rows that repeat another one
    conflicts_removed : int, training rows of which the same pixels occur under two labels
    copies_removed : int, rows that copy a test row
    validation_copies_removed : int, training rows that copy a validation row
    seen_removed : int, test rows that the networks behind the models had learnt from
    given : int, rows of the table, or tables, before anything was removed or set aside
    classes : dict of each label to a dict of counts: ``given``; ``repeated`` (also those labelled in two ways);
        ``copies`` that were left out; ``train``, ``validation`` and ``test``, the parts; and ``known``, how many of
        the different faces networks had learnt from
    told : str, what the tables' own parts decided (`emotion.data.dataset.Given`)
    """

    train: Faces
    validation: Faces
    test: Faces
    train_known: NDArray[np.bool_]
    copy_labels: NDArray[np.str_]
    duplicates_removed: int
    conflicts_removed: int
    copies_removed: int
    validation_copies_removed: int
    seen_removed: int
    given: int
    classes: dict[str, dict[str, int]]
    told: str = ""

    @property
    def test_copied(self) -> NDArray[np.bool_]:
        """Which test faces had a copy among the training rows, shape (len(test),).

        They may be easier than others, though the copies are gone; so scores are given with and without them.
        """
        return np.asarray(self.copy_labels != "")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the rows of all three parts, hexadecimal: whether two splits are the same."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            digest.update(np.ascontiguousarray(part.X).data)
            digest.update("\n".join(map(str, part.y)).encode())
        return digest.hexdigest()


def _labelled_copies(
    X: FaceVectors, y: NDArray[np.str_], test: FaceVectors, progress: bool
) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    """Which training faces have a copy among the test faces, and the label of each test face's own, or ""."""
    copied, copy_of = copies_between(X, test, progress=progress)
    return copied, np.array([y[row] if row >= 0 else "" for row in copy_of], dtype=np.str_)


def hold_out(y: NDArray[np.str_], share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set a share of each class aside.

    Parameters
    ----------
    y : ndarray of shape (n,), str, the label of each face; two classes or more, each of two faces or more
    share : float, between 0 and 1
    seed : int

    Returns
    -------
    rest, held_out : ndarrays of int, rows, sorted

    Raises
    ------
    DatasetError
        If there are too few faces for both parts to have some of each class.
    """
    try:
        rest, held_out = train_test_split(np.arange(len(y)), test_size=share, stratify=y, random_state=seed)
    except ValueError as error:
        n_classes = len(np.unique(y))
        raise DatasetError(
            f"{len(y)} different faces are too few to set some of each of {n_classes} emotions aside; "
            f"{int((n_classes - 1) / share) + 1} are needed."
        ) from error
    return np.sort(rest), np.sort(held_out)


def _hold_out_unseen(
    y: NDArray[np.str_], is_known: NDArray[np.bool_], share: float, seed: int, *, most: float = 1.0
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set a share of each class aside, but, where networks had learnt from some before, at `most` so much of others."""
    rest, held_out = hold_out(y, share, seed)
    if not is_known[held_out].any():
        return rest, held_out
    random = np.random.default_rng(seed)
    labels, wanted = np.unique(y[held_out], return_counts=True)
    chosen = []
    for label, count in zip(labels, wanted, strict=True):
        new = np.flatnonzero(~is_known & (y == label))
        chosen.append(random.permutation(new)[: min(count, int(most * len(new)))])
    is_held = np.zeros(len(y), dtype=bool)
    is_held[np.concatenate(chosen)] = True
    return np.flatnonzero(~is_held), np.flatnonzero(is_held)


def split_faces(
    data: Faces,
    test: Faces | None = None,
    seed: int = config.SEED,
    *,
    seen: Codes = NO_CODES,
    all_parts: bool = False,
    progress: bool = False,
) -> Split:
    """Make training, validation and test rows that share no picture.

    The same tables and seed give the same parts, so that what networks were trained on and what stands behind them
    hold the same faces back. Where a part would be too small to say something (`SMALL`, `LEAST_VALIDATION`), it is not
    made, and its faces are learnt from.

    Parameters
    ----------
    data : Faces
    test : Faces, optional
        A test part that somebody defined. By default, `data`'s own (`emotion.data.dataset.by_parts`); where it has
        none, a fifth of each class is set aside.
    seed : int
    seen : ndarray of shape (n, 16), uint8
        Codes (`emotion.data.seen.face_codes`) of faces that networks had learnt from before; by default of none. They
        are neither measured on nor chosen by, since they would be recognised too well: they are left out of a given
        test part, and what is set aside is drawn from the others.
    all_parts : bool
        Whether all three parts are made, however small, as the training of networks needs them.
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    Split

    Raises
    ------
    DatasetError
        If there are fewer than two classes, a class has too few different faces, the test part has a label that the
        training part lacks, or every test face has a copy among the training faces or was seen by the
        networks.
    """
    given = by_parts(data, test)
    data, test = given.data, given.test
    # Rows are numbered, and faces are only gathered when all is decided: of a million, each copy is two gigabytes.
    keep, conflicting = distinct_rows(data)
    distinct = np.flatnonzero(keep)
    if len(np.unique(data.y[distinct])) < 2:
        what = "faces of the table's training part" if given.told else "faces"
        why = "the same pictures are also labelled otherwise"
        raise DatasetError(too_few_classes(data.y, data.y[distinct], why, what))
    went = {"repetitions": data.y[~keep & ~conflicting], "faces labelled in two ways": data.y[conflicting]}
    _check_left(data.y[distinct], data.y[distinct], went)
    is_known = known(data.X, seen)
    train, given_test = distinct, data[distinct[:0]] if test is None else test
    if test is None and (all_parts or len(distinct) >= SMALL):
        # Half of what the networks do not know stays for the validation part.
        rest, held_out = _hold_out_unseen(data.y[distinct], is_known[distinct], TEST_SHARE, seed, most=0.5)
        train, given_test = distinct[rest], data[distinct[held_out]]
        went["test faces"] = given_test.y
    learnt_before = known(given_test.X, seen)
    if len(given_test) and learnt_before.all():
        raise DatasetError(
            f"The networks had learnt from every test face ({len(given_test):,} of {len(given_test):,}); name other "
            "faces to test on, or train networks without them."
        )
    left_out, measured = given_test[learnt_before], given_test[~learnt_before]
    copied, copy_labels = _labelled_copies(data.X[train], data.y[train], measured.X, progress)
    # What networks had learnt before is as good as among the training rows.
    _, also_learnt = _labelled_copies(left_out.X, left_out.y, measured.X, progress)
    copy_labels = np.where(copy_labels == "", also_learnt, copy_labels)
    if len(measured) and (copy_labels != "").all():
        raise DatasetError(
            f"Every test face is also a training face, or nearly so ({len(measured):,} of {len(measured):,}); "
            + ("give more different faces." if test is None else "give test faces that are not.")
        )
    remaining = train[~copied]
    if test is not None and (gone := sorted(set(measured.classes) - set(np.unique(data.y[remaining]).tolist()))):
        raise DatasetError(gone_classes(data.y[train], copied, gone))
    went["near-copies of test faces"] = data.y[train[copied]]
    _check_left(data.y[distinct], data.y[remaining], went)
    learnt, validation = remaining, remaining[:0]
    if all_parts or VALIDATION_SHARE * len(remaining) >= LEAST_VALIDATION:
        rest, held_out = _hold_out_unseen(data.y[remaining], is_known[remaining], VALIDATION_SHARE, seed)
        if all_parts or len(held_out) >= LEAST_VALIDATION:
            learnt, validation = remaining[rest], remaining[held_out]
    repeated, _ = copies_between(data.X[learnt], data.X[validation], progress=progress)
    rows = learnt[~repeated]
    went |= {"faces to calibrate by": data.y[validation], "near-copies of these": data.y[learnt[repeated]]}
    _check_left(data.y[remaining], data.y[rows], went)
    parts = {
        "given": data.y if test is None else np.concatenate([data.y, test.y]),
        "repeated": data.y[~keep],
        "copies": np.concatenate([data.y[train[copied]], data.y[learnt[repeated]]]),
        "train": data.y[rows],
        "validation": data.y[validation],
        "test": measured.y,
        "known": data.y[keep & is_known] if test is None else np.concatenate([data.y[keep & is_known], left_out.y]),
    }
    labels = np.unique(parts["given"])
    return Split(
        train=data[rows],
        validation=data[validation],
        test=measured,
        train_known=is_known[rows],
        copy_labels=copy_labels,
        duplicates_removed=int((~keep & ~conflicting).sum()),
        conflicts_removed=int(conflicting.sum()),
        copies_removed=int(copied.sum()),
        validation_copies_removed=int(repeated.sum()),
        seen_removed=int(learnt_before.sum()),
        given=len(parts["given"]),
        classes={str(label): {part: int((y == label).sum()) for part, y in parts.items()} for label in labels},
        told=given.told,
    )


def _check_left(before: NDArray[np.str_], after: NDArray[np.str_], went: Mapping[str, NDArray[np.str_]]) -> None:
    """Refuse classes of which too few faces are left to learn from."""
    counts = {str(label): int((after == label).sum()) for label in np.unique(before)}
    if short := [label for label, count in counts.items() if count < LEAST_LEARNT]:
        of_these = [part for part, y in went.items() if np.isin(y, short).any()]
        raise DatasetError(too_few_told(counts, LEAST_LEARNT, of_these))


_COLUMNS: Final = {
    "given": "given",
    "repeated": "repeated",
    "copies": "copies",
    "train": "to learn from",
    "validation": "to calibrate by",
    "test": "to test on",
    "known": "known",
}


def describe_split(split: Split) -> str:
    """Say for the terminal what becomes of the faces of each class.

    Parameters
    ----------
    split : Split

    Returns
    -------
    str: what the tables' own parts decided, where they have any; a table of a line for each class and one for all; then
    what its columns mean and what is not there
    """
    rows = {**split.classes, "all": {part: sum(of[part] for of in split.classes.values()) for part in _COLUMNS}}
    wide = max(map(len, rows))
    lines = [split.told] if split.told else []
    lines += ["".ljust(wide) + "".join(f"  {title:>{max(len(title), 7)}}" for title in _COLUMNS.values())]
    for label, counts in rows.items():
        cells = (f"  {counts[part]:>{max(len(title), 7)},}" for part, title in _COLUMNS.items())
        lines.append(label.ljust(wide) + "".join(cells))
    lines.append(
        f"Left out: {split.duplicates_removed:,} repetitions, {split.conflicts_removed:,} labelled in two ways, "
        f"{split.copies_removed:,} near-copies of test faces and {split.validation_copies_removed:,} of those to "
        "calibrate by."
    )
    if known_faces := rows["all"]["known"]:
        lines.append(
            f"Known: the networks had learnt from {known_faces:,} of these faces; nothing is measured on them"
            + (f", and {split.seen_removed:,} of them were left out of the test part." if split.seen_removed else ".")
        )
    if not len(split.validation):
        lines.append(
            f"No faces are set aside to calibrate by: there would be fewer than {LEAST_VALIDATION}. How sure votes may "
            "be stays unmeasured."
        )
    if not len(split.test):
        lines.append(
            f"No faces are set aside to test on: of fewer than {SMALL:,} faces, the fifth would say little. The models "
            "are judged by cross-validation."
            if rows["all"]["train"] < SMALL
            else "No faces are set aside to test on: the networks know nearly all of them."
        )
    elif copied := int(split.test_copied.sum()):
        lines.append(f"{copied:,} of the test faces had near-copies among the others.")
    return "\n".join(lines)
