"""What a download has brought, sorted by content: pictures, tables, lists of labels; and what can be made of it."""

import contextlib
import functools
import heapq
import os
import posixpath
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from tqdm import tqdm

from emotion.faces.files import kinds
from emotion.faces.files.texts import FIRST_BYTES, text_of
from emotion.faces.files.walks import PassedOver, ending_of, is_litter, is_named_as_picture
from emotion.labels import names_expression
from emotion.runtime.terminal import from_here, typed

_LIST_ENDINGS: Final = {"", ".csv", ".dat", ".list", ".lst", ".tsv", ".txt"}
_NO_LIST: Final = re.compile(r"read.?me|licen[cs]e|copying|copyright|notice|citation|changelog", re.IGNORECASE)

_PART: Final = re.compile(r"^(train|test|val|eval|dev|hold|public|private)|(train|test|val|valid)$", re.IGNORECASE)
_TRAINING: Final = re.compile(r"(^|/)train|train(/|\.|$)", re.IGNORECASE)
_OF_LABELS: Final = re.compile(r"label|emotion|expression|annotation", re.IGNORECASE)

_ANOTHER_TABLE: Final = "make another table in the same way, with --output test.csv, of"

_FIRST_ENTRIES: Final = 50
_LARGEST_LISTS: Final = 20


@dataclass
class Contents:
    """What a data set holds: files by their paths below `folder`, with forward slashes.

    Attributes
    ----------
    folder : Path
    pictures : list of str
    tables : dict of str to Kind, what may hold faces or labels: tables, and lists as text
    passed_over : PassedOver, other files by ending
    archives : int, how many of these are archives, whatever is in them
    endings : PassedOver, all files by ending
    """

    folder: Path
    pictures: list[str] = field(default_factory=list)
    tables: dict[str, kinds.Kind] = field(default_factory=dict)
    passed_over: PassedOver = field(default_factory=PassedOver)
    archives: int = 0
    endings: PassedOver = field(default_factory=PassedOver)


def contents_of(folder: Path) -> Contents:
    """Sort files by their content; find the innermost folder that holds all emotion folders, tables and lists.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Contents

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    contents = Contents(folder)
    for name in tqdm(_files(folder), desc="Looking", unit="file", disable=None):
        kind = _kind_of_file(folder / name)
        contents.endings[_ending(name, kind)] += 1
        if "picture" in kind.family:
            contents.pictures.append(name)
        elif kind.family == "table" or (kind is kinds.TEXT and _may_be_list(name)):
            contents.tables[name] = kind
        else:
            contents.passed_over[_ending(name, kind)] += 1
            contents.archives += kind.family == "archive"
    inner = [name for name in contents.pictures if "/" in name]
    beside = [name for name in contents.pictures if "/" not in name]
    if inner and (len(inner) >= len(beside) or _name_expressions(inner)):  # covers and examples
        contents.passed_over.update(map(ending_of, beside))
        contents.pictures = inner
    places = {_above(_above(name)) for name in contents.pictures}
    places |= {_above(name) for name in contents.tables}
    if places and (wrapping := posixpath.commonpath(places)):
        contents.folder = folder / wrapping
        contents.pictures = [name[len(wrapping) + 1 :] for name in contents.pictures]
        contents.tables = {name[len(wrapping) + 1 :]: kind for name, kind in contents.tables.items()}
    return contents


def _files(folder: Path) -> Iterator[str]:
    """Give all files but links, hidden ones and litter, always in the same order."""
    pending = [""]
    while pending:
        place = pending.pop()
        with os.scandir(folder / place) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        folders = []
        for entry in entries:
            name = f"{place}/{entry.name}".lstrip("/")
            if is_litter(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(name)
            elif entry.is_file(follow_symlinks=False):
                yield name
        pending += reversed(folders)


def _kind_of_file(path: Path) -> kinds.Kind:
    with path.open("rb", buffering=0) as file:
        start = file.read(FIRST_BYTES)
    kind = kinds.kind_of(start)
    if kind is kinds.GZIP:  # a table may be packed so
        with contextlib.suppress(zlib.error):
            inner = kinds.kind_of(zlib.decompressobj(wbits=31).decompress(start, FIRST_BYTES))
            return inner if inner.family == "table" else kind
    return kind


def _above(name: str) -> str:
    return name.rpartition("/")[0]


def _may_be_list(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in _LIST_ENDINGS and not _NO_LIST.match(path.name)


def _name_expressions(pictures: Iterable[str]) -> bool:
    """Tell whether the folder of any of the pictures is called after an expression."""
    return any(names_expression(PurePosixPath(folder).name) for folder in set(map(_above, pictures)))


def _ending(name: str, kind: kinds.Kind) -> str:
    """Say how a file's name ends, and where that does not tell what it is."""
    if kind is kinds.EMPTY:
        return "empty"
    if "picture" not in kind.family and is_named_as_picture(name):
        return f"{ending_of(name)} without a picture in it"
    return ending_of(name)


def of_no_use(handle: str, contents: Contents) -> str:
    """Say what a data set holds of which nothing can be made.

    Parameters
    ----------
    handle : str
    contents : Contents

    Returns
    -------
    str, a sentence
    """
    advice = "choose another data set"
    if contents.archives:
        advice = f"unpack its archives in {contents.folder} and run this again"
    return (
        f"{handle} has no pictures in emotion folders and no table of faces; it holds "
        f"{contents.endings.reasons or 'no files'}: {advice}."
    )


def advice_on(contents: Contents, target: Path, script: Path) -> list[str]:
    """Say what to type next, after what one has to know for it.

    Parameters
    ----------
    contents : Contents
    target : Path, where they go
    script : Path, of image_to_vector.py

    Returns
    -------
    list of str, lines; none where nothing can be made of the data set
    """
    vectorizing = functools.partial(_vectorizing, script)
    folders = sorted(set(map(_above, contents.pictures)))
    named = _name_expressions(contents.pictures)
    if folders and not named and (told := _on_labels(contents, folders, target, vectorizing)):
        return told
    of_faces = [name for name, kind in contents.tables.items() if kind in (kinds.FACE_TABLE, kinds.FER2013_TABLE)]
    if any(folders) and (named or not of_faces):
        return _on_folders(contents, folders, target, vectorizing)
    # Of Parquet, the beginning does not tell what is in it.
    tables = of_faces or [name for name, kind in contents.tables.items() if kind is kinds.PARQUET]
    if not tables:
        return []
    tables = _training_first(Counter({name: (contents.folder / name).stat().st_size for name in tables}))
    training = typed("-m", "emotion", "train", "--data", str(from_here(target / tables[0])))
    return [*_for_test(tables, target, "there is"), f"Next: {training}"]


def _on_folders(contents: Contents, folders: list[str], target: Path, vectorizing: Callable[..., str]) -> list[str]:
    """Say what to type where folders are emotions."""
    parts = _training_first(Counter(_above(_above(name)) for name in contents.pictures))
    doubts = []
    if len(folders) == 1:
        doubts = [f"All pictures lie in one folder, {folders[0]}: only one emotion comes out of it."]
    elif not _name_expressions(contents.pictures):
        doubts = ["No folder is named after an expression that is known here: each becomes an emotion of its name."]
    return [
        *doubts,
        *_for_test(parts, target, _ANOTHER_TABLE),
        f"Next: {vectorizing(target / parts[0])}",
    ]


def _on_labels(contents: Contents, folders: list[str], target: Path, vectorizing: Callable[..., str]) -> list[str]:
    """Say what to type where pictures lie in folders without meaning, if a list has their labels."""
    parts = _training_first(Counter(map(_part_of, contents.pictures)))
    labels = _labels_of(contents, parts[0])
    if labels is None:
        return []
    # Of each part, the innermost folder that holds its pictures.
    inner = [posixpath.commonpath([place for place in folders if _part_of(f"{place}/") == part]) for part in parts]
    one = f"All pictures lie in one folder, {folders[0] or target.name}"
    return [
        f"{one if len(folders) == 1 else 'No folder is named after an expression'}; "
        f"their labels seem to be in {labels or target.name}.",
        *_for_test(inner, target, _ANOTHER_TABLE),
        f"Next: {vectorizing(target / inner[0], '--labels', target / labels)}",
    ]


def _part_of(name: str) -> str:
    """Give the path of the folder around a picture that is called train, test or the like; "" if none is."""
    folders = name.split("/")[:-1]
    return next(("/".join(folders[: at + 1]) for at, folder in enumerate(folders) if _PART.search(folder)), "")


def _training_first(sizes: Counter[str]) -> list[str]:
    """Sort parts of a data set: the one called so is for training, else the largest that is not called otherwise."""
    return sorted(sizes, key=lambda part: (_TRAINING.search(part) is None, _is_for_test(part), -sizes[part], part))


def _is_for_test(part: str) -> bool:
    return _part_of(f"{part}/") != "" and _TRAINING.search(part) is None


def _for_test(parts: list[str], target: Path, what: str) -> list[str]:
    """Say what to do with the parts behind the first that are called test or the like."""
    apart = [str(from_here(target / part)) for part in parts[1:] if _is_for_test(part)]
    return [f"For --test, {what} {' or '.join(apart)}."] if apart else []


def _vectorizing(*words: Path | str) -> str:
    return typed(*(str(from_here(word)) if isinstance(word, Path) else word for word in words))


def _labels_of(contents: Contents, part: str) -> str | None:
    """Find the list, or the folder of AffectNet's ``<picture>_exp.npy``, most of whose first entries name pictures."""
    texts = [name for name, kind in contents.tables.items() if kind in (kinds.TEXT, kinds.CSV_TABLE, kinds.VOTES_TABLE)]
    largest = heapq.nlargest(_LARGEST_LISTS, texts, key=lambda name: (contents.folder / name).stat().st_size)
    entries = {name: _first_entries(contents.folder / name) for name in largest}
    for name in contents.tables:
        if name.endswith("_exp.npy"):
            folder, _, file = name.rpartition("/")
            if len(known := entries.setdefault(folder, [])) < _FIRST_ENTRIES:
                known.append({file.removesuffix("_exp.npy")})
    wanted = {word for lines in entries.values() for words in lines for word in words}
    in_all = _named(contents.pictures, wanted)
    in_part = _named((name for name in contents.pictures if _part_of(name) == part), wanted)
    called = _PART.search(PurePosixPath(part).name)
    word = called[0].casefold() if called else ""  # parts may have the same names within

    def fitness(name: str) -> tuple[bool, bool, bool]:
        return _most_are_in(entries[name], in_part), _OF_LABELS.search(name) is not None, word in name.casefold()

    return max((name for name, lines in entries.items() if _most_are_in(lines, in_all)), key=fitness, default=None)


def _first_entries(path: Path) -> list[set[str]]:
    """Read the first lines of a list: of each, what may be names of pictures, without folders and endings."""
    with path.open("rb") as file:
        text = text_of(file.read(FIRST_BYTES)) or ""
    lines = [line for line in text.splitlines() if line.strip()][:_FIRST_ENTRIES]
    return [{_bare(word) for word in (*re.split(r"[,;\t]", line), *line.split())} for line in lines]


def _bare(word: str) -> str:
    return re.sub(r"\.[a-z]\w{1,4}$", "", re.split(r"[/\\]", word.strip(" \"'"))[-1], flags=re.IGNORECASE)


def _named(pictures: Iterable[str], wanted: set[str]) -> set[str]:
    """Give those of the wanted names that pictures have, also with more words behind, as RAF-DB's ``_aligned``."""
    bare = (_bare(name) for name in pictures)
    return {one for name in bare for one in (name, re.sub(r"_[A-Za-z]+$", "", name)) if one in wanted}


def _most_are_in(lines: list[set[str]], names: set[str]) -> bool:
    return 0 < len(lines) <= 2 * sum(not words.isdisjoint(names) for words in lines)
