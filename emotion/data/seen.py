"""Which faces were learnt from: kept beside models and networks, so that none of them is mistaken for a new one."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from emotion import config
from emotion.errors import ModelsError
from emotion.faces.crop import FaceVectors
from emotion.runtime.files import replacing
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
    found = np.zeros(len(X), dtype=bool)
    signs = _signs(learnt).T
    mirrored = X.reshape(-1, config.FACE_SIDE, config.FACE_SIDE)[:, :, ::-1].reshape(X.shape)
    for faces in (X, mirrored):
        own = _signs(face_codes(faces))
        for start in range(0, len(X), _PART_ROWS):
            alike = own[start : start + _PART_ROWS] @ signs  # equal signs less unequal ones
            found[start : start + _PART_ROWS] |= (alike >= _CODE_BITS - 2 * _CODE_DISTANCE).any(axis=1)
    return found


def _signs(of: Codes) -> NDArray[np.float32]:
    return 2 * np.unpackbits(of, axis=1).astype(np.float32) - 1


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
