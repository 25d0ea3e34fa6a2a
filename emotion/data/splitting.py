"""What is learnt from and what is measured on: duplicates, copies, rows set aside.

Evaluation is only worth something on faces that nothing was fitted to. Public data sets hold the same picture several
times, also across their train and test folders, shifted by a pixel, darkened or with a watermark; so a split by rows
is not enough.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from emotion import config
from emotion.data.dataset import Faces
from emotion.data.seen import NO_CODES, Codes, copies_between, known
from emotion.errors import DatasetError

TEST_SHARE: Final = 0.2
VALIDATION_SHARE: Final = 0.1
"""Of what is left when the test part is set aside: 2,600 faces of FER2013, on which accuracy has a standard error of
0.9 points. Two ways are compared on the same faces, which shows smaller differences."""


@dataclass(frozen=True)
class Split:
    """Training, validation and test rows that share no picture.

    Attributes
    ----------
    train : Faces
        What everything is fitted to.
    validation : Faces
        What choices are made on, and probabilities calibrated.
    test : Faces
        What is measured on, once.
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
    """

    train: Faces
    validation: Faces
    test: Faces
    copy_labels: NDArray[np.str_]
    duplicates_removed: int
    conflicts_removed: int
    copies_removed: int
    validation_copies_removed: int
    seen_removed: int
    given: int

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
            digest.update(part.X.tobytes())
            digest.update("\n".join(map(str, part.y)).encode())
        return digest.hexdigest()


def distinct_rows(faces: Faces) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the rows to learn from: each picture once, and none that is labelled in two ways.

    Parameters
    ----------
    faces : Faces

    Returns
    -------
    keep : ndarray of shape (n,), bool: the first row of each picture with one label
    conflicting : ndarray of shape (n,), bool: rows whose pixels occur under several labels; none of them is kept
    """
    # Of 16 bytes, which differ where a pixel does: no two pictures of one BLAKE2 digest are known, or can be found.
    digests = b"".join(hashlib.blake2b(face.tobytes(), digest_size=16).digest() for face in faces.X)
    _, first, picture = np.unique(np.frombuffer(digests, dtype="V16"), return_index=True, return_inverse=True)
    conflicting_pictures = np.zeros(len(first), dtype=bool)
    conflicting_pictures[picture[faces.y != faces.y[first[picture]]]] = True
    conflicting = conflicting_pictures[picture]
    keep = np.zeros(len(faces), dtype=bool)
    keep[first] = True
    return keep & ~conflicting, conflicting


def _labelled_copies(train: Faces, test: Faces, progress: bool) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    """Which training faces have a copy among the test faces, and the label of each test face's own, or ""."""
    copied, copy_of = copies_between(train.X, test.X, progress=progress)
    return copied, np.array([train.y[row] if row >= 0 else "" for row in copy_of], dtype=np.str_)


def hold_out(faces: Faces, share: float, seed: int) -> tuple[Faces, Faces]:
    """Set a share of each class aside.

    Parameters
    ----------
    faces : Faces
    share : float, between 0 and 1
    seed : int

    Returns
    -------
    rest, held_out : Faces

    Raises
    ------
    DatasetError
        If there are fewer than two classes, or a class has too few faces for both parts.
    """
    too_few = [label for label, count in faces.counts().items() if count < 2]
    if len(faces.classes) < 2 or too_few:
        raise DatasetError(
            "Faces of at least two emotions are needed, and at least two of each"
            + (f"; too few of: {', '.join(too_few)}." if too_few else ".")
        )
    try:
        rest, held_out = train_test_split(np.arange(len(faces)), test_size=share, stratify=faces.y, random_state=seed)
    except ValueError as error:
        raise DatasetError(f"{len(faces)} faces are too few to set a part of each emotion aside.") from error
    return faces[np.sort(rest)], faces[np.sort(held_out)]


def _hold_out_unseen(faces: Faces, seen: Codes, seed: int) -> tuple[Faces, Faces]:
    """Set `VALIDATION_SHARE` of each class aside, or as much as networks had not learnt from before."""
    rest, validation = hold_out(faces, VALIDATION_SHARE, seed)
    if not known(validation.X, seen).any():
        return rest, validation
    unseen = ~known(faces.X, seen)
    random = np.random.default_rng(seed)
    chosen = [
        random.permutation(np.flatnonzero(unseen & (faces.y == label)))[:wanted]
        for label, wanted in validation.counts().items()
    ]
    lacking = [label for label, rows in zip(validation.counts(), chosen, strict=True) if not len(rows)]
    if lacking:
        raise DatasetError(
            f"The networks had learnt from every face of: {', '.join(lacking)}. Votes are calibrated on others: give "
            "some, or train networks without these."
        )
    held_out = np.zeros(len(faces), dtype=bool)
    held_out[np.concatenate(chosen)] = True
    return faces[~held_out], faces[held_out]


def split_faces(
    data: Faces,
    test: Faces | None = None,
    seed: int = config.SEED,
    *,
    seen: Codes = NO_CODES,
    progress: bool = False,
) -> Split:
    """Make training, validation and test rows that share no picture.

    The same tables and seed give the same parts, so that what networks were trained on and what stands behind them
    hold the same faces back.

    Parameters
    ----------
    data : Faces
    test : Faces, optional
        A test part that somebody defined; by default a fifth of each class of `data` is set aside.
    seed : int
    seen : ndarray of shape (n, 16), uint8
        Codes (`emotion.data.seen.face_codes`) of faces that networks had learnt from before; by default of none. They
        are neither measured on nor chosen by, since they would be recognised too well: where one is set aside as a
        test face, it is left out, and validation faces are drawn from the others.
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    Split

    Raises
    ------
    DatasetError
        If there are fewer than two classes, a class is too small, the test part has a label that the training part
        lacks, every test face has a copy among the training faces or was seen by the networks, these have seen every
        face of a class, or nothing is left to train on.
    """
    keep, conflicting = distinct_rows(data)
    distinct = data[keep]
    given = len(data) + (len(test) if test else 0)
    if test is None:
        train, test = hold_out(distinct, TEST_SHARE, seed)
    else:
        train = distinct
    learnt_before = known(test.X, seen)
    if learnt_before.all():
        raise DatasetError(
            "The networks had learnt from every test face; name other faces to test on, or train networks without them."
        )
    left_out, test = test[learnt_before], test[~learnt_before]
    copied, copy_labels = _labelled_copies(train, test, progress)
    # What networks had learnt before is as good as among the training rows.
    _, also_learnt = _labelled_copies(left_out, test, progress)
    copy_labels = np.where(copy_labels == "", also_learnt, copy_labels)
    if (copy_labels != "").all():
        raise DatasetError("Every test face is also a training face; give test faces that are not.")
    remaining = train[~copied]
    unknown = set(test.classes) - set(remaining.classes)
    if unknown or len(remaining.classes) < 2:
        raise DatasetError(
            f"The test faces have emotions that the training faces lack: {', '.join(sorted(unknown))}."
            if unknown
            else "Training needs faces of at least two emotions."
        )
    learnt, validation = _hold_out_unseen(remaining, seen, seed)
    repeated, _ = copies_between(learnt.X, validation.X, progress=progress)
    if lacking := set(remaining.classes) - (set(learnt[~repeated].classes) & set(validation.classes)):
        raise DatasetError(f"Too few different faces of: {', '.join(sorted(lacking))}. Give more.")
    return Split(
        train=learnt[~repeated],
        validation=validation,
        test=test,
        copy_labels=copy_labels,
        duplicates_removed=int((~keep & ~conflicting).sum()),
        conflicts_removed=int(conflicting.sum()),
        copies_removed=int(copied.sum()),
        validation_copies_removed=int(repeated.sum()),
        seen_removed=int(learnt_before.sum()),
        given=given,
    )


def describe_split(split: Split) -> str:
    """Say what is trained on and what was left out.

    Parameters
    ----------
    split : Split

    Returns
    -------
    str, one line
    """
    return (
        f"{len(split.train):,} faces to train on ({split.duplicates_removed:,} repetitions, "
        f"{split.conflicts_removed:,} labelled in two ways, {split.copies_removed:,} near-copies of test faces and "
        f"{split.validation_copies_removed:,} of validation faces left out), {len(split.validation):,} to choose and "
        f"calibrate by, {len(split.test):,} to test on, {int(split.test_copied.sum()):,} of which had near-copies"
        + (f" ({split.seen_removed:,} more were left out, the networks know them)" if split.seen_removed else "")
    )
