"""Which classes are too small to be learnt, before and after they are resampled."""

from collections.abc import Mapping

from emotion.data.refusals import listed, too_few_told
from emotion.data.splitting import LEAST_LEARNT
from emotion.errors import TrainingError
from emotion.training.recipes import LEAST_KEPT_SHARE, LEAST_ROWS, SMOTE_SHARE


def check_counts(counts: Mapping[int, int], classes: tuple[str, ...], by: str = "") -> None:
    """Refuse classes with too few rows to interpolate between, or for the folds of the stacks once that is done.

    Parameters
    ----------
    counts : mapping of class code to number of training rows
    classes : tuple of str, the names of the codes
    by : str, by what faces are counted where not by their labels, as a sentence begins

    Raises
    ------
    TrainingError
        If a class has fewer than three, or, where the largest class is too small to raise it to six, fewer than six.
    """
    raised = round(SMOTE_SHARE * max(counts.values()))
    needed = LEAST_LEARNT if raised >= LEAST_ROWS else LEAST_ROWS
    if min(counts.values()) < needed:
        raise TrainingError(by + too_few_told({classes[code]: counts[code] for code in sorted(counts)}, needed))


def check_resampled(before: Mapping[int, int], after: Mapping[int, int], classes: tuple[str, ...]) -> None:
    """Refuse a resampling that all but removed a class, or left too few rows for the folds of the stacks.

    Parameters
    ----------
    before, after : mapping of class code to number of rows
    classes : tuple of str, the names of the codes

    Raises
    ------
    TrainingError
        If a class is left with less than a quarter of its rows, or with fewer than six.
    """
    left = {code: after.get(code, 0) for code in sorted(before)}
    cleaned = [
        f"{left[code]} of {count} rows of {classes[code]}"
        for code, count in sorted(before.items())
        if left[code] < min(count, max(LEAST_ROWS, LEAST_KEPT_SHARE * count))
    ]
    if cleaned:
        raise TrainingError(
            f"Cleaning left {listed(cleaned)}; the classes overlap too much for this resampling: give more different "
            "faces, or leave such a class out."
        )
    if min(left.values()) < LEAST_ROWS:
        raise TrainingError(too_few_told({classes[code]: count for code, count in left.items()}, LEAST_ROWS))
