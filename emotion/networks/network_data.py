"""What embedding networks learn from: faces, labels, votes of several people, and what teachers say of the faces."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion.data.annotators import VOTED_LABELS, file_names, read_votes, vote_shares
from emotion.data.seen import fingerprints
from emotion.data.splitting import Split
from emotion.errors import TrainingError
from emotion.faces.crop import FaceVectors
from emotion.runtime.files import replacing

LABEL_SMOOTHING: Final = 0.1


@dataclass(frozen=True)
class Lessons:
    """What teachers say of variants of the training faces: one variant of each face is a lesson.

    Attributes
    ----------
    digest : str, of the faces in their order, with their labels and votes (`NetworkData.digest`)
    targets : ndarray of shape (n_lessons, n, n_classes), float16, probabilities of labels
    votes : ndarray of shape (n_lessons, n, 8), float16, shares of people's votes; noughts where nobody voted
    """

    digest: str
    targets: NDArray[np.float16]
    votes: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.targets)

    def write(self, path: Path) -> None:
        """Write the lessons.

        Parameters
        ----------
        path : Path of an npz file

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(file, data=np.array(self.digest), targets=self.targets, votes=self.votes)


def read_lessons(path: Path, data: "NetworkData") -> Lessons:
    """Read lessons that were written.

    Parameters
    ----------
    path : Path
    data : NetworkData, the faces that they are about

    Returns
    -------
    Lessons

    Raises
    ------
    TrainingError
        If the file is damaged, or about other faces, labels or votes, or the same in another order.
    """
    try:
        with path.open("rb") as file, np.load(file) as content:
            lessons = Lessons(str(content["data"]), content["targets"], content["votes"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise TrainingError(f"The lessons {path} cannot be read; remove the file to have them given anew.") from error
    same_shapes = lessons.targets.shape[1:] == data.targets.shape and lessons.votes.shape[1:] == data.votes.shape
    if not same_shapes or lessons.digest != data.digest:
        raise TrainingError(
            f"The lessons {path} are about other faces, labels or votes, or in another order; remove the file to have "
            "them given anew."
        )
    return lessons


@dataclass(frozen=True)
class NetworkData:
    """Faces to train networks on, and faces to watch them by.

    Attributes
    ----------
    X : ndarray of shape (n, 2304), uint8, 0-255
    targets : ndarray of shape (n, n_classes), float32, what the first head is to say; rows sum to 1
    votes : ndarray of shape (n, 8), float32, shares of people's votes that sum to 1; noughts where nobody voted
    watched : ndarray of shape (m, 2304), uint8, faces that are not trained on and share no picture with them
    watched_codes : ndarray of shape (m,), int64, their class codes
    lessons : Lessons, optional
        With them, what teachers say of a face is learnt, and neither its label nor its votes.
    """

    X: FaceVectors
    targets: NDArray[np.float32]
    votes: NDArray[np.float32]
    watched: FaceVectors
    watched_codes: NDArray[np.int64]
    lessons: Lessons | None = None

    @property
    def n_classes(self) -> int:
        """How many labels there are."""
        return int(self.targets.shape[1])

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal, of the faces to learn from, in their order, with what is said of them by people."""
        digest = hashlib.sha256()
        for part in (fingerprints(self.X), self.targets, self.votes):
            digest.update(part.tobytes())
        return digest.hexdigest()


def network_data(split: Split, votes: Path | str | None = None) -> NetworkData:
    """Take the parts of a split that networks may see.

    Parameters
    ----------
    split : Split
    votes : path of FER+'s table of votes, optional
        Used for the faces whose file names it has.

    Returns
    -------
    NetworkData

    Raises
    ------
    DatasetError
        If the table of votes cannot be read, has none of the faces, or is given for faces whose file names were not
        kept.
    """
    classes = np.array(split.train.classes)
    if votes is None:
        shares = np.zeros((len(split.train), len(VOTED_LABELS)), dtype=np.float32)
    else:
        shares = vote_shares(read_votes(votes, file_names(split.train)))
    return NetworkData(
        split.train.X,
        _smoothed(np.searchsorted(classes, split.train.y), len(classes)),
        shares,
        split.validation.X,
        np.searchsorted(classes, split.validation.y),
    )


def _smoothed(codes: NDArray[np.intp], n_classes: int) -> NDArray[np.float32]:
    certain = np.eye(n_classes, dtype=np.float32)[codes]
    return np.asarray((1 - LABEL_SMOOTHING) * certain + LABEL_SMOOTHING / n_classes, dtype=np.float32)
