"""The table of faces, read into memory from CSV, Parquet, or a folder of Parquet parts.

One row a face: the columns ``0_px`` to ``2303_px`` (0-255), then ``emotion``, then optional further ones (``Usage``,
``file``); or, as FER2013 was published, ``emotion`` and ``pixels``, a text of 2304 numbers. A folder of parts also
holds a list of them, ``_faces.json``, which is written when all of them are there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from emotion import config
from emotion.data.tables.rows import (
    ALL_PIXELS_COLUMN,
    FILE_COLUMN,
    LABEL_COLUMN,
    PART_COLUMN,
    PIXEL_COLUMNS,
    face_batches,
    folder_batches,
    no_pixel,
)
from emotion.errors import DatasetError
from emotion.faces.crop import FaceVectors
from emotion.labels import label_of
from emotion.runtime.storage import Folder

CODED_LABELS: Final = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral", "Contempt")
"""What the numbers 0 to 6 stand for in FER2013 (Goodfellow et al., 2013, https://arxiv.org/abs/1307.0414), and 7 in
tables of CK+ that are written like it."""
TRAINING_PARTS: Final = frozenset({"training", "train"})
"""What parts of a table are called, in small letters, whose faces are to be learnt from; others are to test on."""


@dataclass(frozen=True)
class Faces:
    """Labelled faces in memory.

    Attributes
    ----------
    X : ndarray of shape (n, 2304), uint8, 0-255
    y : ndarray of shape (n,), str
    files : ndarray of shape (n,), str, or None
        The pictures that the faces come from, where the table names them.
    parts : ndarray of shape (n,), str, or None
        The parts of the data set that the faces belong to, as ``Training`` or ``PublicTest``, where the table names
        them.
    """

    X: FaceVectors
    y: NDArray[np.str_]
    files: NDArray[np.str_] | None = None
    parts: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        if self.X.ndim != 2 or self.X.shape[1] != config.N_PIXELS or self.X.dtype != np.uint8:
            raise ValueError(f"X must be uint8 of shape (n, {config.N_PIXELS}), got {self.X.dtype} {self.X.shape}")
        if self.y.shape != (len(self.X),):
            raise ValueError(f"y must have one label a row, got {self.y.shape} for {len(self.X)} rows")
        if self.files is not None and self.files.shape != (len(self.X),):
            raise ValueError(f"files must have one name a row, got {self.files.shape} for {len(self.X)} rows")
        if self.parts is not None and self.parts.shape != (len(self.X),):
            raise ValueError(f"parts must have one name a row, got {self.parts.shape} for {len(self.X)} rows")

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.integer] | slice) -> "Faces":
        files, parts = (None if names is None else names[rows] for names in (self.files, self.parts))
        return Faces(self.X[rows], self.y[rows], files, parts)

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that occur, sorted."""
        return tuple(str(label) for label in np.unique(self.y))

    def counts(self) -> dict[str, int]:
        """How many faces each label has, in the order of `classes`."""
        labels, counts = np.unique(self.y, return_counts=True)
        return {str(label): int(count) for label, count in zip(labels, counts, strict=True)}


def read_faces(path: Path | str) -> Faces:
    """Read a table of faces.

    What a file holds is told by its first bytes, not by its name: Parquet, or CSV, also packed by gzip, whose cells are
    parted by commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252.

    Parameters
    ----------
    path : path, or an address that fsspec knows
        Of a file, or of a folder of Parquet parts.

    Returns
    -------
    Faces, in the order of the file; labels as `emotion.labels.label_of` writes them; `files` where there is a column
    ``file``, `parts` where there is a column ``Usage`` (or ``split``)

    Raises
    ------
    DatasetError
        If the file is missing, empty, something else, lacks a column, or holds anything but whole numbers from 0 to 255
        as pixels and a text as the emotion; or if the folder has no list of its parts.
    StorageError
        If the storage behind an address does not answer.
    """
    try:
        folder = Folder(path)
        if folder.exists():
            return _gathered(folder_batches(folder), path)
        try:
            return _gathered(face_batches(path), path)
        except pa.ArrowInvalid:
            return _gathered(face_batches(path, plain=False), path)
    finally:
        # Arrow keeps hundreds of megabytes for a next table, which never comes.
        pa.default_memory_pool().release_unused()


def _gathered(batches: Iterator[pa.RecordBatch], path: Path | str) -> Faces:
    # It grows in place: parts that are joined in the end would be in memory twice.
    pixels = np.empty((0, config.N_PIXELS), dtype=np.uint8)
    labels: list[str] = []
    files: list[str] = []
    parts: list[str] = []
    for batch in batches:
        part = _pixel_array(batch, path, len(labels))
        pixels.resize((len(labels) + len(part), config.N_PIXELS), refcheck=False)
        pixels[len(labels) :] = part
        if FILE_COLUMN in batch.schema.names:
            files.extend(_texts(batch.column(FILE_COLUMN).fill_null(""), path, "a file name"))
        if PART_COLUMN in batch.schema.names:
            named = _texts(batch.column(PART_COLUMN).fill_null(""), path, "a part")
            parts.extend(name.strip(_AROUND) for name in named)
        labels.extend(_label_list(batch, path, len(labels)))
    if not labels:
        raise DatasetError(f"{path} holds no faces.")
    if any(parts) and not all(parts):
        raise DatasetError(f"{path} names no part in its column {PART_COLUMN}, row {parts.index('') + 1}: fill it in.")
    y = np.array([label_of(label) for label in labels])
    return Faces(pixels, y, np.array(files) if files else None, np.array(parts) if any(parts) else None)


def _pixel_array(batch: pa.RecordBatch, path: Path | str, first_row: int) -> FaceVectors:
    if ALL_PIXELS_COLUMN in batch.schema.names:
        return _pixels_of_texts(batch.column(ALL_PIXELS_COLUMN), path, first_row)
    columns = [batch.column(name) for name in PIXEL_COLUMNS]
    for name, column in zip(PIXEL_COLUMNS, columns, strict=True):
        if column.null_count:
            raise DatasetError(f"{path} has an empty pixel in column {name}, {_row_of_null(column, first_row)}.")
    if all(column.type == pa.uint8() for column in columns):
        return np.stack([column.to_numpy() for column in columns], axis=1)
    pixels = np.empty((len(batch), config.N_PIXELS), dtype=np.uint8)
    for place, column in enumerate(columns):
        values = column.to_numpy()
        if (wrong := _no_pixels(values)).any():
            row = int(wrong.argmax())
            if all(_is_share(other.to_numpy()) for other in columns):
                raise DatasetError(_divided(path))
            raise DatasetError(no_pixel(path, f"{values[row]:g}", first_row + row + 1, PIXEL_COLUMNS[place]))
        pixels[:, place] = values
    return pixels


def _no_pixels(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(~((values >= 0) & (values <= 255) & (values == np.rint(values))))


def _is_share(values: NDArray[Any]) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _divided(path: Path | str) -> str:
    return f"The pixels of {path} look divided by 255: all are from 0 to 1. Multiply them by 255, and round them."


_AROUND: Final = " \t\r\n\"'[]"
"""What may stand around a list of numbers, or a name."""


def _pixels_of_texts(column: pa.Array, path: Path | str, first_row: int) -> FaceVectors:
    if column.null_count:
        raise DatasetError(f"{path} has a face without pixels, {_row_of_null(column, first_row)}.")
    try:
        lists = pc.ascii_split_whitespace(pc.utf8_trim(column, _AROUND))
    except pa.ArrowInvalid as error:  # not UTF-8, in Parquet
        raise DatasetError(f"{path} has pixels that are no text in UTF-8: copy, download or make it anew.") from error
    counts = lists.value_lengths().to_numpy()
    if (wrong := counts != config.N_PIXELS).any():
        row = int(wrong.argmax())
        side = config.FACE_SIDE
        raise DatasetError(
            f"{path} has {counts[row]:,} pixels in row {first_row + row + 1}: {config.N_PIXELS:,} are needed, for "
            f"{side}x{side}, with a blank between them."
        )
    numbers = lists.flatten()
    try:
        values = numbers.cast(pa.uint8()).to_numpy()
    except pa.ArrowInvalid:
        values = _pixels_with_care(numbers, path, first_row)
    return np.asarray(values, dtype=np.uint8).reshape(-1, config.N_PIXELS)


def _pixels_with_care(numbers: pa.Array, path: Path | str, first_row: int) -> NDArray[Any]:
    try:
        values = numbers.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        is_number = pc.match_substring_regex(numbers, r"^[+-]?\d+([.]\d*)?([eE][+-]?\d+)?$").to_numpy(False)
        place = int(is_number.argmin())
        row = first_row + place // config.N_PIXELS + 1
        raise DatasetError(no_pixel(path, f"{numbers[place].as_py()[:30]!r}", row)) from error
    if (wrong := _no_pixels(values)).any():
        if _is_share(values):
            raise DatasetError(_divided(path))
        place = int(wrong.argmax())
        raise DatasetError(no_pixel(path, f"{values[place]:g}", first_row + place // config.N_PIXELS + 1))
    return np.asarray(values)


def _label_list(batch: pa.RecordBatch, path: Path | str, first_row: int) -> list[str]:
    column = batch.column(LABEL_COLUMN)
    if column.null_count:
        raise DatasetError(f"{path} has a face without an emotion, {_row_of_null(column, first_row)}.")
    labels = _texts(column, path, "an emotion")
    for row, label in enumerate(labels, first_row + 1):
        if not label_of(label) or "\n" in label:  # after a quotation mark without end, rows become part of a text
            raise DatasetError(f"{path} has a face whose emotion is {label[:30]!r}, row {row}: give it a name.")
    if ALL_PIXELS_COLUMN in batch.schema.names:
        return [_decoded(label, path, row) for row, label in enumerate(labels, first_row + 1)]
    return labels


def _decoded(label: str, path: Path | str, row: int) -> str:
    """Turn a number of FER2013's into what it stands for."""
    bare = label.strip(_AROUND)
    if (number := re.fullmatch(r"([+-]?\d+)(\.0*)?", bare)) is None:
        return bare
    code = int(number[1][:9])
    if not 0 <= code < len(CODED_LABELS):
        coded = ", ".join(f"{code} {label}" for code, label in enumerate(CODED_LABELS))
        raise DatasetError(f"{path} has a face whose emotion is {bare[:30]}, row {row}; these are known: {coded}.")
    return CODED_LABELS[code]


def _texts(column: pa.Array, path: Path | str, of: str) -> list[str]:
    try:
        texts: list[str] = column.to_pylist()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} has {of} that is no text in UTF-8.") from error
    return texts


def _row_of_null(column: pa.Array, first_row: int) -> str:
    return f"row {first_row + column.is_null().to_numpy(zero_copy_only=False).argmax() + 1}"


@dataclass(frozen=True)
class Given:
    """Tables of faces, by what their own parts say.

    Attributes
    ----------
    data : Faces, to learn from
    test : Faces, to test on, or None where none were given
    told : str, sentences that say what the parts of the tables decided; empty where they have none
    """

    data: Faces
    test: Faces | None
    told: str


def by_parts(data: Faces, test: Faces | None = None) -> Given:
    """Keep what tables themselves call test faces from what is learnt.

    Where a table has training faces and others (`Faces.parts`), only the former are learnt from. The others are the
    test faces where none are given, and of a table of test faces they alone are.

    Parameters
    ----------
    data : Faces
    test : Faces, optional

    Returns
    -------
    Given, with these very faces where there are no such parts
    """
    told = []
    if (is_training := _training_rows(data)) is not None:
        learnt, others = data[is_training], data[~is_training]
        told.append(
            f"By the table's own parts, {len(learnt):,} of its {len(data):,} faces are learnt from "
            f"({_part_names(learnt)}); the others ({_part_names(others)}: {len(others):,}) are "
            + ("tested on." if test is None else "left out, since test faces are given.")
        )
        if test is None:
            return Given(learnt, others, told[0])
        data = learnt
    if test is not None:
        test, of_test = faces_to_test(test)
        told += [of_test] if of_test else []
    return Given(data, test, "\n".join(told))


def faces_to_test(faces: Faces) -> tuple[Faces, str]:
    """Take the faces of a table that are to test on.

    Parameters
    ----------
    faces : Faces

    Returns
    -------
    faces : Faces, those that the table's parts do not call training faces; all where it has no parts, or one kind
    told : str, a sentence on what is left out; empty where nothing is
    """
    if (is_training := _training_rows(faces)) is None:
        return faces, ""
    tested, others = faces[~is_training], faces[is_training]
    return tested, (
        f"By the parts of the table to test on, {len(tested):,} of its {len(faces):,} faces are tested on "
        f"({_part_names(tested)}); the others ({_part_names(others)}: {len(others):,}) are left out."
    )


def _training_rows(faces: Faces) -> NDArray[np.bool_] | None:
    """Which faces are to be learnt from, by the table's own parts; None where it has none, or one kind of them."""
    if faces.parts is None:
        return None
    names, part = np.unique(faces.parts, return_inverse=True)
    is_training = np.array([name.casefold() in TRAINING_PARTS for name in names.tolist()])[part]
    return None if is_training.all() or not is_training.any() else is_training


def _part_names(faces: Faces) -> str:
    return ", ".join(np.unique(faces.parts).tolist()) if faces.parts is not None else ""
