"""What is the same picture is found without comparing each face with each, and nothing is overlooked by that."""

import itertools
import tracemalloc

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion.data.dataset import Faces
from emotion.data.seen import copies_between, face_codes, known
from emotion.data.splitting import distinct_rows
from tests.synthetic import synthetic_faces


def photographs(n: int, seed: int) -> NDArray[np.uint8]:
    """Soft random shapes."""
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 6, 6), np.uint8)
    return np.stack([cv2.resize(picture, (48, 48), interpolation=cv2.INTER_CUBIC).ravel() for picture in coarse])


def changed_faces(faces: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Each shifted, mirrored, darkened and mixed with another by chance: near copies, and just none."""
    random = np.random.default_rng(seed)
    others = photographs(len(faces), seed + 1).reshape(-1, 48, 48).astype(np.float32)
    changed = []
    for face, other in zip(faces.reshape(-1, 48, 48).astype(np.float32), others, strict=True):
        moved = np.roll(face, random.integers(-4, 5, 2), axis=(0, 1))[:, :: random.choice([-1, 1])]
        share = random.uniform(0, 0.5)
        changed.append(((1 - share) * moved + share * other) * random.uniform(0.5, 1))
    return np.stack(changed).astype(np.uint8).reshape(len(faces), -1)


def thumbnails(X: NDArray[np.uint8], top: int, left: int) -> NDArray[np.float64]:
    window = X.reshape(-1, 48, 48)[:, top : top + 42, left : left + 42]
    means = window.reshape(-1, 14, 3, 14, 3).mean(axis=(2, 4)).reshape(len(X), -1)
    means -= means.mean(axis=1, keepdims=True)
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-3)


def correlations(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Of each face of `a` with each of `b`, in the window in which the two are likest."""
    mirrored = b.reshape(-1, 48, 48)[:, :, ::-1].reshape(b.shape)
    places = itertools.product((b, mirrored), (0, 1, 3, 5, 6), (0, 1, 3, 5, 6))
    return np.max([thumbnails(a, 3, 3) @ thumbnails(*place).T for place in places], axis=0)


def test_the_search_finds_the_copies_that_comparing_each_with_each_finds() -> None:
    """A copy overlooked is a test face that was learnt; so would be one that falls between two boxes of the search."""
    a = np.concatenate([photographs(400, seed=1), np.full((1, 2304), 90, np.uint8)])
    b = np.concatenate([changed_faces(a[:200], seed=2), photographs(60, seed=4), a[-1:]])
    all_correlations = correlations(a, b)
    for bound in (0.93, 0.99):
        assert (abs(all_correlations - bound) > 1e-6).all()  # where rounding decides, there is no right answer
        in_a, copy_of = copies_between(a, b, bound)
        copies = all_correlations >= bound
        assert 10 < copies.any(axis=0).sum() < 200
        assert (in_a == copies.any(axis=1)).all()
        assert (copy_of == np.where(copies.any(axis=0), all_correlations.argmax(axis=0), -1)).all()


def test_faces_that_are_all_alike_are_compared_too() -> None:
    """As of a table of one video: every pair comes into question, and the first of those as like is named."""
    faces = np.repeat(photographs(1, seed=5), 700, axis=0)
    in_a, copy_of = copies_between(faces, faces[:3])
    assert in_a.all()
    assert (copy_of == 0).all()


def test_known_faces_are_those_whose_codes_differ_in_eight_bits_at_most() -> None:
    """Else a face would be measured on that networks know, or one left out that they do not."""
    learnt = photographs(500, seed=6)
    faces = np.concatenate([changed_faces(learnt[:150], seed=7), learnt[:20], photographs(100, seed=8)])
    mirrored = faces.reshape(-1, 48, 48)[:, :, ::-1].reshape(faces.shape)
    bits = np.unpackbits(face_codes(learnt), axis=1)
    nearest = [
        (np.unpackbits(face_codes(way), axis=1)[:, None] != bits).sum(axis=2).min(axis=1) for way in (faces, mirrored)
    ]
    found = known(faces, face_codes(learnt))
    assert (found == (np.minimum(*nearest) <= 8)).all()
    assert 20 < found.sum() < len(faces) - 100


def test_faces_are_looked_up_among_many_codes_within_little_memory() -> None:
    """Signs as numbers took half a kilobyte a code, and products with all of them twice as much again."""
    codes = np.random.default_rng(9).integers(0, 256, (200_000, 16), np.uint8)
    faces = synthetic_faces((20, 0, 0)).X
    codes[-20:] = face_codes(faces)
    tracemalloc.start()
    assert known(faces, codes).all()
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_pictures_are_told_apart_by_a_single_pixel() -> None:
    faces = synthetic_faces((60, 60, 0))
    X = faces.X[np.random.default_rng(10).integers(0, 120, 400)]
    X[::7, 2303] ^= 1
    y = np.random.default_rng(11).choice(["Happy", "Sad"], 400, p=[0.9, 0.1])
    labels: dict[bytes, set[str]] = {}
    for face, label in zip(X, y, strict=True):
        labels.setdefault(face.tobytes(), set()).add(label)
    keep, conflicting = distinct_rows(Faces(X, y))
    assert conflicting.tolist() == [len(labels[face.tobytes()]) > 1 for face in X]
    seen = [face.tobytes() for face in X]
    assert keep.tolist() == [seen.index(face) == row and len(labels[face]) == 1 for row, face in enumerate(seen)]
