"""Which faces are the same picture, and which were learnt from: kept beside models and networks, so that none of them
is mistaken for a new one.
"""

import hashlib
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.sparse.csgraph import connected_components
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from emotion import config
from emotion.data.dataset import Faces
from emotion.errors import ModelsError
from emotion.faces.crop import FaceVectors
from emotion.runtime.files import replacing
from emotion.runtime.nearness import PointSearch, near_codes
from emotion.vote.loading import settled

SEEN_FILE: Final = "seen_faces.npz"

Codes = NDArray[np.uint8]
"""ndarray of shape (n, 16), uint8: what `face_codes` gives."""

NO_CODES: Final[Codes] = np.zeros((0, 16), dtype=np.uint8)

_CODE_BITS: Final = 128
_CODE_DISTANCE: Final = 8
"""Bits. All of 1,160 faces of FER2013 had so near a code after JPEG of quality 75, after a larger picture and back, or
darkened; none of 6,213 others had one near any of 23,187 faces (the nearest of them differs by 12)."""
_PART_ROWS: Final = 2048

COPY_CORRELATION: Final = 0.93
"""From this correlation of their thumbnails on, two faces count as the same picture. Of FER2013's public test faces
with their nearest training face, nearly all pairs above 0.94 are the same photograph, and about half of those just
above 0.93 (by eye, on some three hundred pairs); a look-alike too many costs a training row, a copy too few a true
score."""

_WINDOW_SIDE: Final = 42
_WINDOW_STARTS: Final = (0, 1, 3, 5, 6)
"""Pixels. Faces are compared in a window of this side: in its middle position in one, in 25 positions in the other."""
_WINDOW_MIDDLE: Final = (config.FACE_SIDE - _WINDOW_SIDE) // 2
_MOVED_ROWS: Final = 1024
"""Faces whose fifty thumbnails are in memory at a time, for each core: 40 MB."""
_ROUNDING: Final = 1e-5
"""Correlations that differ by less are the same."""


def fingerprints(X: FaceVectors) -> NDArray[np.uint64]:
    """Reduce faces to numbers that differ where a pixel does.

    Parameters
    ----------
    X : ndarray of shape (n, 2304), uint8

    Returns
    -------
    ndarray of shape (n,), uint64
    """
    digests = b"".join(hashlib.blake2b(face.tobytes(), digest_size=8).digest() for face in X)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def face_codes(X: FaceVectors) -> Codes:
    """Reduce faces to codes that hardly differ where a picture was only saved, enlarged or lit anew.

    The signs of the discrete cosine transform's 128 lowest frequencies, but for the mean (Zauner, 2010,
    "Implementation and Benchmarking of Perceptual Image Hash Functions").

    Parameters
    ----------
    X : ndarray of shape (n, 2304), uint8

    Returns
    -------
    ndarray of shape (n, 16), uint8, eight signs a byte
    """
    rows, columns = np.divmod(np.arange(config.N_PIXELS), config.FACE_SIDE)
    lowest = np.argsort(rows + columns, kind="stable")[1 : _CODE_BITS + 1]
    parts = [NO_CODES]
    for start in range(0, len(X), _PART_ROWS):
        faces = X[start : start + _PART_ROWS].reshape(-1, config.FACE_SIDE, config.FACE_SIDE).astype(np.float32)
        waves = dctn(faces, axes=(1, 2), norm="ortho").reshape(len(faces), -1)[:, lowest]
        # What is nought but for rounding, as of a face of one grey, has no sign.
        parts.append(np.packbits(waves > 1e-3, axis=1))
    return np.concatenate(parts)


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


def known(X: FaceVectors, learnt: Codes) -> NDArray[np.bool_]:
    """Find the faces that were learnt from, also where they were saved anew, enlarged, lit otherwise or mirrored.

    Parameters
    ----------
    X : ndarray of shape (n, 2304), uint8
    learnt : ndarray of shape (m, 16), uint8, codes of the faces that were learnt from

    Returns
    -------
    ndarray of shape (n,), bool
    """
    parts = (X[start : start + _PART_ROWS] for start in range(0, len(X), _PART_ROWS))
    turned = np.concatenate([NO_CODES, *(face_codes(mirrored(part)) for part in parts)])
    return near_codes(face_codes(X), learnt, _CODE_DISTANCE) | near_codes(turned, learnt, _CODE_DISTANCE)


def mirrored(X: FaceVectors) -> FaceVectors:
    """Give the mirror image of each face.

    Parameters
    ----------
    X : ndarray of shape (n, 2304), uint8

    Returns
    -------
    ndarray of shape (n, 2304), uint8
    """
    return X.reshape(-1, config.FACE_SIDE, config.FACE_SIDE)[:, :, ::-1].reshape(X.shape)


def copies_between(
    a: FaceVectors, b: FaceVectors, correlation: float = COPY_CORRELATION, *, progress: bool = False
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Find the faces that two sets share, also when one is mirrored, shifted up to four pixels, darker or marked.

    Two faces are copies when 14x14 thumbnails of them, with mean 0 and length 1, correlate at least this much: that
    of the middle of one face, and that of one of 25 windows around the middle of the other or of its mirror image.
    `emotion.runtime.nearness.PointSearch` finds the pairs that come into question; its notes say how time grows.

    Parameters
    ----------
    a : ndarray of shape (n_a, 2304), uint8
    b : ndarray of shape (n_b, 2304), uint8
    correlation : float, 0-1
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    in_a : ndarray of shape (n_a,), bool: rows of `a` with a copy in `b`
    copy_of : ndarray of shape (n_b,), int: the row of `a` that each row of `b` is likest a copy of; -1 where of none
    """
    in_a = np.zeros(len(a), dtype=bool)
    if not len(a) or not len(b):
        return in_a, np.full(len(b), -1, dtype=np.intp)
    # Of vectors no longer than 1, but for rounding.
    distance = float(np.sqrt(2 - 2 * correlation + 1e-3))
    parts = [b[start : start + _MOVED_ROWS] for start in range(0, len(b), _MOVED_ROWS)]
    # Many small products, each on one core: shared out among cores, they would wait for each other.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        fixed = _thumbnails(a, _WINDOW_MIDDLE, _WINDOW_MIDDLE)
        search = PointSearch(fixed)

        def compare(part: FaceVectors) -> NDArray[np.intp]:
            likest = _Likest(len(a), len(part))
            moved = _moved(part)
            for rows, columns in search.near(moved, distance):
                correlations = moved[columns] @ fixed[rows].T
                copies = np.nonzero(correlations >= correlation)
                place, face = np.divmod(columns[copies[0]], len(part))
                of = rows[copies[1]]
                in_a[of] = True
                likest.note(face, place, of, correlations[copies])
            return likest.row

        done = pool.map(compare, parts)
        copy_of = list(tqdm(done, "looking for copies", len(parts), leave=False, disable=None if progress else True))
    return in_a, np.concatenate(copy_of)


def copy_groups(X: FaceVectors) -> NDArray[np.intp]:
    """Number the faces of a small set so that near-copies of one another have the same number.

    Parameters
    ----------
    X : ndarray of shape (n, 2304), uint8, of some thousand faces at most: memory grows with their square

    Returns
    -------
    ndarray of shape (n,), int
    """
    fixed, alike = _thumbnails(X, _WINDOW_MIDDLE, _WINDOW_MIDDLE), np.zeros((len(X), len(X)), dtype=bool)
    for moved in np.split(_moved(X), 2 * len(_WINDOW_STARTS) ** 2):
        alike |= fixed @ moved.T >= COPY_CORRELATION
    return np.asarray(connected_components(alike, directed=False)[1], dtype=np.intp)


class _Likest:
    """The row that each of so many faces is likest a copy of: of rows as like, that in the first place, and of those
    the first row, in whatever order they come.
    """

    def __init__(self, n_rows: int, n_faces: int) -> None:
        self._n_rows = n_rows
        self._likeness = np.full(n_faces, -1, dtype=np.float32)
        self._none = np.iinfo(np.int64).max
        self._first = np.full(n_faces, self._none)

    def note(
        self, faces: NDArray[np.intp], places: NDArray[np.intp], rows: NDArray[np.intp], likeness: NDArray[np.float32]
    ) -> None:
        before = self._likeness[faces]
        np.maximum.at(self._likeness, faces, likeness)
        now = self._likeness[faces]
        self._first[faces[now > before + _ROUNDING]] = self._none
        same = likeness >= now - _ROUNDING
        np.minimum.at(self._first, faces[same], places[same] * self._n_rows + rows[same])

    @property
    def row(self) -> NDArray[np.intp]:
        return np.where(self._first == self._none, -1, self._first % max(self._n_rows, 1))


def _moved(X: FaceVectors) -> NDArray[np.float32]:
    """Thumbnails of all faces in one place after the other, those of their mirror images last."""
    # As they are first: what is no likelier in another place is likest there.
    middle = (_WINDOW_MIDDLE, _WINDOW_MIDDLE)
    starts = sorted(itertools.product(_WINDOW_STARTS, _WINDOW_STARTS), key=lambda start: start != middle)
    return np.concatenate([_thumbnails(faces, *start) for faces in (X, mirrored(X)) for start in starts])


def _thumbnails(X: FaceVectors, top: int, left: int) -> NDArray[np.float32]:
    """Means of 3x3 pixels in a window, less their mean, of length 1: shape (n, 196), float32."""
    window = X.reshape(-1, config.FACE_SIDE, config.FACE_SIDE)[:, top : top + _WINDOW_SIDE, left : left + _WINDOW_SIDE]
    # Sums of whole numbers, and so the same in any order.
    of_rows = window[:, 0::3].astype(np.uint16) + window[:, 1::3] + window[:, 2::3]
    blocks = of_rows[:, :, 0::3] + of_rows[:, :, 1::3] + of_rows[:, :, 2::3]
    thumbnails = blocks.reshape(len(X), -1).astype(np.float32) / 9
    thumbnails -= thumbnails.mean(axis=1, keepdims=True)
    length = np.linalg.norm(thumbnails, axis=1, keepdims=True)
    # A face of one grey has no pattern to compare: it stays a vector of noughts, a copy of nothing.
    return np.asarray(thumbnails / np.maximum(length, 1e-3), dtype=np.float32)


@dataclass(frozen=True)
class SeenFaces:
    """Codes of the faces that something was fitted to.

    Attributes
    ----------
    networks : ndarray of shape (n, 16), uint8, of the embedding networks' training faces
    models : ndarray of shape (m, 16), uint8, of the five models' training and validation faces
    """

    networks: Codes
    models: Codes

    def write(self, folder: Path) -> None:
        """Write them into a folder, what both have but once.

        Parameters
        ----------
        folder : Path

        Raises
        ------
        OSError
            If the file cannot be written; an older one is left as it is.
        """
        learnt, place = np.unique(np.concatenate([self.networks, self.models]), axis=0, return_inverse=True)
        by_networks, by_models = np.zeros((2, len(learnt)), dtype=bool)
        by_networks[place[: len(self.networks)]] = True
        by_models[place[len(self.networks) :]] = True
        with replacing(folder / SEEN_FILE) as partial, partial.open("wb") as file:
            np.savez_compressed(file, codes=learnt, networks=by_networks, models=by_models)


def read_seen(folder: Path | str) -> SeenFaces:
    """Read what a folder of models or networks was fitted to.

    Parameters
    ----------
    folder : path

    Returns
    -------
    SeenFaces, empty where the folder has no such file

    Raises
    ------
    ModelsError
        If the file is damaged.
    """
    path = settled(folder, SEEN_FILE)
    if not path.is_file():
        return SeenFaces(NO_CODES, NO_CODES)
    try:
        with path.open("rb") as file, np.load(file) as stored:
            learnt = stored["codes"].astype(np.uint8).reshape(-1, NO_CODES.shape[1])
            return SeenFaces(learnt[stored["networks"]], learnt[stored["models"]])
    except Exception as error:  # of a single wrong bit, zip, zlib and numpy make errors of many kinds
        raise ModelsError(f"{path} is damaged; restore it from where the models came from.") from error


def add_seen(folder: Path, learnt: Codes) -> None:
    """Note what networks are about to learn from, before they do: a run may be broken off at any time.

    Parameters
    ----------
    folder : Path, of networks; made where it is missing
    learnt : ndarray of shape (n, 16), uint8

    Raises
    ------
    ModelsError
        If what was noted before is damaged.
    OSError
        If it cannot be written.
    """
    before = read_seen(folder)
    folder.mkdir(parents=True, exist_ok=True)
    SeenFaces(np.concatenate([before.networks, learnt]), before.models).write(folder)
