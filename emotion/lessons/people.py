"""People, each with some pictures of each expression, to measure models on that know a person's face."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from emotion.data.folders.listing import check_folder
from emotion.data.person import faces_of_person
from emotion.errors import DatasetError
from emotion.faces.files.walks import PassedOver
from emotion.labels import label_of
from emotion.runtime.storage import Folder
from emotion.vote.ensemble import Ensemble
from emotion.vote.person.examples import Examples, examples_of

_IN_NO_FOLDER: Final = "in no folder of a person's expression"


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
    """Find the faces of ``folder/<person>/<expression>/``; each is embedded once.

    Parameters
    ----------
    folder : path, or an address that fsspec knows
    models : Ensemble
    progress : bool, whether to draw progress bars on standard error

    Returns
    -------
    People, those with faces of two expressions or more that the models know

    Raises
    ------
    DatasetError
        If the folder is missing, there are no such people in it, or nobody's face in a person's folder.
    DetectorError
        If the detector's file is missing or is another one.
    PersonalError
        If a person has too many faces.
    StorageError
        If a folder cannot be listed, or is gone.
    """
    whole, people = Folder(folder), People()
    check_folder(whole)
    names, beside = whole.entries()
    people.left_out.update(len(beside) * [_IN_NO_FOLDER])
    for name in names:
        folders, beside = Folder(whole.place(name)).entries()
        if not folders:
            people.left_out.update(len(beside) * [_IN_NO_FOLDER])
            continue
        found = faces_of_person(whole.place(name), models, progress=progress)
        people.left_out.update(found.passed_over)
        people.left_out.update(found.unreadable * ["that cannot be read"])
        people.left_out.update(found.without_face * ["without a face"])
        people.left_out.update(found.unfit * ["with a face not fit to learn from"])
        if not set(found.labels) <= set(map(label_of, folders)):
            people.left_out.update(len(found.labels) * ["in folders further in, perhaps of several people"])
            continue
        known = [label in models.classes for label in found.labels]
        shown = {label for label in found.labels if label in models.classes}
        people.left_out.update(
            f"of {label}, which the models do not know" for label in found.labels if label not in shown
        )
        if len(shown) < 2:
            people.left_out.update(sum(known) * ["of a person with fewer than two expressions"])
            continue
        people.faces[name] = examples_of(models, found.X, found.labels).rows(known)
    if not people.faces:
        raise DatasetError(
            f"{folder} must hold a folder for each person, with folders of pictures for two expressions or more in it, "
            "and holds no such person."
        )
    return people
