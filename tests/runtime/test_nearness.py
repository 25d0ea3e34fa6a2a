"""Search among many finds what comparing each with each finds, in bounded memory whatever there is to compare."""

import tracemalloc

import numpy as np
import pytest

from emotion.runtime.nearness import PointSearch, near_codes


@pytest.mark.parametrize("n", [1, 2, 257, 700])
def test_no_near_pair_is_outside_the_blocks(n: int) -> None:
    random = np.random.default_rng(n)
    points = random.normal(size=(n, 40)).astype(np.float32) * np.linspace(2, 0.1, 40, dtype=np.float32)
    queries = np.concatenate([points + random.normal(0, 0.12, points.shape).astype(np.float32), -points])
    together = np.zeros((n, len(queries)), dtype=int)
    for rows, columns in PointSearch(points).near(queries, 0.8):
        assert len(rows) <= 256
        assert len(columns) <= 2048
        together[np.ix_(rows, columns)] += 1
    distances = np.linalg.norm(points[:, None] - queries[None], axis=2)
    assert (together[distances < 0.79] == 1).all()
    assert together.max() == 1
    if n == 700:
        assert (together > 0).mean() < 0.2  # else nothing is saved


@pytest.mark.parametrize("alike", [False, True])
def test_codes_are_found_by_their_parts(alike: bool) -> None:
    random = np.random.default_rng(0)
    others = random.integers(0, 256, (400, 16), np.uint8)
    if alike:  # in all parts but one: every pair is compared
        others[:, 2:] = others[0, 2:]
    bits = np.unpackbits(others[:300], axis=1)
    for row, count in zip(bits, random.integers(0, 17, 300), strict=True):
        row[random.permutation(128)[:count]] ^= 1
    codes = np.packbits(bits, axis=1)
    differing = (bits[:, None] != np.unpackbits(others, axis=1)).sum(axis=2).min(axis=1)
    assert (near_codes(codes, others, 8) == (differing <= 8)).all()
    assert not near_codes(codes, others[:0], 8).any()
    assert len(near_codes(codes[:0], others, 8)) == 0


def test_codes_that_share_a_part_do_not_fill_the_memory() -> None:
    """A bucket with all of them, times each, would be 16 gigabytes of pairs."""
    random = np.random.default_rng(1)
    codes = random.integers(0, 256, (3000, 16), np.uint8)
    codes[:, np.arange(16) % 9 == 0] = 7
    codes &= ~np.packbits(np.arange(128) % 9 == 0)
    tracemalloc.start()
    near_codes(codes[:1000], codes[1000:], 8)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
