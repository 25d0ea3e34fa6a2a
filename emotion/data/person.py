"""A folder of one person's pictures -> faces that models can learn from."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emotion.data.folders.listing import picture_files
from emotion.data.folders.reading import read_pictures
from emotion.errors import DatasetError
from emotion.faces.crop import DETECTORS, FaceVector, FaceVectors
from emotion.faces.files.walks import PassedOver
from emotion.runtime.storage import Folder
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import Recognizer


@dataclass
class PersonFaces:
    """Faces of one person, and what became of the pictures.

    Attributes
    ----------
    vectors : list of ndarray of shape (2304,), uint8, the largest face of each picture
    labels : list of str, what each shows
    without_face : int, pictures in which none was found
    unfit : int, of the faces, those that are too small, blurred, dark or turned away to be learnt from, left out
    unreadable : int
    passed_over : PassedOver
    """

    vectors: list[FaceVector] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    without_face: int = 0
    unfit: int = 0
    unreadable: int = 0
    passed_over: PassedOver = field(default_factory=PassedOver)

    @property
    def X(self) -> FaceVectors:  # noqa: N802
        """All of them, of shape (n, 2304), uint8."""
        return np.stack(self.vectors)


def faces_of_person(
    folder: Path | str, models: Ensemble, *, detector: str = "yunet", progress: bool = True
) -> PersonFaces:
    """Find the faces of ``folder/<label>/*``.

    Parameters
    ----------
    folder : path, or an address that fsspec knows
    models : Ensemble
    detector : str, a key of `emotion.faces.crop.DETECTORS`
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    PersonFaces, with one face at least

    Raises
    ------
    DatasetError
        If the folder is not there, has no folders of pictures, or there is no face in them.
    DetectorError
        If the detector's file is missing or is another one.
    StorageError
        If a folder cannot be listed, or is gone.
    """
    source = Folder(folder)
    pictures = picture_files(source)
    recognizer = Recognizer(models, DETECTORS[detector]())
    faces = PersonFaces(passed_over=pictures.passed_over)
    for picture, decoded in read_pictures(source, pictures, progress=progress):
        if decoded is None:
            faces.unreadable += 1
        elif not (found := recognizer.recognize_in(decoded)):
            faces.without_face += 1
        elif found[0].fitness.reason:
            faces.unfit += 1
        else:
            faces.vectors.append(found[0].vector)
            faces.labels.append(picture.label)
    if not faces.vectors:
        raise DatasetError(
            f"There is no face in {folder} that can be learnt from: {faces.without_face:,} pictures have none, "
            f"{faces.unfit:,} one that is too small, blurred, dark or turned away, {faces.unreadable:,} cannot be read."
        )
    return faces
