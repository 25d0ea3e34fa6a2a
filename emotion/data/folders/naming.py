"""Lists of labels beside pictures, as authors of data sets hand them out: which picture shows what.

Read are tables of text (``image,label``, with or without a header, in any order of columns), RAF-DB's list
(``train_00001.jpg 5``) and AffectNet's annotations (a NumPy file a picture, ``0_exp.npy``).
"""

import contextlib
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from emotion.data.tables.opening import Wanted, opened, settled_encoding, wrong_table
from emotion.errors import DatasetError, StorageError
from emotion.faces.files.kinds import CSV_TABLE, TEXT, kind_of
from emotion.faces.files.texts import FIRST_BYTES, text_form
from emotion.labels import label_of
from emotion.runtime.storage import Folder

LABELS: Final = Wanted("a list of labels", "image and label", "--labels takes a CSV with the columns image and label")

RAF_LABELS: Final = ("", "Surprise", "Fear", "Disgust", "Happy", "Sad", "Angry", "Neutral")
"""RAF-DB's numbers, from 1 on (Li et al., 2017, http://www.whdeld.cn/raf/model1.html)."""

AFFECTNET_LABELS: Final = ("Neutral", "Happy", "Sad", "Surprise", "Fear", "Disgust", "Angry", "Contempt")
"""AffectNet's numbers, from 0 on (Mollahosseini et al., 2017, https://arxiv.org/abs/1708.03985); those beyond stand for
none, uncertain, and no face."""

_PICTURE_NAME: Final = re.compile(r"\.(jpe?g|png|bmp|webp|gif|tiff?|avif|hei[cf])$", re.IGNORECASE)
_NAMES_PICTURES: Final = re.compile(r"\.(jpe?g|png|bmp|webp|gif|tiff?|avif|hei[cf])\b", re.IGNORECASE)
_RAF_NAME: Final = re.compile(r"(train|test)_\d{5}(_aligned)?\.jpg", re.IGNORECASE)
_ANNOTATION: Final = re.compile(r"(.+)_exp\.npy")
_NUMBER: Final = re.compile(r"\d+(\.0*)?")
_NAME_COLUMNS: Final = frozenset({"image", "file", "filename", "file_name", "path", "pth", "img", "picture", "name"})
_LABEL_COLUMNS: Final = (
    *("emotion", "expression", "label", "labels", "class", "class_name", "label_name", "emotion_label", "category"),
    *("target", "exp", "tag"),
)
_PART_COLUMNS: Final = frozenset({"usage", "split", "part", "set", "subset", "partition"})
_MOST_LIST_BYTES: Final = 500_000_000
_MOST_LOOKED_AT: Final = 20


@dataclass(frozen=True)
class Named:
    """What a list says of a picture: its name there, its label, and its part of the data set, or an empty text."""

    name: str
    label: str
    part: str = ""


class Labels:
    """What a list says.

    Parameters
    ----------
    path : str, of the list
    rows : iterable of Named

    Attributes
    ----------
    path : str
    names : list of str, of the pictures with labels, in the order of the list
    example : str, one of them
    has_parts : bool, whether the list tells training from test pictures
    skipped : int, lines of the list that are no rows of its table
    """

    def __init__(self, path: str, rows: Iterable[Named], skipped: int = 0) -> None:
        self.path = path
        self.skipped = skipped
        self._by_name: dict[str, Named] = {}
        self._by_end: dict[str, Named | None] = {}
        without = 0
        for row in rows:
            if not row.label:
                without += 1
                continue
            self._by_name[row.name] = row
            for key in _keys(row.name):
                there = self._by_end.get(key, row)
                # Where two pictures end alike, the end does not tell them apart.
                self._by_end[key] = row if there is not None and there.name == row.name else None
        if not self._by_name:
            raise DatasetError(
                f"{path} has no labels: those of all pictures that it names ({without:,}) are empty or stand for no "
                "expression. Give another list."
            )
        self.names = list(self._by_name)
        self.example = self.names[0]
        self.has_parts = len({row.part for row in self._by_name.values()}) > 1

    def __len__(self) -> int:
        return len(self._by_name)

    def of(self, name: str) -> Named | None:
        """Find a picture.

        Parameters
        ----------
        name : str, below the folder of pictures, with forward slashes

        Returns
        -------
        Named, or None where the list does not have it
        """
        if name in self._by_name:
            return self._by_name[name]
        return next((found for key in _keys(name) if (found := self._by_end.get(key)) is not None), None)


def _keys(name: str) -> tuple[str, str, str]:
    """Names by which a picture may go in a list: its own, that without ending, and that before it was aligned."""
    own = PurePosixPath(name.replace("\\", "/")).name
    stem = own[: -len(match.group())] if (match := _PICTURE_NAME.search(own)) else own
    return own, stem, stem.removesuffix("_aligned")


def read_labels(path: Path | str) -> Labels:
    """Read a list of labels.

    Parameters
    ----------
    path : path, or an address that fsspec knows
        Of a table of text, or of the folder of AffectNet's annotations.

    Returns
    -------
    Labels

    Raises
    ------
    DatasetError
        If it is missing, is something else, or has numbers as labels of which nobody said what they stand for.
    StorageError
        If the storage does not answer.
    """
    folder = Folder(path)
    if folder.exists():
        return Labels(str(path), _annotations(folder))
    with opened(path, LABELS) as (file, start):
        kind, form = kind_of(start), text_form(start)
        if form is None or kind not in (TEXT, CSV_TABLE):
            raise wrong_table(path, start, LABELS)
        text = file.read(_MOST_LIST_BYTES).decode(settled_encoding(file, form.encoding), errors="replace")
    rows, skipped = _rows(str(path), text.lstrip("\ufeff"), form.delimiter)
    return Labels(str(path), rows, skipped)


def _annotations(folder: Folder) -> Iterable[Named]:
    found = [(file.name, match.group(1)) for file in folder.entries()[1] if (match := _ANNOTATION.fullmatch(file.name))]
    if not found:
        raise DatasetError(
            f"{folder} is a folder without annotations (0_exp.npy ...): name the file with the labels instead."
        )
    for name, picture in found:
        with folder.faults_told(name), folder.open(name) as file:
            content = file.read(FIRST_BYTES)
        try:
            number = int(np.load(io.BytesIO(content)).item())
        except Exception as error:  # of what is no such file, NumPy's errors share no other base
            raise DatasetError(
                f"{folder.place(name)} is not an annotation: it holds no number. Copy it anew, or remove it."
            ) from error
        yield Named(picture, AFFECTNET_LABELS[number] if 0 <= number < len(AFFECTNET_LABELS) else "")


def _rows(path: str, text: str, delimiter: str) -> tuple[list[Named], int]:
    """Give the rows of a list, and how many other lines it has."""
    try:
        lines = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        ]
    except csv.Error as error:
        raise DatasetError(
            f"{path} is not a list of labels: it has a line that is no row of a table. Write the name of a picture and "
            "a label in each."
        ) from error
    lines = [row for row in lines if any(row)]
    has_header = len(lines) > 1 and not any(_PICTURE_NAME.search(cell) for cell in lines[0])
    header = [cell.casefold() for cell in lines[0]] if has_header else [""] * len(lines[0]) if lines else []
    rows = [row for row in lines[has_header:] if len(row) == len(header)]
    if not rows or len(header) < 2:
        raise DatasetError(f"{path} is not a list of labels: it needs the name of a picture and a label in each line.")
    names = _name_column(header, rows)
    labels = _label_column(path, header, rows, names)
    parts = next((at for at, column in enumerate(header) if column in _PART_COLUMNS), None)
    is_raf = all(_RAF_NAME.fullmatch(PurePosixPath(row[names]).name) for row in rows[:_MOST_LOOKED_AT])
    is_affectnet = "valence" in header
    named = []
    for row in rows:
        part = row[parts] if parts is not None else PurePosixPath(row[names]).name.partition("_")[0] if is_raf else ""
        named.append(Named(row[names].removeprefix("./"), _label(path, row[labels], is_raf, is_affectnet), part))
    return named, len(lines) - has_header - len(rows)


def _name_column(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    for at in range(len(header)):
        if _PICTURE_NAME.search(rows[0][at]):
            return at
    return next((at for at, column in enumerate(header) if column in _NAME_COLUMNS), 0)


def _label_column(path: str, header: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> int:
    known = [header.index(column) for column in _LABEL_COLUMNS if column in header]
    known = [at for at in known if at != names] or [at for at in range(len(header)) if at != names and len(header) == 2]
    if not known:
        # Without a header, the column of few different words or numbers.
        known = [
            at for at in range(len(header)) if at != names and not header[at] and len({r[at] for r in rows}) < len(rows)
        ]
    if not known:
        has = f" ({', '.join(header)[:80]})" if any(header) else ""
        raise DatasetError(
            f"{path} does not say which of its columns has the labels{has}: call the columns image and label."
        )
    return next((at for at in known if not _NUMBER.fullmatch(rows[0][at])), known[0])


def _label(path: str, text: str, is_raf: bool, is_affectnet: bool) -> str:
    if not _NUMBER.fullmatch(text):
        return label_of(text)
    number = int(float(text))
    if is_raf or is_affectnet:
        names = RAF_LABELS if is_raf else AFFECTNET_LABELS
        return names[number] if number < len(names) else ""
    raise DatasetError(
        f"{path} has numbers as labels ({text}), and nobody said what they stand for: write names of expressions in "
        "their place."
    )


def labels_beside(folder: Folder) -> str:
    """Find what seems to be a list of labels, in a folder of pictures, or beside it.

    Parameters
    ----------
    folder : Folder

    Returns
    -------
    str, its path, or that of a folder of annotations; empty where there is none
    """
    places = [folder]
    if folder.is_here:
        places.append(Folder(Path(str(folder)).parent))
    for place in places:
        with contextlib.suppress(OSError, StorageError):  # what must not be read is no hint
            if found := _list_in(place):
                return place.place(found)
    return ""


def _list_in(place: Folder) -> str:
    folders, files = place.entries()
    texts = [file.name for file in files if re.search(r"\.(csv|tsv|txt|lst|list)$", file.name, re.IGNORECASE)]
    for name in texts[:_MOST_LOOKED_AT]:
        with place.open(name) as file:
            form = text_form(start := file.read(FIRST_BYTES))
        if form is not None and _NAMES_PICTURES.search(start.decode(form.encoding, errors="replace")):
            return name
    for name in folders[:_MOST_LOOKED_AT]:
        if any(_ANNOTATION.fullmatch(file.name) for file in place.entries(name)[1][:_MOST_LOOKED_AT]):
            return name
    return ""
