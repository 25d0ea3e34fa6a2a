"""How far a share is known that was counted on so many faces."""

import math
from typing import Final

FEW: Final = 200
"""Fewer faces than this are told by their count: where half are right, their share is known to seven points, up or
down."""
HARDLY_ANY: Final = 10
"""Of fewer faces, no share is told."""

_QUANTILE: Final = 1.959964
"""Of the normal distribution, at 97.5 %."""


def interval(right: float, of: float, independent: float = 1.0) -> tuple[float, float]:
    """Say between which shares the true one lies, at a confidence of 95 %.

    Parameters
    ----------
    right, of : float, 0 <= `right` <= `of`, `of` above 0
    independent : float, 0-1, of how many of the faces one learns as much as of all: less than 1 in cross-validation

    Returns
    -------
    (float, float), 0-1, by Wilson's score (1927)
    """
    share, n = right / of, of * independent
    middle = share + _QUANTILE**2 / (2 * n)
    half = _QUANTILE * math.sqrt(share * (1 - share) / n + (_QUANTILE / (2 * n)) ** 2)
    return max((middle - half) / (1 + _QUANTILE**2 / n), 0.0), min((middle + half) / (1 + _QUANTILE**2 / n), 1.0)
