"""Why faces cannot be learnt from, each cause in a sentence with the numbers that were counted."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def too_few_told(counts: Mapping[str, int], needed: int, went: Sequence[str] = ()) -> str:
    """Say which classes have too few faces, how many they have, and how many are needed.

    Parameters
    ----------
    counts : mapping of each class to how many different faces are left of it
    needed : int, of each class
    went : sequence of str, what is not among them any more

    Returns
    -------
    str, a sentence
    """
    short = [(label, count) for label, count in counts.items() if count < needed]
    (label, count), *others = short
    has = [f"{label} has {count} different face{'' if count == 1 else 's'}", *(f"{one} {n}" for one, n in others)]
    after = f" after {listed(went)} went" if went else ""
    return f"{listed(has)}{after}; {needed}{' of each' if others else ''} are needed."


def listed(parts: Sequence[str]) -> str:
    """Join words as a sentence does: with commas, and an "and" before the last."""
    return " and ".join([", ".join(parts[:-1]), *parts[-1:]] if len(parts) > 1 else parts)


def too_few_classes(before: NDArray[np.str_], after: NDArray[np.str_], why: str, what: str = "faces") -> str:
    """Say why there are not two emotions to tell apart.

    Parameters
    ----------
    before, after : ndarrays of str, the labels of all faces, and of those that are left
    why : str, why faces were left out
    what : str, what these are

    Returns
    -------
    str, a sentence or two
    """
    gone = sorted(set(before.tolist()) - set(after.tolist()))
    if not gone:
        return f"All {what} are of one emotion, {before[0]}; training needs at least two."
    return f"Training needs faces of at least two emotions. Each face of {', '.join(gone)} was left out: {why}."


def gone_classes(y: NDArray[np.str_], copied: NDArray[np.bool_], gone: list[str]) -> str:
    """Say why the given test faces have emotions of which nothing can be learnt.

    Parameters
    ----------
    y : ndarray of shape (n,), str, the labels of the training faces
    copied : ndarray of shape (n,), bool, which of them were left out, as copies of test faces
    gone : list of str, the emotions

    Returns
    -------
    str, two or three sentences
    """
    classes = sorted(set(y.tolist()))
    if never := [label for label in gone if label not in classes]:
        return (
            f"The test faces have emotions that the training faces lack: {', '.join(never)}. The training faces have: "
            f"{', '.join(classes)}. Leave the others out of the test part, or give training faces of them."
        )
    return (
        f"Every training face of {', '.join(gone)} is also a test face, and was therefore left out "
        f"({int(copied.sum()):,} of {len(y):,} training faces are). Give test faces that are not trained on, or none."
    )
