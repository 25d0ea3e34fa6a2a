"""Where the notebooks find and leave things."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emotion import config
from emotion.data.dataset import Faces, by_parts, read_faces
from emotion.data.seen import read_seen
from emotion.data.splitting import Split, split_faces
from emotion.training.recipes import FAST, FULL, Size


@dataclass(frozen=True)
class Places:
    """Where the notebooks find and leave things, by environment variables; what is not absolute is in the project.

    Attributes
    ----------
    data : Path, table to learn from: `EMOTION_DATA`, by default ``data.csv``
    test : Path or None, table to measure on: `EMOTION_TEST`, by default none
    votes : Path or None, FER+'s votes on these pictures: `EMOTION_VOTES`, by default none
    models : Path, folder that models go to: `EMOTION_MODELS`, by default ``my-models``, of tiny ones ``my-models/fast``
    networks : Path, folder of the embedding networks: `EMOTION_NETWORKS`, by default those that ship
    people : Path or None, folder of people's pictures: `EMOTION_PEOPLE`, by default none
    is_fast : bool, whether tiny models are trained, to try the way: `EMOTION_FAST` is ``1``
    """

    data: Path
    test: Path | None
    votes: Path | None
    models: Path
    networks: Path
    people: Path | None
    is_fast: bool

    @property
    def size(self) -> Size:
        """How much work goes into each model."""
        return FAST if self.is_fast else FULL

    def read(self) -> tuple[Faces, Faces | None]:
        """Read the tables.

        Returns
        -------
        data : Faces, to learn from
        test : Faces, or None where none are named and the table has no test part of its own

        Raises
        ------
        DatasetError
            If one cannot be read.
        """
        given = by_parts(*self._tables())
        return given.data, given.test

    def _tables(self) -> tuple[Faces, Faces | None]:
        return read_faces(self.data), read_faces(self.test) if self.test else None

    def split(self) -> Split:
        """Split the faces of the tables as training does.

        Returns
        -------
        Split

        Raises
        ------
        DatasetError
            As `emotion.data.splitting.split_faces`.
        """
        return split_faces(*self._tables(), seen=read_seen(self.networks).networks)


def places(environment: Mapping[str, str] = os.environ) -> Places:
    """Read where things are from the environment.

    Parameters
    ----------
    environment : mapping

    Returns
    -------
    Places
    """

    def place(name: str, default: Path | None) -> Path | None:
        return config.WORKPLACE / environment[name] if environment.get(name) else default

    is_fast = environment.get("EMOTION_FAST") == "1"
    own = config.OWN_MODELS / "fast" if is_fast else config.OWN_MODELS  # tiny ones are not to replace good ones
    data, models, networks = (
        place(name, default) or default
        for name, default in (
            ("EMOTION_DATA", config.WORKPLACE / "data.csv"),
            ("EMOTION_MODELS", own),
            ("EMOTION_NETWORKS", config.MODELS),
        )
    )
    test, votes, people = (place(name, None) for name in ("EMOTION_TEST", "EMOTION_VOTES", "EMOTION_PEOPLE"))
    return Places(data, test, votes, models, networks, people, is_fast)
