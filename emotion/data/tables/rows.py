"""Tables of faces -> batches of their rows: CSV in its dialects, Parquet, folders of Parquet parts."""

import contextlib
import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from emotion import config
from emotion.data.tables.opening import (
    MAKE_TABLE,
    READ_BYTES,
    Wanted,
    lacking_told,
    opened,
    settled_encoding,
    wrong_table,
)
from emotion.errors import DatasetError
from emotion.faces.files import kinds
from emotion.faces.files.texts import FIRST_BYTES, TextForm, text_form, text_of
from emotion.runtime.storage import Folder, is_address

PIXEL_COLUMNS: Final = tuple(f"{i}_px" for i in range(config.N_PIXELS))
LABEL_COLUMN: Final = "emotion"
PART_COLUMN: Final = "Usage"
FILE_COLUMN: Final = "file"
ALL_PIXELS_COLUMN: Final = "pixels"
"""Of FER2013's own table: all pixels of a face as one text."""
PARQUET_GROUP_ROWS: Final = 8192
"""Faces that are read and written at a time."""
PARTS_FILE: Final = "_faces.json"
PART_NAME: Final = re.compile(r"part-\d{6}-[0-9a-f]{16}\.parquet")

_OTHER_NAMES: Final = {PART_COLUMN: "split"}
_FACES: Final = Wanted(
    "a table of faces",
    "0_px to 2303_px and emotion, or emotion and pixels",
    f"make one with: {MAKE_TABLE}",
    (kinds.FACE_TABLE, kinds.FER2013_TABLE),
)


def face_batches(path: Path | str, *, plain: bool = True) -> Iterator[pa.RecordBatch]:
    """Read the columns of a table of faces, some thousand rows at a time.

    Parameters
    ----------
    path : path or address of a file
    plain : bool
        Whether a CSV file is taken to hold its pixels as whole numbers and what is no ASCII as its beginning has it,
        as nearly all do; without, it is read with more care, and slowly.

    Yields
    ------
    RecordBatch, of `PIXEL_COLUMNS` (numbers) or of `ALL_PIXELS_COLUMN`, `LABEL_COLUMN` and, where the table has them,
    `PART_COLUMN` and `FILE_COLUMN` (texts)

    Raises
    ------
    DatasetError
        If it is no such table, or has rows that are none.
    StorageError
        If the storage behind an address does not answer.
    pyarrow.ArrowInvalid
        Of a CSV file that has to be read without `plain`.
    """
    with opened(path, _FACES) as (file, start):
        if kinds.kind_of(start) is kinds.PARQUET:
            yield from parquet_batches(file, path)
            return
        form = text_form(start)
        places = None if form is None else _places(form.columns, path)
        if form is None or places is None:
            raise wrong_table(path, start, _FACES, "" if form is None else _lacking(form.columns))
        yield from _csv_batches(file, start, form, places, path, plain)


def _places(columns: Sequence[str], path: Path | str) -> dict[str, int] | None:
    """Find the columns of a table of faces; None where there are not all."""
    at: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        at.setdefault(column, []).append(place)
        if (folded := f"{column.casefold()} folded") != column:
            at.setdefault(folded, []).append(place)

    def place_of(column: str) -> int | None:
        names = [column, *([_OTHER_NAMES[column]] if column in _OTHER_NAMES else [])]
        found = next((at[name] for one in names for name in (one, f"{one.casefold()} folded") if name in at), [])
        if len(found) > 1:
            raise DatasetError(f"{path} has {len(found)} columns {column}: leave one of them.")
        return found[0] if found else None

    pixels = [ALL_PIXELS_COLUMN] if any(place_of(column) is None for column in PIXEL_COLUMNS) else list(PIXEL_COLUMNS)
    found = {column: place_of(column) for column in (*pixels, LABEL_COLUMN, PART_COLUMN, FILE_COLUMN)}
    if any(found[column] is None for column in (*pixels, LABEL_COLUMN)):
        return None
    return {column: place for column, place in found.items() if place is not None}


def _lacking(columns: Sequence[str]) -> str:
    """Name the columns that a table of faces would have besides these; nothing where it has none of them."""
    names = {column.casefold() for column in columns}
    pixels = [column for column in PIXEL_COLUMNS if column not in names]
    lacks = []
    if ALL_PIXELS_COLUMN not in names and len(pixels) == len(PIXEL_COLUMNS):
        lacks.append(f"0_px to {PIXEL_COLUMNS[-1]}, or pixels")
    elif ALL_PIXELS_COLUMN not in names:
        lacks.append(f"{pixels[0]} and {len(pixels) - 1:,} more of pixels" if len(pixels) > 1 else pixels[0])
    if LABEL_COLUMN not in names:
        lacks.append(LABEL_COLUMN)
    return " and ".join(lacks) if len(lacks) == 1 or len(pixels) < len(PIXEL_COLUMNS) else ""


def _csv_batches(
    file: BinaryIO, start: bytes, form: TextForm, places: dict[str, int], path: Path | str, plain: bool
) -> Iterator[pa.RecordBatch]:
    lines = re.split(r"\r\n|\r|\n", text_of(start) or "")
    header = next(number for number, line in enumerate(lines, 1) if line.strip("\ufeff \t"))
    if len(start) < FIRST_BYTES and not any(line.strip() for line in lines[header:]):
        return
    names = [f"column {place}" for place in range(len(form.columns))]
    for column, place in places.items():
        names[place] = column
    encoding = form.encoding if plain else settled_encoding(file, form.encoding)
    pixel = pa.uint8() if plain else pa.float64()
    # Where a semicolon parts cells, a comma may part what follows the point elsewhere.
    has_comma = form.delimiter == ";" and re.search(r"\d,\d", "".join(lines[header : header + 2])) is not None
    rows = 0
    try:
        with pyarrow.csv.open_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(
                block_size=READ_BYTES,
                column_names=names,
                skip_rows=header,
                encoding="utf8" if encoding.startswith("utf-8") else encoding,
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=form.delimiter),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={column: pixel if column in _PIXELS else pa.string() for column in places},
                include_columns=list(places),
                strings_can_be_null=True,
                decimal_point="," if has_comma else ".",
            ),
        ) as reader:
            for batch in reader:
                if not plain and any(pc.any(pc.is_inf(batch.column(name))).as_py() for name in _PIXELS & places.keys()):
                    raise pa.ArrowInvalid("a number beyond all bounds")
                rows += batch.num_rows
                yield batch
    except UnicodeError as error:
        raise DatasetError(f"{path} has letters in no known encoding: save it as CSV in UTF-8.") from error
    except pa.ArrowInvalid as error:
        if plain:
            raise
        raise DatasetError(_bad_row(path, encoding, form, places, rows)) from error


_PIXELS: Final = frozenset(PIXEL_COLUMNS)
_NUMBER: Final = re.compile(r"\s*([+-]?\d{1,300}([.,]\d*)?(e[+-]?\d+)?|-?nan|null|#?n/?a|)\s*", re.IGNORECASE)


def _bad_row(path: Path | str, encoding: str, form: TextForm, places: dict[str, int], rows_read: int) -> str:
    """Find what pyarrow, which reads many rows at once, does not tell."""
    with opened(path, _FACES) as (file, _), contextlib.suppress(csv.Error):  # of texts longer than csv takes
        text = io.TextIOWrapper(file, encoding, errors="replace", newline="")
        rows = (row for row in csv.reader(text, delimiter=form.delimiter) if row)
        for number, row in enumerate(itertools.islice(rows, 1 + rows_read, None), rows_read + 1):
            if len(row) != len(form.columns):
                return f"{path} has {len(row)} cells for its {len(form.columns)} columns, row {number}."
            for column, place in places.items():
                if column in _PIXELS and not _NUMBER.fullmatch(row[place]):
                    return no_pixel(path, f"{row[place][:30]!r}", number, column)
    return f"{path} is damaged behind row {rows_read}: copy, download or make it anew."


def no_pixel(path: Path | str, value: str, row: int, column: str = "") -> str:
    """Say which pixel of a table is none."""
    place = f" in column {column}" if column else ""
    return f"{path} has the pixel {value}{place}, row {row}: pixels are whole numbers from 0 to 255."


def parquet_batches(file: BinaryIO, path: Path | str) -> Iterator[pa.RecordBatch]:
    """Read the columns of a table of faces from Parquet, as `face_batches` does.

    Parameters
    ----------
    file : a binary file that can seek
    path : path or address, for people

    Yields
    ------
    RecordBatch

    Raises
    ------
    DatasetError
        If it is damaged, or no such table.
    """
    try:
        with pyarrow.parquet.ParquetFile(file) as table:
            columns = table.schema_arrow.names
            names = [column.strip() for column in columns]
            if (places := _places(names, path)) is None:
                raise DatasetError(lacking_told(path, _FACES, _lacking(names), names))
            for batch in table.iter_batches(PARQUET_GROUP_ROWS, columns=[columns[place] for place in places.values()]):
                arrays = {name: _fit(batch.column(columns[at]), name, path) for name, at in places.items()}
                yield pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and (error.errno is not None or is_address(path)):  # it is the storage's
            raise
        raise DatasetError(
            f"{path} is not a table of faces that can be read: the Parquet file is damaged, or was not copied whole. "
            "Copy, download or make it anew."
        ) from error


def _fit(column: pa.Array, name: str, path: Path | str) -> pa.Array:
    is_pixel = name in _PIXELS
    if is_pixel and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return column
    try:
        return column.cast(pa.float64() if is_pixel else pa.string())
    except pa.ArrowException as error:
        what, need = ("number", "whole numbers from 0 to 255") if is_pixel else ("text", "texts")
        if name == ALL_PIXELS_COLUMN:
            need = f"the {config.N_PIXELS:,} numbers of each face as one text"
        raise DatasetError(f"{path} has in its column {name} what is no {what}: write {need} there.") from error


def folder_batches(folder: Folder) -> Iterator[pa.RecordBatch]:
    """Read the columns of a table in parts, as `face_batches` does.

    Parameters
    ----------
    folder : Folder

    Yields
    ------
    RecordBatch

    Raises
    ------
    DatasetError
        If the folder has no list of its parts, a part is missing or damaged, or the folder holds something else.
    StorageError
        If the storage behind an address does not answer.
    """
    again = "start the same image_to_vector.py again, it goes on with the others"
    for part in _parts(folder):
        with folder.faults_told(part):
            try:
                file = folder.open(part)
            except FileNotFoundError as error:
                raise DatasetError(f"There is no file {folder.place(part)}; {again}.") from error
            with file:
                yield from parquet_batches(file, folder.place(part))


def _parts(folder: Folder) -> list[str]:
    try:
        with folder.open(PARTS_FILE) as file:
            return list(json.load(file)["parts"])
    except FileNotFoundError as error:
        raise DatasetError(_no_table(folder)) from error
    except OSError as error:
        raise DatasetError(f"{folder.place(PARTS_FILE)} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DatasetError(f"{folder}/{PARTS_FILE} is damaged; start the same image_to_vector.py again.") from error


def _no_table(folder: Folder) -> str:
    """Say what a folder is that is no table of faces."""
    inner, files = folder.entries()
    if any(PART_NAME.fullmatch(file.name) for file in files):
        return (
            f"{folder} is no finished table of faces: it has no {PARTS_FILE}. Start the same image_to_vector.py again; "
            "it goes on with the parts that are there."
        )
    found = [(file.name, _kind_in(folder, file.name)) for file in files[:_LOOKED_AT]]
    if _holds_pictures(folder, inner):
        return (
            f"{folder} is a folder of pictures; make a table of it first: {MAKE_TABLE.replace('FOLDER', str(folder))}."
        )
    tables = [name for name, kind in found if kind in (kinds.FACE_TABLE, kinds.FER2013_TABLE, kinds.PARQUET)]
    if tables:
        return f"{folder} is a folder; name the table in it: {folder.place(tables[0])}."
    if any(kind.family == "picture" for _, kind in found):
        return f"{folder} is a folder of pictures; sort them into one folder for each emotion, then {MAKE_TABLE}."
    return f"{folder} is a folder in which there is no table of faces; make one with: {MAKE_TABLE}."


_LOOKED_AT: Final = 20


def _holds_pictures(folder: Folder, inner: list[str], depth: int = 2) -> bool:
    """Tell whether there are pictures in the folders of a folder, or in those of these."""
    for name in inner[:_LOOKED_AT]:
        further, files = folder.entries(name)
        if any(_kind_in(folder, f"{name}/{file.name}").family == "picture" for file in files[:_LOOKED_AT]):
            return True
        if depth and _holds_pictures(folder, [f"{name}/{one}" for one in further], depth - 1):
            return True
    return False


def _kind_in(folder: Folder, name: str) -> kinds.Kind:
    try:
        with folder.open(name) as file:
            return kinds.kind_of(file.read(FIRST_BYTES))
    except OSError:
        return kinds.UNKNOWN
