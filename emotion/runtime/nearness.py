"""What lies near what: search in many points, or many codes of bits, without comparing each with each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
"""ndarray of shape (n, d), float32."""

_DIRECTIONS: Final = 24
"""Distances are looked at in so many principal directions before they are looked at whole: of thumbnails of faces,
one pair in twenty thousand is near in these without being near."""
_BOX_SIDES: Final = 5
"""Boxes are cut along the first of them, in which points are spread widest; more only cost time."""
_BOX_POINTS: Final = 256
_SAMPLE: Final = 20_000
_PART_QUERIES: Final = 2048
"""With a box's points, they make two megabytes of products: a processor's cache."""
_PART_PAIRS: Final = 1 << 20


@dataclass(frozen=True)
class _Box:
    """Some of the points, from `start` to `stop` in the order of the boxes, and between which bounds they lie."""

    start: int
    stop: int
    low: Points
    high: Points
    halves: "tuple[_Box, ...]"


class PointSearch:
    """Finds which points may be near others.

    A projection never lengthens a distance. So points are projected onto the principal directions in which they
    differ most, and put into boxes, each half of the one above (a k-d tree: Friedman, Bentley and Finkel, 1977); what
    is too far from a box is compared with nothing in it, and what is too far in these directions, with no more.

    Parameters
    ----------
    points : ndarray of shape (n, d), float32, n >= 1

    Notes
    -----
    Time grows with the product of the two numbers of points, as the share of pairs that are near in a few directions
    does not shrink with them; but of a pair of thumbnails of faces, it is a few hundredths of what a comparison takes.
    In memory are about a hundred bytes for each point, besides the points.
    """

    def __init__(self, points: Points) -> None:
        sample = points[:: -(-len(points) // _SAMPLE)]
        spread = sample - sample.mean(axis=0)
        _, directions = np.linalg.eigh(spread.T @ spread)
        self._directions = np.ascontiguousarray(directions[:, ::-1][:, :_DIRECTIONS])
        projected = points @ self._directions
        self._order = np.arange(len(points))
        self._root = self._box(projected[:, :_BOX_SIDES], 0, len(points))
        projected = projected[self._order]
        # A product of these with `_queries` is the product less half of both squares: minus half the squared distance.
        self._points = np.column_stack([projected, _half_square(projected), np.ones_like(projected[:, 0])])

    def _box(self, sides: Points, start: int, stop: int) -> _Box:
        inside = sides[self._order[start:stop]]
        low, high = inside.min(axis=0), inside.max(axis=0)
        if stop - start <= _BOX_POINTS:
            return _Box(start, stop, low, high, ())
        half = (stop - start) // 2
        in_order = np.argpartition(inside[:, (high - low).argmax()], half)
        self._order[start:stop] = self._order[start:stop][in_order]
        halves = (self._box(sides, start, start + half), self._box(sides, start + half, stop))
        return _Box(start, stop, low, high, halves)

    def near(self, queries: Points, distance: float) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Give blocks of points and queries outside of which no pair is as near as that.

        Parameters
        ----------
        queries : ndarray of shape (m, d), float32
        distance : float
            A little more than is meant: a distance is known to a millionth of the points' squares.

        Yields
        ------
        rows : ndarray of shape (r,), int, of points
        columns : ndarray of shape (c,), int, of queries; r <= 256, c <= 2048. Each row and each column is in a pair
            that is as near in the principal directions. A pair is in one block at most.
        """
        projected = queries @ self._directions
        whole = np.column_stack([projected, np.ones_like(projected[:, 0]), _half_square(projected)])
        sides = np.ascontiguousarray(projected[:, :_BOX_SIDES].T)
        square = distance**2
        for box, beside in _boxes_near(self._root, sides, np.arange(len(queries)), square):
            points = self._points[box.start : box.stop].T
            for start in range(0, len(beside), _PART_QUERIES):
                columns = beside[start : start + _PART_QUERIES]
                near = whole[columns] @ points >= -square / 2
                columns = columns[of_near := near.any(axis=1)]
                if len(columns):
                    yield self._order[box.start + np.flatnonzero(near[of_near].any(axis=0))], columns


def _half_square(points: Points) -> Points:
    return np.asarray(np.square(points).sum(axis=1) / -2)


def _boxes_near(
    box: _Box, sides: Points, columns: NDArray[np.intp], square: float
) -> Iterator[tuple[_Box, NDArray[np.intp]]]:
    """The boxes without halves, and which queries may be near them; `sides` has a column for each query."""
    squares = np.zeros(len(columns), dtype=np.float32)
    for side, low, high in zip(sides, box.low, box.high, strict=True):
        squares += np.square(side - np.clip(side, low, high))
    near = np.flatnonzero(squares <= square)
    if not len(near):
        return
    sides, columns = sides[:, near], columns[near]
    if not box.halves:
        yield box, columns
    for half in box.halves:
        yield from _boxes_near(half, sides, columns, square)


def near_codes(codes: NDArray[np.uint8], others: NDArray[np.uint8], distance: int) -> NDArray[np.bool_]:
    """Find the codes that differ from one of others in at most so many bits.

    Of `distance` + 1 parts of two such codes, one at least is the same: only codes that share a part are compared
    (multi-index hashing: Norouzi, Punjani and Fleet, 2012).

    Parameters
    ----------
    codes : ndarray of shape (n, bytes), uint8, a multiple of eight bytes
    others : ndarray of shape (m, bytes), uint8
    distance : int, from which on parts have 16 bits at most: 7 or more of 128 bits

    Returns
    -------
    ndarray of shape (n,), bool

    Notes
    -----
    Time grows with n + m, and with the number of pairs that share a part: 35 a code of 27,000 of faces, where parts
    that share nothing but by chance would make 15. In memory are some thirty bytes for each code, and a million pairs
    at a time, however many share a part.
    """
    found = np.zeros(len(codes), dtype=bool)
    # What occurs often, as the code of one grey, would be compared as often.
    others = np.unique(_as_one(others)).view(np.uint8).reshape(-1, codes.shape[1])
    own_words, words = codes.view(np.uint64), others.view(np.uint64)
    for part in range(distance + 1):
        keys = _keys(others, part, distance + 1)
        order = np.argsort(keys, kind="stable")
        counts = np.bincount(keys, minlength=1 << 16)
        first = np.cumsum(counts) - counts
        rows = np.flatnonzero(~found)
        own_keys = _keys(codes[rows], part, distance + 1)
        ends = np.cumsum(counts[own_keys])
        for start in range(0, int(ends[-1]) if len(ends) else 0, _PART_PAIRS):
            pairs = np.arange(start, min(start + _PART_PAIRS, ends[-1]))
            which = np.searchsorted(ends, pairs, side="right")
            # The pairs of each code come one after the other, and so do those of its part in `order`.
            place = first[own_keys[which]] + pairs - (ends[which] - counts[own_keys[which]])
            differing = np.bitwise_count(own_words[rows[which]] ^ words[order[place]]).sum(axis=1, dtype=np.uint8)
            found[rows[which[differing <= distance]]] = True
    return found


def _as_one(codes: NDArray[np.uint8]) -> NDArray[np.void]:
    return np.ascontiguousarray(codes).view(np.dtype((np.void, codes.shape[1]))).ravel()


def _keys(codes: NDArray[np.uint8], part: int, parts: int) -> NDArray[np.uint16]:
    """Every `parts`-th bit, so that bits side by side, which often go together, go to different parts."""
    bits = np.arange(part, 8 * codes.shape[1], parts)
    keys = np.zeros(len(codes), dtype=np.uint16)
    for bit in bits:
        keys = keys << 1 | (codes[:, bit // 8] >> (7 - bit % 8)) & 1
    return keys
