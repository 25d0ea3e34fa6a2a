"""Whether two sessions, or two faces, differ by more than chance explains."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from emotion import config
from emotion.streams.session.shares import LEVEL, Seen

UNCERTAIN: Final = "uncertain"
UNFIT: Final = "not fit to be judged"


@dataclass(frozen=True, slots=True)
class Difference:
    """Between two shares of the time.

    Attributes
    ----------
    first, second : float, 0-1, the shares
    low, high : float, -1 to 1; low <= second - first <= high
        In 95 of 100 such pairs, the differences of all shares that are looked at lie within their intervals, all at
        once.
    """

    first: float
    second: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """By how much the second share is larger, -1 to 1."""
        return self.second - self.first

    @property
    def differs(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def differences(first: Seen, second: Seen) -> dict[str, Difference]:
    """Compare what was seen of two faces, or in two sessions.

    Each interval has the level 1 - 0.05 / m, where m shares are looked at (Bonferroni): else one of nine would often
    differ by chance. What was seen is taken to be independent; of two people who look at each other it is not.

    Parameters
    ----------
    first, second : Seen, of the same classes, in any order

    Returns
    -------
    dict of str to Difference, by class, then `UNCERTAIN` and `UNFIT`
    """
    names = [*first.classes, UNCERTAIN, UNFIT]
    order = [*(second.classes.index(label) for label in first.classes), -2, -1]
    drawn = second.draws(config.SEED + 1)[:, order] - first.draws()
    tail = (1 - LEVEL) / len(names) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    found = {}
    for name, one, other, a, b in zip(names, first.shares, second.shares[order], low, high, strict=True):
        found[name] = Difference(float(one), float(other), float(min(a, other - one)), float(max(b, other - one)))
    return found
