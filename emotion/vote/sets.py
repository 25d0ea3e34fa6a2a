"""The sets of models that lie on this computer: what each is called, what it knows, and since when."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emotion import config
from emotion.errors import ModelsError
from emotion.vote.loading import read_manifest, settled

SHIPPED: Final = "shipped"
"""What the set is called that comes with the program."""


@dataclass(frozen=True)
class ModelSet:
    """Five models that were trained together.

    Attributes
    ----------
    name : str, that of its folder; `SHIPPED` for those that come with the program
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
    trained = manifest.get("trained", "")
    return ModelSet(set_name(folder), folder, tuple(manifest["classes"]), trained if isinstance(trained, str) else "")


def set_name(folder: Path | str) -> str:
    """Name a set of models by its folder.

    Parameters
    ----------
    folder : path

    Returns
    -------
    str: `SHIPPED` for those that come with the program, else the folder's name
    """
    path = Path(folder).resolve()
    return SHIPPED if path == config.MODELS.resolve() else path.name


def find_sets(named: Path | str | None = None) -> tuple[list[ModelSet], list[str]]:
    """Find the sets of models that may vote: own ones, in `config.OWN_MODELS` and folders in it, and the shipped one.

    Parameters
    ----------
    named : path of a further folder, optional; it comes first

    Returns
    -------
    sets : list of ModelSet
    problems : list of str, a sentence for each folder that holds models which cannot be read
    """
    own = config.OWN_MODELS
    inner = sorted(own.iterdir(), key=lambda path: path.name) if own.is_dir() else []
    folders = [*([Path(named)] if named else []), config.MODELS, own, *(path for path in inner if path.is_dir())]
    sets: dict[Path, ModelSet] = {}
    problems = []
    for folder in folders:
        place = folder.resolve()
        if place in sets or not settled(folder, config.MANIFEST_FILE).is_file():
            continue
        try:
            sets[place] = set_of(folder)
        except ModelsError as error:
            problems.append(str(error))
    return list(sets.values()), problems
