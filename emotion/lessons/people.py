"""People, each with some pictures of each expression, to measure models on that know a person's face."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion.data.folders.listing import check_folder, picture_files
from emotion.errors import DatasetError, ImageError
from emotion.faces.decode import decode_image
from emotion.faces.files.kinds import NotAPictureError
from emotion.faces.files.walks import PassedOver, is_to_be_told
from emotion.runtime.storage import Folder
from emotion.vote.ensemble import Ensemble
from emotion.vote.person.examples import Examples, examples_of
from emotion.vote.recognizer import Recognizer


@dataclass(frozen=True)
class People:
    """Some people's faces.

    Attributes
    ----------
    faces : mapping of each person's folder to Examples, all of that person's faces
    left_out : PassedOver, files of which nothing is measured, by the reason
    """

    faces: dict[str, Examples] = field(default_factory=dict)
    left_out: PassedOver = field(default_factory=PassedOver)

    def __str__(self) -> str:
        """A line for the terminal or a notebook."""
        if not self.faces:
            return "There are no people: name a folder of theirs in EMOTION_PEOPLE."
        n_faces = sum(map(len, self.faces.values()))
        told = f"{len(self.faces):,} {'person' if len(self.faces) == 1 else 'people'} with {n_faces:,} faces."
        return f"{told} Left out: {self.left_out.reasons}." if self.left_out else told


def read_people(folder: Path | str, models: Ensemble, *, progress: bool = True) -> People:
    """Find the largest face of each picture of ``folder/<person>/<expression>/``; each is embedded once.

    Parameters
    ----------
    folder : path, or an address that fsspec knows
    models : Ensemble
    progress : bool, whether to draw a progress bar on standard error

    Returns
    -------
    People, those with faces of two expressions or more that the models know

    Raises
    ------
    DatasetError
        If the folder is missing, or there are no such people in it.
    DetectorError
        If the detector's file is missing or is another one.
    StorageError
        If a folder cannot be listed, or is gone.
    """
    whole, people, recognizer = Folder(folder), People(), Recognizer(models)
    check_folder(whole)
    for name in whole.entries()[0]:
        source = Folder(whole.place(name))
        if not source.entries()[0]:
            people.left_out["in no person's folder"] += len(source.entries()[1])
            continue
        X, y = _faces_of(source, recognizer, people.left_out, progress)
        if len(set(y)) < 2:
            people.left_out["of a person with fewer than two expressions"] += len(y)
            continue
        people.faces[name] = examples_of(models, np.stack(X), y)
    if not people.faces:
        raise DatasetError(
            f"{folder} must hold a folder for each person, with folders of pictures for two expressions or more in it, "
            "and holds no such person."
        )
    return people


def _faces_of(
    source: Folder, recognizer: Recognizer, left_out: PassedOver, progress: bool
) -> tuple[list[NDArray[np.uint8]], list[str]]:
    X, y = [], []
    pictures = picture_files(source)
    left_out.update(pictures.passed_over)
    for picture in tqdm(pictures, unit="picture", leave=False, disable=None if progress else True):
        if picture.label not in recognizer.models.classes:
            left_out[f"of {picture.label}, which the models do not know"] += 1
            continue
        try:
            found = recognizer.find(decode_image(source.read(picture.name)))
        except ImageError as error:
            if isinstance(error, NotAPictureError) and not is_to_be_told(picture.name, error):
                left_out.add(picture.name)
            else:
                left_out["that cannot be read"] += 1
            continue
        if found:
            X.append(found[0][1])
            y.append(picture.label)
        else:
            left_out["without a face"] += 1
    return X, y
