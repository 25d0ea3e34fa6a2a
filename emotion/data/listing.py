"""Which pictures there are in a folder, and what they are pictures of."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from emotion.errors import DatasetError
from emotion.labels import label_of
from emotion.runtime.storage import Folder, StoredFile


class Picture(NamedTuple):
    """A file of a folder of pictures: its label, its name below the folder, and what changes with its content."""

    label: str
    name: str
    stamp: int


@dataclass
class Listing:
    """The files of ``folder/<emotion>/``, which become pictures as they are asked for: a name once, not twice."""

    emotions: list[tuple[str, list[StoredFile]]]

    def __len__(self) -> int:
        return sum(len(files) for _, files in self.emotions)

    def __iter__(self) -> Iterator[Picture]:
        for emotion, files in self.emotions:
            label = label_of(emotion)
            for file in files:
                yield Picture(label, f"{emotion}/{file.name}", file.stamp)

    @property
    def labels(self) -> list[str]:
        """What the pictures are pictures of, also where a folder is empty."""
        return [label_of(emotion) for emotion, _ in self.emotions]

    def parts(self, size: int) -> Iterator[list[Picture]]:
        """Give so many pictures at a time."""
        pictures = iter(self)
        while part := list(itertools.islice(pictures, size)):
            yield part


def picture_files(folder: Folder) -> Listing:
    """List the files of ``folder/<emotion>/``, in sorted order, hidden ones left out.

    Parameters
    ----------
    folder : Folder

    Returns
    -------
    Listing

    Raises
    ------
    DatasetError
        If the folder is missing, holds one without a name that can be shown, or holds no ``<emotion>`` folders with
        files, with the folder that was probably meant.
    StorageError
        If a folder cannot be listed.
    """
    if not folder.exists():
        raise DatasetError(f"There is no folder {folder}.")
    emotions, _ = folder.entries()
    for emotion in emotions:
        if not label_of(emotion):
            raise DatasetError(f"The name of the folder {folder.place(emotion)} names no emotion: rename or remove it.")
    listing = Listing([(emotion, folder.entries(emotion)[1]) for emotion in emotions])
    if not len(listing):
        meant = next((inner for inner in emotions if folder.entries(inner)[0]), None)
        hint = f" Name a folder further in, such as {folder.place(meant)}." if meant else ""
        raise DatasetError(f"{folder} must hold one folder of pictures for each emotion, and holds none.{hint}")
    return listing
