"""Folders of pictures, of any size -> a file of votes, that grows picture by picture and can be gone on with."""

import csv
import functools
import hashlib
import itertools
import json
import os
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion.data.folders.listing import check_folder
from emotion.errors import ImageError, OutputError
from emotion.faces.crop import DETECTORS, FaceVector
from emotion.faces.decode import decode
from emotion.faces.detect import Detection
from emotion.faces.files.kinds import NotAPictureError
from emotion.faces.files.walks import PassedOver, is_to_be_told
from emotion.runtime.cluster import Stopping, Workers, workers
from emotion.runtime.files import printable, replacing
from emotion.runtime.storage import UNREAD, Folder, is_address
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import same_models
from emotion.vote.recognizer import FaceEmotion, Recognizer
from emotion.vote.sets import set_that_votes
from emotion.vote.tables import FACE_COLUMNS, csv_rows, harmless, picture_record, vote_cells, vote_columns

_BATCH_PICTURES: Final = 64

Result = list[FaceEmotion] | str
"""The faces of a picture, or why it cannot be read."""


@dataclass
class BulkSummary:
    """What a run has done.

    Attributes
    ----------
    pictures : int, that this run has looked at
    done_before : int, that were in the file already
    faces : int
    unreadable : int, of all pictures that are in the file now
    passed_over : PassedOver, files that are no pictures, and links to folders
    """

    pictures: int = 0
    done_before: int = 0
    faces: int = 0
    unreadable: int = 0
    passed_over: PassedOver = field(default_factory=PassedOver)


def recognize_folder(
    folder: Path | str,
    output: Path,
    models: Ensemble,
    *,
    detector: str = "yunet",
    dask: str | None = None,
    progress: bool = True,
) -> BulkSummary:
    """Recognise the faces of all pictures below a folder.

    Memory does not grow with the number of pictures, but for eight bytes each and the names of one folder at a time.

    Parameters
    ----------
    folder : path, or an address that fsspec knows
        Files that are pictures by their content, at any depth; hidden ones are left out, links to folders not followed.
    output : Path
        CSV where the name ends in ``.csv``: a row a face, with `picture` (the path below `folder`), `face`, `x`, `y`,
        `width`, `height`, the columns of `emotion.vote.tables.vote_columns`, `models` and `error`; a picture without a
        face, or one that cannot be read, has one row. Where it ends in ``.json`` or ``.jsonl``, one JSON object a line,
        a line a picture. What is there already is kept, but for a picture at which a run was broken off, and those
        whose files could not be read. ``NAME.about.json``, beside it, says which folder and models its votes are of.
    models : Ensemble
    detector : str, a key of `emotion.faces.crop.DETECTORS`
    dask : str, optional
        The address of a Dask scheduler, whose workers do the work; they must find `folder`, and the folder of models,
        under the same names. The file becomes the same, byte for byte.
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    BulkSummary

    Raises
    ------
    DatasetError
        If the folder is not there, or is a file.
    OutputError
        If the file cannot be written, is of another kind, or holds other votes.
    DetectorError
        If the face detector's file is missing or damaged.
    StorageError
        If the folder, or one in it, cannot be listed, or is gone.
    ClusterError
        If the cluster is not there, or is lost; the file can be gone on with.
    """
    source = Folder(folder)
    check_folder(source)
    kind = output.suffix.lower()
    if kind not in (".csv", ".json", ".jsonl"):
        raise OutputError(f"{output} must end in .csv, .json or .jsonl, which says what is written.")
    form: _Form = _CsvForm(models) if kind == ".csv" else _JsonForm(models)
    about = output.with_name(f"{output.name}.about.json")
    of = {
        "folder": str(folder) if is_address(folder) else str(Path(folder).resolve()),
        "models": models.origin[1],
        "detector": DETECTORS[detector]().name,
    }
    try:
        is_whole = _check_origin(output, about, of)
        done, unreadable = _keep_whole(output, form, is_whole)
        with workers(dask) as pool, output.open("a", encoding="utf-8", newline="") as file:
            own = Recognizer(models, DETECTORS[detector]())
            recognizer = functools.partial(_recognizer_of, *models.origin, detector) if dask else lambda: own
            summary = _recognize(source, file, form, recognizer, done, unreadable, pool, progress)
        _note(about, {**of, "whole_bytes": output.stat().st_size})
        return summary
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror or error}.") from error


def _check_origin(output: Path, about: Path, of: dict[str, Any]) -> bool:
    """Refuse a file of other votes; beside a new one, say what it will be of. Tell whether a run came to its end."""
    size = output.stat().st_size if output.is_file() else 0
    if not size:
        _note(about, of)
        return False
    try:
        known = dict(json.loads(about.read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        known = {}
    is_whole = bool(known.pop("whole_bytes", None) == size)
    if known != of:
        raise OutputError(f"{output} is no file of votes on this folder by these models: name another, or remove it.")
    return is_whole


def _note(about: Path, of: dict[str, Any]) -> None:
    with replacing(about) as partial:
        partial.write_text(json.dumps(of, indent=1) + "\n", encoding="utf-8")


def _recognize(
    source: Folder,
    file: TextIO,
    form: "_Form",
    recognizer: Callable[[], Recognizer],
    done: NDArray[np.uint64],
    unreadable: int,
    pool: Workers,
    progress: bool,
) -> BulkSummary:
    summary = BulkSummary(unreadable=unreadable)
    with tqdm(unit="picture", disable=None if progress else True) as bar:
        batches = _batches(_names(source, summary.passed_over), form, done, summary, bar)
        for names, results in pool.map(functools.partial(_recognize_batch, source, recognizer, pool.stopping), batches):
            for name, result in zip(names, results, strict=True):
                if result is None:
                    summary.passed_over.add(name)
                    continue
                summary.pictures += 1
                file.write(form.text(name, result))
                summary.unreadable += isinstance(result, str)
                summary.faces += 0 if isinstance(result, str) else len(result)
            file.flush()
            _check_in_place(file)
            bar.update(len(names))
    return summary


def _check_in_place(file: TextIO) -> None:
    """Notice that the file's name is another's by now."""
    try:
        if os.path.samestat(os.fstat(file.fileno()), Path(file.name).stat()):
            return
    except FileNotFoundError:
        pass
    raise OutputError(
        f"{file.name} was replaced or removed, perhaps by another run of this command. When that has ended, start "
        "again: what is done then is not done anew."
    )


def _batches(
    names: Iterator[str], form: "_Form", done: NDArray[np.uint64], summary: BulkSummary, bar: tqdm
) -> Iterator[list[str]]:
    """Give the names that are not done, so many at a time of those that there are: a rerun has the same batches."""
    while listed := list(itertools.islice(names, _BATCH_PICTURES)):
        new = [name for name in listed if not _is_in(done, form.key(name))]
        summary.done_before += len(listed) - len(new)
        bar.update(len(listed) - len(new))
        if new:
            yield new


def _recognizer_of(folder: str, checksum: str, detector: str) -> Recognizer:
    return Recognizer(same_models(folder, checksum), DETECTORS[detector]())


def _recognize_batch(
    source: Folder, recognizer: Callable[[], Recognizer], stopping: Stopping | None, names: list[str]
) -> tuple[list[str], list[Result | None]]:
    """Vote on some pictures; None stands for a file that is none. The recogniser is asked for here: of a worker's, what
    it lacks is told as any error. Once `stopping` is set, no further file is read, and what is given is of no use.
    """
    own = recognizer()
    found: list[list[tuple[Detection, FaceVector]] | str | None] = []
    for name in names:
        if stopping is not None and stopping.is_set():
            return [], []
        found.append(_find(source, name, own))
    judged = iter(own.vote([face for faces in found if isinstance(faces, list) for face in faces]))
    return names, [[next(judged) for _ in faces] if isinstance(faces, list) else faces for faces in found]


def _find(source: Folder, name: str, recognizer: Recognizer) -> list[tuple[Detection, FaceVector]] | str | None:
    try:
        return recognizer.find_in(decode(source.read(name)))
    except ImageError as error:
        return None if isinstance(error, NotAPictureError) and not is_to_be_told(name, error) else str(error)


def _names(source: Folder, passed_over: PassedOver, below: str = "") -> Iterator[str]:
    """Give the paths of files below a folder, in an order that stays."""
    folders, files = source.entries(below, follow_links=False)
    passed_over.update(source.links_to_folders(below) * ["linked folder"])
    is_folder = set(folders)
    for own_name in sorted([*folders, *(file.name for file in files)]):
        name = f"{below}/{own_name}" if below else own_name
        if own_name in is_folder:
            yield from _names(source, passed_over, name)
        else:
            yield name


def _digest(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


def _is_in(done: NDArray[np.uint64], key: str) -> bool:
    digest = np.uint64(_digest(key))
    place = int(np.searchsorted(done, digest))
    return place < len(done) and bool(done[place] == digest)


def _keep_whole(output: Path, form: "_Form", is_whole: bool) -> tuple[NDArray[np.uint64], int]:
    """Leave of an output what is of a file that was read, and surely whole. Give the digests of what is left, sorted,
    and how many of these files are no pictures.
    """
    unreadable = 0
    digests = array("Q")
    with replacing(output) as partial, partial.open("w", encoding="utf-8", newline="") as kept:
        kept.write(form.head)
        if output.is_file():
            # Replacing: a run may have been broken off within a character.
            with output.open(encoding="utf-8", errors="replace", newline="") as before:
                held = reason = ""
                last = None
                end = [(None, "", "")] if is_whole else []
                for name, text, why_not in itertools.chain(form.records(before, output), end):
                    if name != last and last is not None:
                        if not reason.startswith(UNREAD):
                            kept.write(held)
                            digests.append(_digest(last))
                            unreadable += bool(reason)
                        held = ""
                    held += text
                    last, reason = name, why_not
    return np.sort(np.array(digests, dtype=np.uint64)), unreadable


class _JsonForm:
    head = ""

    def __init__(self, models: Ensemble) -> None:
        self._models = set_that_votes(models).name

    def key(self, name: str) -> str:
        return printable(name)

    def text(self, name: str, result: Result) -> str:
        return json.dumps(picture_record(self.key(name), result, self._models), ensure_ascii=False) + "\n"

    def records(self, file: TextIO, output: Path) -> Iterator[tuple[str, str, str]]:
        for line in file:
            try:
                record = json.loads(line)
                name = record["picture"]
                name.encode()
                yield name, line, str(record.get("error", ""))
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                if not line.endswith("\n"):
                    return  # the last one, on which a run was broken off
                raise OutputError(f"{output} is not a file of votes: name another, or remove it.") from error


class _CsvForm:
    def __init__(self, models: Ensemble) -> None:
        votes = vote_columns(models.classes, models.model_names)
        self._columns = ["picture", *FACE_COLUMNS, *votes, "models", "error"]
        self._models = set_that_votes(models).name
        self.head = csv_rows([self._columns])

    def key(self, name: str) -> str:
        return harmless(printable(name))

    def text(self, name: str, result: Result) -> str:
        name = self.key(name)
        empty = [*[""] * (len(self._columns) - 3), self._models]
        if isinstance(result, str):
            return csv_rows([[name, *empty, result]])
        if not result:
            return csv_rows([[name, *empty, ""]])
        return csv_rows(
            [[name, n, *face.box, *vote_cells(face.vote), self._models, ""] for n, face in enumerate(result, start=1)],
        )

    def records(self, file: TextIO, output: Path) -> Iterator[tuple[str, str, str]]:
        rows = csv.reader(file)
        try:
            if next(rows, self._columns) != self._columns:
                raise OutputError(f"{output} is not a table of these votes: name another, or remove it.")
            for row in rows:
                if len(row) == len(self._columns):  # else the last one, on which a run was broken off
                    yield row[0], csv_rows([row]), row[-1]
        except csv.Error as error:
            raise OutputError(f"{output} is damaged: name another file, or remove it.") from error


_Form = _JsonForm | _CsvForm
