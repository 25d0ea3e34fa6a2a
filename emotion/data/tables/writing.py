"""Faces -> the table of faces: as CSV, as Parquet, as a folder of Parquet parts."""

import contextlib
import csv
import gzip
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from emotion.data.tables.rows import (
    FILE_COLUMN,
    LABEL_COLUMN,
    PARQUET_GROUP_ROWS,
    PART_COLUMN,
    PART_NAME,
    PARTS_FILE,
    PIXEL_COLUMNS,
)
from emotion.errors import DatasetError, StorageError
from emotion.faces.crop import FaceVectors
from emotion.runtime.files import replacing
from emotion.runtime.storage import Folder, is_address

_ABOUT: Final = b"about"

_DIGITS: Final = np.array([list(f"{value},".encode().ljust(4, b"\0")) for value in range(256)], dtype=np.uint8)
"""What CSV writes for each value of a pixel, filled up with zeros."""


class FaceWriter(Protocol):
    """Takes faces in batches."""

    def write(
        self, pixels: FaceVectors, labels: Sequence[str], files: Sequence[str], parts: Sequence[str] = ()
    ) -> None:
        """Append one batch; `files` and `parts` are only written by a writer that keeps them."""
        ...

    def close(self) -> None:
        """Flush what is held back."""
        ...


@dataclass(frozen=True)
class _Texts:
    """The columns behind the pixels."""

    keep_names: bool
    keep_parts: bool

    @property
    def columns(self) -> list[str]:
        return [LABEL_COLUMN, *([PART_COLUMN] if self.keep_parts else []), *([FILE_COLUMN] if self.keep_names else [])]

    def kept(self, labels: Sequence[str], files: Sequence[str], parts: Sequence[str]) -> list[Sequence[str]]:
        return [labels, *([parts] if self.keep_parts else []), *([files] if self.keep_names else [])]


@dataclass
class _CsvWriter:
    path: Path
    texts: _Texts
    packed: bool = False

    def __post_init__(self) -> None:
        self._file: Any = self.path.open("wb")
        self._out: Any = self._file
        if self.packed:
            # Without a name and a time in it, the same faces give the same bytes.
            self._out = gzip.GzipFile("", "wb", compresslevel=6, fileobj=self._file, mtime=0)
        self._write_text([[*PIXEL_COLUMNS, *self.texts.columns]])

    def write(
        self, pixels: FaceVectors, labels: Sequence[str], files: Sequence[str], parts: Sequence[str] = ()
    ) -> None:
        # Digits are looked up for all pixels at once: a hundred times as fast as writing each number.
        digits = _DIGITS[pixels].reshape(len(pixels), -1)
        for row, text in zip(digits, zip(*self.texts.kept(labels, files, parts), strict=True), strict=True):
            self._out.write(row[row != 0].tobytes())
            self._write_text([text])

    def _write_text(self, rows: Iterable[Sequence[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._out.write(text.getvalue().encode())

    def close(self) -> None:
        with self._file:
            self._out.close()


@dataclass
class _ParquetWriter:
    sink: Path | BinaryIO
    texts: _Texts
    about: dict[str, Any] | None = None
    _held: list[tuple[FaceVectors, list[Sequence[str]]]] = field(default_factory=list)
    _held_rows: int = 0

    def __post_init__(self) -> None:
        names = self.texts.columns
        self._schema = pa.schema(
            [*((name, pa.uint8()) for name in PIXEL_COLUMNS), *((name, pa.string()) for name in names)],
            metadata=None if self.about is None else {_ABOUT: json.dumps(self.about)},
        )
        # Of pixels, differences are smaller than a dictionary for each column, and written in two thirds of the time;
        # compressing them makes them no smaller, and the table takes half as long again to write.
        self._file = pyarrow.parquet.ParquetWriter(
            self.sink,
            self._schema,
            compression=dict.fromkeys(names, "zstd"),
            use_dictionary=names,
            write_statistics=names,
            column_encoding=dict.fromkeys(PIXEL_COLUMNS, "DELTA_BINARY_PACKED"),
        )

    def write(
        self, pixels: FaceVectors, labels: Sequence[str], files: Sequence[str], parts: Sequence[str] = ()
    ) -> None:
        # Row groups of a few faces would make 2304 columns cost more than their content.
        self._held.append((pixels, self.texts.kept(labels, files, parts)))
        self._held_rows += len(pixels)
        if self._held_rows >= PARQUET_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        pixels = np.concatenate([held[0] for held in self._held])
        texts = [
            [text for _, columns in self._held for text in columns[place]] for place in range(len(self.texts.columns))
        ]
        columns = [*map(_pixel_column, np.ascontiguousarray(pixels.T)), *map(_text_column, texts)]
        self._file.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._held, self._held_rows = [], 0

    def close(self) -> None:
        if self._held_rows:
            self._flush()
        self._file.close()


# pyarrow.array would do both, but it imports pandas first, of which nothing is needed here: 50 MB in each process.
def _pixel_column(pixels: NDArray[np.uint8]) -> pa.Array:
    return pa.Array.from_buffers(pa.uint8(), len(pixels), [None, pa.py_buffer(pixels)])


def _text_column(texts: Sequence[str]) -> pa.Array:
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))


def check_output(path: Path | str) -> None:
    """Refuse a name that is none of a table of faces, before the work.

    Parameters
    ----------
    path : path or address, where a table is to be written

    Raises
    ------
    DatasetError
        If it is no address and no folder, and does not end in ``.csv``, ``.csv.gz`` or ``.parquet``, in small letters
        or large ones.
    """
    is_folder = is_address(path) or str(path).endswith(("/", os.sep)) or os.path.isdir(path)  # noqa: PTH112
    if not is_folder and not str(path).casefold().endswith(_ENDINGS):
        raise DatasetError(f"{path} must end in .csv, .csv.gz or .parquet, or be a folder (a slash at its end).")


_PARQUET_ENDING: Final = ".parquet"
_PACKED_ENDING: Final = ".csv.gz"
_ENDINGS: Final = (".csv", _PACKED_ENDING, _PARQUET_ENDING)


@contextlib.contextmanager
def face_writer(path: Path, keep_names: bool = False, keep_parts: bool = False) -> Iterator[FaceWriter]:
    """Open a table of faces for writing; it appears under its name only once it is whole.

    Parameters
    ----------
    path : Path
        By its ending, in small letters or large ones, written as CSV, as CSV packed by gzip (``.csv.gz``) or as
        Parquet. An existing file is replaced at the end, and stays as it is if the block raises.
    keep_names : bool
        Whether to add the column ``file``.
    keep_parts : bool
        Whether to add the column ``Usage``.

    Yields
    ------
    FaceWriter

    Raises
    ------
    DatasetError
        If the file has another ending or cannot be written: no such folder, no permission, disk full.
    """
    check_output(path)
    texts, name = _Texts(keep_names, keep_parts), path.name.casefold()

    def writer_to(partial: Path) -> _CsvWriter | _ParquetWriter:
        if name.endswith(_PARQUET_ENDING):
            return _ParquetWriter(partial, texts)
        return _CsvWriter(partial, texts, packed=name.endswith(_PACKED_ENDING))

    try:
        with replacing(path) as partial, contextlib.closing(writer_to(partial)) as writer:
            yield writer
    except OSError as error:
        raise DatasetError(f"{path} cannot be written: {error.strerror or error}.") from error


def write_part(
    folder: Folder,
    name: str,
    faces: tuple[FaceVectors, Sequence[str], Sequence[str]]
    | tuple[FaceVectors, Sequence[str], Sequence[str], Sequence[str]],
    about: dict[str, Any],
    keep_names: bool = False,
    keep_parts: bool = False,
) -> None:
    """Write one part of a table into a folder, whole or not at all.

    Parameters
    ----------
    folder : Folder
    name : str, of the part of the table, which `PART_NAME` matches
    faces : pixels of shape (n, 2304), uint8, with labels, files and, where they are kept, parts of the data set
    about : dict that JSON can hold, to be had again from `about_part`
    keep_names : bool
        Whether to add the column ``file``.
    keep_parts : bool
        Whether to add the column ``Usage``.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    content = io.BytesIO()
    writer = _ParquetWriter(content, _Texts(keep_names, keep_parts), about)
    if len(faces[0]):
        writer.write(*faces)
    writer.close()
    folder.write(name, content.getvalue())


def about_part(folder: Folder, name: str) -> dict[str, Any] | None:
    """Read what `write_part` was told about a part.

    Parameters
    ----------
    folder : Folder
    name : str

    Returns
    -------
    dict, or None where there is no such part

    Raises
    ------
    StorageError
        If the storage does not answer.
    """
    try:
        with folder.open(name) as file:
            metadata = pyarrow.parquet.read_schema(file).metadata or {}
            about: dict[str, Any] = json.loads(metadata[_ABOUT])
    except (OSError, KeyError, ValueError):  # none, or not of ours: it is written anew
        return None
    return about


def finish_parts(folder: Folder, parts: Sequence[str]) -> None:
    """Write the list of a table's parts, which makes it a table, and remove parts that are no longer on it.

    Parameters
    ----------
    folder : Folder
    parts : sequence of str, their names in order

    Raises
    ------
    StorageError
        If a part is not there, or the folder cannot be written.
    """
    there = {file.name for file in folder.entries()[1] if PART_NAME.fullmatch(file.name)}
    if missing := set(parts) - there:
        raise StorageError(
            f"{len(missing)} parts that were written are not in {folder}; it must be one folder for all machines."
        )
    folder.write(PARTS_FILE, (json.dumps({"parts": list(parts)}, indent=1) + "\n").encode())
    for name in there - set(parts):
        folder.remove(name)
