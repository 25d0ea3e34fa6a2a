"""The table of faces, read into memory from CSV, Parquet, or a folder of Parquet parts.

One row a face: the columns ``0_px`` to ``2303_px`` (0-255), then ``emotion``, then optional further ones (``file``).
A folder of parts also holds a list of them, ``_faces.json``, which is written when all of them are there.
"""

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from emotion import config
from emotion.errors import DatasetError
from emotion.faces.crop import FaceVectors
from emotion.labels import label_of
from emotion.runtime.storage import Folder, folder_and_name

PIXEL_COLUMNS: Final = tuple(f"{i}_px" for i in range(config.N_PIXELS))
LABEL_COLUMN: Final = "emotion"
FILE_COLUMN: Final = "file"
PARTS_FILE: Final = "_faces.json"
PART_NAME: Final = re.compile(r"part-\d{6}-[0-9a-f]{16}\.parquet")
PARQUET_GROUP_ROWS: Final = 8192
"""Faces that are read and written at a time."""

_CSV_BLOCK_BYTES: Final = 16 << 20
_TOLD_BELOW: Final = (pa.ArrowInvalid, pa.ArrowKeyError)


@dataclass(frozen=True)
class Faces:
    """Labelled faces in memory.

    Attributes
    ----------
    X : ndarray of shape (n, 2304), uint8, 0-255
    y : ndarray of shape (n,), str
    files : ndarray of shape (n,), str, or None
        The pictures that the faces come from, where the table names them.
    """

    X: FaceVectors
    y: NDArray[np.str_]
    files: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        if self.X.ndim != 2 or self.X.shape[1] != config.N_PIXELS or self.X.dtype != np.uint8:
            raise ValueError(f"X must be uint8 of shape (n, {config.N_PIXELS}), got {self.X.dtype} {self.X.shape}")
        if self.y.shape != (len(self.X),):
            raise ValueError(f"y must have one label a row, got {self.y.shape} for {len(self.X)} rows")
        if self.files is not None and self.files.shape != (len(self.X),):
            raise ValueError(f"files must have one name a row, got {self.files.shape} for {len(self.X)} rows")

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.integer]) -> "Faces":
        return Faces(self.X[rows], self.y[rows], None if self.files is None else self.files[rows])

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

    Parameters
    ----------
    path : path, or an address that fsspec knows
        Of a CSV file, of a Parquet file when its name ends in ``.parquet``, or of a folder of Parquet parts.

    Returns
    -------
    Faces, in the order of the file; labels as `emotion.labels.label_of` writes them; `files` where there is a column
    ``file``

    Raises
    ------
    DatasetError
        If the file is missing, empty, lacks a column, or holds anything but whole numbers from 0 to 255 as pixels
        and a text as the emotion; or if the folder has no list of its parts.
    StorageError
        If the storage behind an address does not answer.
    """
    # It grows in place: parts that are joined in the end would be in memory twice.
    pixels = np.empty((0, config.N_PIXELS), dtype=np.uint8)
    labels: list[str] = []
    files: list[str] = []
    try:
        for batch in _batches(path):
            part = _pixel_array(batch, path, len(labels))
            pixels.resize((len(labels) + len(part), config.N_PIXELS), refcheck=False)
            pixels[len(labels) :] = part
            if FILE_COLUMN in batch.schema.names:
                files.extend(_texts(batch.column(FILE_COLUMN).fill_null(""), path, "a file name"))
            labels.extend(_label_list(batch, path, len(labels)))
    except _TOLD_BELOW as error:
        reason = str(error).splitlines()[0] + _first_bad_row(path, len(labels))
        raise DatasetError(
            f"{path} is not a table of faces ({reason}); make it anew with image_to_vector.py."
        ) from error
    finally:
        # Arrow keeps hundreds of megabytes for a next table, which never comes.
        pa.default_memory_pool().release_unused()
    if not labels:
        raise DatasetError(f"{path} holds no faces.")
    y = np.array([label_of(label) for label in labels])
    return Faces(pixels, y, np.array(files) if files else None)


def _batches(path: Path | str) -> Iterator[pa.RecordBatch]:
    folder = Folder(path)
    if folder.exists():
        for part in _parts(folder):
            remedy = "start the same image_to_vector.py again, it goes on with the others"
            with folder.faults_told(part, but=_TOLD_BELOW), _opened(folder, part, remedy) as file:
                yield from _parquet_batches(file, path)
        return
    folder, name = folder_and_name(path)
    remedy = f"make one with: python image_to_vector.py FOLDER --output {path}"
    with folder.faults_told(name, but=_TOLD_BELOW), _opened(folder, name, remedy) as file:
        yield from _parquet_batches(file, path) if name.endswith(".parquet") else _csv_batches(file)


def _opened(folder: Folder, name: str, remedy: str) -> BinaryIO:
    try:
        return folder.open(name)
    except FileNotFoundError as error:
        raise DatasetError(f"There is no file {folder.place(name)}; {remedy}.") from error
    except OSError as error:
        raise DatasetError(f"{folder.place(name)} cannot be read: {error.strerror or error}.") from error


def _parts(folder: Folder) -> list[str]:
    try:
        with folder.open(PARTS_FILE) as file:
            return list(json.load(file)["parts"])
    except FileNotFoundError as error:
        raise DatasetError(
            f"{folder} is no finished table of faces: it has no {PARTS_FILE}. Start the same image_to_vector.py again; "
            "it goes on with the parts that are there."
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DatasetError(f"{folder}/{PARTS_FILE} is damaged; start the same image_to_vector.py again.") from error


def _csv_batches(file: BinaryIO) -> Iterator[pa.RecordBatch]:
    types = {**dict.fromkeys(PIXEL_COLUMNS, pa.uint8()), LABEL_COLUMN: pa.string(), FILE_COLUMN: pa.string()}
    names = [*PIXEL_COLUMNS, LABEL_COLUMN]
    if FILE_COLUMN in next(csv.reader([file.readline().decode("utf-8-sig", errors="replace")]), []):
        names.append(FILE_COLUMN)
    file.seek(0)
    with pyarrow.csv.open_csv(
        file,
        read_options=pyarrow.csv.ReadOptions(block_size=_CSV_BLOCK_BYTES),
        convert_options=pyarrow.csv.ConvertOptions(column_types=types, include_columns=names, strings_can_be_null=True),
    ) as reader:
        yield from reader


def _parquet_batches(content: BinaryIO, path: Path | str) -> Iterator[pa.RecordBatch]:
    with pyarrow.parquet.ParquetFile(content) as file:
        missing = {*PIXEL_COLUMNS, LABEL_COLUMN} - set(file.schema_arrow.names)
        if missing:
            raise DatasetError(f"{path} is not a table of faces: it has no column {min(missing)}.")
        texts = [LABEL_COLUMN, *({FILE_COLUMN} & set(file.schema_arrow.names))]
        schema = pa.schema([*((name, pa.uint8()) for name in PIXEL_COLUMNS), *((name, pa.string()) for name in texts)])
        for batch in file.iter_batches(PARQUET_GROUP_ROWS, columns=schema.names):
            yield batch.select(schema.names).cast(schema)


def _pixel_array(batch: pa.RecordBatch, path: Path | str, first_row: int) -> FaceVectors:
    columns = batch.columns[: config.N_PIXELS]
    for name, column in zip(PIXEL_COLUMNS, columns, strict=True):
        if column.null_count:
            raise DatasetError(f"{path} has an empty pixel in column {name}, {_row_of_null(column, first_row)}.")
    return np.stack([column.to_numpy() for column in columns], axis=1)


def _label_list(batch: pa.RecordBatch, path: Path | str, first_row: int) -> list[str]:
    column = batch.column(LABEL_COLUMN)
    if column.null_count:
        raise DatasetError(f"{path} has a face without an emotion, {_row_of_null(column, first_row)}.")
    labels = _texts(column, path, "an emotion")
    for row, label in enumerate(labels, first_row + 1):
        if not label_of(label) or "\n" in label:  # after a quotation mark without end, rows become part of a text
            raise DatasetError(f"{path} has a face whose emotion is {label[:30]!r}, row {row}: give it a name.")
    return labels


def _texts(column: pa.Array, path: Path | str, of: str) -> list[str]:
    try:
        texts: list[str] = column.to_pylist()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} has {of} that is no text in UTF-8.") from error
    return texts


def _first_bad_row(path: Path | str, rows_read: int) -> str:
    """Find what pyarrow, which reads many rows at once, does not tell."""
    folder, name = folder_and_name(path)
    if name.endswith(".parquet") or Folder(path).exists():
        return ""
    with folder.open(name) as file, contextlib.suppress(csv.Error):  # of texts longer than csv takes
        rows = csv.reader(io.TextIOWrapper(file, "utf-8", errors="replace", newline=""))
        header = next(rows, [])
        places = [header.index(column) for column in PIXEL_COLUMNS if column in header]
        for number, row in enumerate(rows, 1):
            if number > rows_read and row and (len(row) != len(header) or not all(_is_pixel(row[i]) for i in places)):
                return f", row {number}"
    return ""


_MOST_DIGITS: Final = 100  # with noughts and spaces: Python refuses to read thousands


def _is_pixel(text: str) -> bool:
    return len(text) <= _MOST_DIGITS and text.strip().isdecimal() and int(text) <= 255


def _row_of_null(column: pa.Array, first_row: int) -> str:
    return f"row {first_row + column.is_null().to_numpy(zero_copy_only=False).argmax() + 1}"
