"""The sets of models that lie on this computer: what each is called, what it knows, and since when."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emotion import config
from emotion.errors import ModelsError
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import day_of, read_manifest, settled

SHIPPED: Final = "shipped"
"""What the set is called that comes with the program."""
FOR_ONE_PERSON: Final = ", for one person"
"""How the name of a set ends that has learnt a face (`Ensemble.personal`)."""


@dataclass(frozen=True)
class ModelSet:
    """Five models that were trained together.

    Attributes
    ----------
    name : str, as `set_name` gives it
    folder : Path
    classes : tuple of str
    trained : str, the day, as in ``2026-11-29``; empty where it is not known
    """

    name: str
    folder: Path
    classes: tuple[str, ...]
    trained: str

    def __str__(self) -> str:
        """One line: name, classes, date."""
        day = f", trained on {self.trained}" if self.trained else ""
        return f"{self.name} ({', '.join(self.classes)}{day})"


def set_of(folder: Path | str) -> ModelSet:
    """Say which set of models a folder holds.

    Parameters
    ----------
    folder : path

    Returns
    -------
    ModelSet

    Raises
    ------
    ModelsError
        If there are no models, or their manifest cannot be read.
    """
    return _described(Path(folder), read_manifest(folder))


def _described(folder: Path, manifest: dict[str, Any]) -> ModelSet:
    return ModelSet(set_name(folder), folder, tuple(manifest["classes"]), day_of(manifest))


def set_that_votes(models: Ensemble) -> ModelSet:
    """Say which set of models was loaded, also where training has put another into its folder since.

    Parameters
    ----------
    models : Ensemble

    Returns
    -------
    ModelSet
    """
    folder = models.origin[0]
    name = set_name(folder) + (FOR_ONE_PERSON if models.is_personal else "")
    return ModelSet(name, Path(folder), models.classes, models.trained)


def set_name(folder: Path | str) -> str:
    """Name a set of models by its folder.

    Parameters
    ----------
    folder : path

    Returns
    -------
    str: `SHIPPED` for those that come with the program; else the folder's name, or its path where another set of those
    that `find_sets` finds may have that name
    """
    if Path(folder).resolve() == config.MODELS.resolve():
        return SHIPPED
    # Of a link, its own name: several may lead to folders of one name.
    path, own = (
        place.parent.resolve() / place.name for place in (Path(folder).absolute(), config.OWN_MODELS.absolute())
    )
    is_taken = path.name in (SHIPPED, own.name)
    if path == own or (path.parent == own and not is_taken):
        return path.name
    if path.parent == own:
        return f"{own.name}/{path.name}"
    return str(path) if is_taken or (own / path.name).is_dir() else path.name


def what_is_replaced(folder: Path) -> str:
    """Say which models a training into a folder will replace.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str, a sentence or two; empty where there are none
    """
    if not settled(folder, config.MANIFEST_FILE).is_file():
        return ""
    try:
        before = set_of(folder)
    except ModelsError:
        return f"{folder} holds models that cannot be read. They are replaced when the training has ended."
    if before.name == SHIPPED:
        return f"{folder} holds the models that ship. In a clone, git checkout {folder.name} brings them back."
    return f"{before} is replaced when the training has ended."


def find_sets(named: Path | str | None = None) -> tuple[list[ModelSet], list[str]]:
    """Find the sets of models that may vote: own ones, in `config.OWN_MODELS` and folders in it, and the shipped one.

    Parameters
    ----------
    named : path of a further folder, optional; it comes first

    Returns
    -------
    sets : list of ModelSet, each with a name of its own
    problems : list of str
        A sentence for each folder that holds models which cannot be read, and for the first one if it holds none.
    """
    own = config.OWN_MODELS
    problems: list[str] = []
    try:
        # What begins with a dot is of a training that runs, or was killed.
        inner = sorted(path for path in own.iterdir() if path.is_dir() and not path.name.startswith("."))
    except FileNotFoundError:
        inner = []
    except OSError as error:
        inner = []
        problems.append(f"{own} cannot be looked through: {error.strerror or error}.")
    folders = [*([Path(named)] if named else []), config.MODELS, own, *inner]
    sets: dict[Path, ModelSet] = {}
    for folder in folders:
        place = folder.resolve()
        try:
            is_asked_for = folder == folders[0] or settled(folder, config.MANIFEST_FILE).is_file()
            if place not in sets and is_asked_for:
                sets[place] = set_of(folder)
        except ModelsError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{folder} cannot be looked into: {error.strerror or error}.")
    return list(sets.values()), problems
