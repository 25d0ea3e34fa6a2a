"""Files of tables, opened by what they hold and never by their names; what is no table is named for what it is."""

import codecs
import contextlib
import csv
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from emotion.errors import DatasetError
from emotion.faces.files import kinds
from emotion.faces.files.texts import FIRST_BYTES, text_form
from emotion.runtime.storage import Folder, folder_and_name

MAKE_TABLE: Final = "python image_to_vector.py FOLDER --output data.csv"
READ_BYTES: Final = 16 << 20
"""Of a table, at a time."""


@dataclass(frozen=True)
class Wanted:
    """What a table is to be.

    Attributes
    ----------
    name : str, with its article
    columns : str, for people: those that it needs
    way : str, how one is had where there is none
    own : tuple of Kind, that it may be
    """

    name: str
    columns: str
    way: str
    own: tuple[kinds.Kind, ...] = ()


def wrong_table(path: Path | str, start: bytes, wanted: Wanted, lacking: str = "") -> DatasetError:
    """Say what a file is that is not the wanted table, and what to do.

    Parameters
    ----------
    path : path or address, for people
    start : bytes, its first, as for `emotion.faces.files.kinds.kind_of`
    wanted : Wanted
    lacking : str, of another table, the columns that it lacks; by default all

    Returns
    -------
    DatasetError
    """
    kind, form = kinds.kind_of(start), text_form(start)
    if kind is kinds.EMPTY:
        return DatasetError(f"{path} is not {wanted.name}: the file is empty. Make or download it anew.")
    if kind is kinds.UNKNOWN:
        return DatasetError(f"{path} is not {wanted.name} in a known format: give CSV or Parquet.")
    if form is not None and kind in (kinds.CSV_TABLE, kinds.TEXT, *wanted.own):
        columns = form.columns
        if columns and sum(re.fullmatch(r"-?\d[\d.]*", column) is not None for column in columns) > len(columns) / 2:
            return DatasetError(
                f"{path} is not {wanted.name}: its first line must name its columns ({wanted.columns})."
            )
        return DatasetError(lacking_told(path, wanted, lacking, () if kind in wanted.own else columns))
    return DatasetError(f"{path} is {kind.name}, not {wanted.name}: {_instead(kind, wanted)}.")


def lacking_told(path: Path | str, wanted: Wanted, lacking: str, columns: Sequence[str]) -> str:
    """Say which columns a table lacks.

    Parameters
    ----------
    path : path or address, for people
    wanted : Wanted
    lacking : str, the columns; empty where it lacks all
    columns : sequence of str, that it has, as far as they are to be told

    Returns
    -------
    str, a sentence or two
    """
    missing = lacking or wanted.columns
    word = "columns" if re.search(r" to | and |, ", missing) else "column"
    has = f" It has {', '.join(columns[:5])}{' ...' if len(columns) > 5 else ''}" if columns else ""
    return f"{path} is not {wanted.name}: it lacks the {word} {missing}.{has[:200].rstrip('.')}{'.' if has else ''}"


def _instead(kind: kinds.Kind, wanted: Wanted) -> str:
    told = {
        kinds.EXCEL: "save it as CSV and give that",
        kinds.OPEN_DOCUMENT: "save a spreadsheet as CSV and give that",
        kinds.OLD_OFFICE: "save a spreadsheet as CSV and give that",
        kinds.PARQUET: "save it as CSV and give that",
        kinds.WEB_PAGE: "download the file itself",
        kinds.LFS_POINTER: kind.advice,
        kinds.VOTES_TABLE: "give it with --votes",
        kinds.FACE_TABLE: "give it with --data",
        kinds.FER2013_TABLE: "give it with --data",
    }
    as_table = f"write it as CSV with the columns {wanted.columns}"
    by_family = {
        "picture": f"sort pictures into one folder for each emotion, then {MAKE_TABLE}",
        "film": f"save pictures of it into one folder for each emotion, then {MAKE_TABLE}",
        "archive": "unpack it, and give what is in it",
        "model": "models are named with --models",
        "table": as_table,
    }
    family = kind.family.removeprefix("other ")
    return told.get(kind) or (as_table if kind is kinds.JSON else by_family.get(family, f"give {wanted.name}"))


@contextlib.contextmanager
def opened(path: Path | str, wanted: Wanted) -> Iterator[tuple[BinaryIO, bytes]]:
    """Open a table, unpacked where it is packed by gzip.

    Parameters
    ----------
    path : path, or an address that fsspec knows
    wanted : Wanted

    Yields
    ------
    a binary file that can seek, and its first bytes

    Raises
    ------
    DatasetError
        If there is no such file, it must not be read, or what is packed is damaged.
    StorageError
        If the storage behind an address does not answer.
    """
    import pyarrow as pa  # which reading a list of labels does without until here

    folder, name = folder_and_name(path)
    with folder.faults_told(name, but=(pa.ArrowInvalid,)), _file(folder, name, wanted.way) as packed:
        start = _first_bytes(packed)
        if kinds.kind_of(start) is not kinds.GZIP:
            yield packed, start
            return
        try:
            with gzip.GzipFile(fileobj=packed) as file:
                unpacked: Any = file
                start = _first_bytes(unpacked)
                if kinds.kind_of(start).family == "archive" or kinds.kind_of(start) is kinds.PARQUET:
                    raise DatasetError(f"{path} holds {kinds.kind_of(start).name}: unpack it, and give what is in it.")
                yield unpacked, start
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DatasetError(f"{path} is damaged, or was not copied whole: copy or download it anew.") from error


def _file(folder: Folder, name: str, way: str) -> BinaryIO:
    try:
        return folder.open(name)
    except FileNotFoundError as error:
        raise DatasetError(f"There is no file {folder.place(name)}; {way}.") from error
    except IsADirectoryError as error:
        raise DatasetError(f"{folder.place(name)} is a folder; name the file in it.") from error
    except OSError as error:
        raise DatasetError(f"{folder.place(name)} cannot be read: {error.strerror or error}.") from error


def _first_bytes(file: BinaryIO) -> bytes:
    start = read = file.read(FIRST_BYTES)
    while read and len(start) < FIRST_BYTES:  # storage may give less than it is asked for
        read = file.read(FIRST_BYTES - len(start))
        start += read
    file.seek(0)
    return start


def settled_encoding(file: BinaryIO, encoding: str) -> str:
    """Say how a text is encoded whose beginning told it: letters that are no ASCII may come later.

    Parameters
    ----------
    file : a binary file, which is back at its beginning afterwards
    encoding : str, as `emotion.faces.files.kinds.text_form` gives it

    Returns
    -------
    str
    """
    if encoding != "utf-8":
        return encoding
    try:
        decoder = codecs.getincrementaldecoder("utf-8")()
        while part := file.read(READ_BYTES):
            decoder.decode(part)
    except UnicodeDecodeError:
        return "windows-1252"
    finally:
        file.seek(0)
    return encoding


@contextlib.contextmanager
def text_rows(path: Path | str, wanted: Wanted, needed: Sequence[str]) -> "Iterator[csv.DictReader[str]]":
    """Read a table of texts and numbers, however it is written.

    Parameters
    ----------
    path : path of a CSV file
    wanted : Wanted
    needed : sequence of str, columns

    Yields
    ------
    csv.DictReader, whose columns are without blanks around them

    Raises
    ------
    DatasetError
        If it cannot be read, or is no such table.
    """
    with opened(path, wanted) as (file, start):
        form = text_form(start)
        lacking = [column for column in needed if form is None or column not in form.columns]
        if form is None or lacking:
            raise wrong_table(path, start, wanted, ", ".join(lacking) if len(lacking) < len(needed) else "")
        text = io.TextIOWrapper(file, settled_encoding(file, form.encoding), errors="replace", newline="")
        lines = itertools.dropwhile(lambda line: not line.strip(), text)
        rows = csv.DictReader(lines, delimiter=form.delimiter, skipinitialspace=True)
        rows.fieldnames = [column.strip() for column in rows.fieldnames or ()]
        yield rows
