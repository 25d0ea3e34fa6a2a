"""Which faces were learnt from: kept beside models and networks, so that none of them is mistaken for a new one."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion.errors import ModelsError
from emotion.faces import FaceVectors
from emotion.files import replacing

SEEN_FILE: Final = "seen_faces.npz"


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


@dataclass(frozen=True)
class SeenFaces:
    """Fingerprints of the faces that something was fitted to.

    Attributes
    ----------
    networks : ndarray of shape (n,), uint64, of the embedding networks' training faces
    models : ndarray of shape (m,), uint64, of the five models' training and validation faces
    """

    networks: NDArray[np.uint64]
    models: NDArray[np.uint64]

    def write(self, folder: Path) -> None:
        """Write them into a folder.

        Parameters
        ----------
        folder : Path

        Raises
        ------
        OSError
            If the file cannot be written; an older one is left as it is.
        """
        with replacing(folder / SEEN_FILE) as partial, partial.open("wb") as file:
            np.savez_compressed(file, networks=np.sort(self.networks), models=np.sort(self.models))


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
    path = Path(folder) / SEEN_FILE
    none = np.zeros(0, dtype=np.uint64)
    if not path.is_file():
        return SeenFaces(none, none)
    try:
        with path.open("rb") as file, np.load(file) as stored:
            return SeenFaces(stored["networks"].astype(np.uint64), stored["models"].astype(np.uint64))
    except Exception as error:  # of a single wrong bit, zip, zlib and numpy make errors of many kinds
        raise ModelsError(f"{path} is damaged; restore it from the repository, or remove it.") from error
