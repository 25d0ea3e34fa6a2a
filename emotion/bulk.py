"""Folders of pictures, of any size -> a file of votes, that grows picture by picture and can be gone on with."""

import csv
import hashlib
import itertools
import json
import os
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion import config
from emotion.ensemble import Ensemble
from emotion.errors import ImageError, OutputError
from emotion.faces import Box, FaceVector, read_picture
from emotion.files import printable, replacing
from emotion.recognizer import FaceEmotion, Recognizer
from emotion.tables import csv_rows, harmless, vote_cells, vote_columns

_BATCH_PICTURES: Final = 64
_CORES: Final = os.cpu_count() or 1

Found = list[tuple[Box, FaceVector]]


@dataclass
class BulkSummary:
    """What a run has done.

    Attributes
    ----------
    pictures : int, that this run has looked at
    done_before : int, that were in the file already
    faces : int
    unreadable : int
    """

    pictures: int = 0
    done_before: int = 0
    faces: int = 0
    unreadable: int = 0


def picture_record(name: str, result: Sequence[FaceEmotion] | str) -> dict[str, Any]:
    """Describe a picture and the votes on its faces for JSON.

    Parameters
    ----------
    name : str, of the picture
    result : sequence of FaceEmotion, or str, why it cannot be read

    Returns
    -------
    dict with `picture` and either `error` or `faces`, each with `box` (x, y, width, height in pixels), `label`,
    `ballots` and `probabilities` (both by name), `tie` and `uncertain`
    """
    if isinstance(result, str):
        return {"picture": name, "error": result}
    return {"picture": name, "faces": [_face_record(face) for face in result]}


def _face_record(face: FaceEmotion) -> dict[str, Any]:
    return {
        "box": list(face.box),
        "label": face.vote.label,
        "ballots": dict(zip(config.MODEL_NAMES, face.vote.ballots, strict=True)),
        "probabilities": {label: round(value, 4) for label, value in face.vote.probabilities.items()},
        "tie": face.vote.tie,
        "uncertain": face.vote.uncertain,
    }


def recognize_folder(folder: Path, output: Path, models: Ensemble, *, progress: bool = True) -> BulkSummary:
    """Recognise the faces of all pictures below a folder.

    Memory does not grow with the number of pictures, but for eight bytes each and the names of one folder at a time.

    Parameters
    ----------
    folder : Path
        Files whose names end as pictures' do, at any depth; hidden ones are passed over, links to folders not followed.
    output : Path
        CSV where the name ends in ``.csv``: a row a face, with `picture` (the path below `folder`), `face`, `x`, `y`,
        `width`, `height`, the columns of `emotion.tables.vote_columns` and `error`; a picture without a face, or one
        that cannot be read, has one row. Otherwise one JSON object a line, a line a picture. What is in the file
        already is kept, and its pictures are not looked at again, but for the last, which may be incomplete.
    models : Ensemble
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    BulkSummary

    Raises
    ------
    OutputError
        If the folder is not there, or the file cannot be written or is of another kind.
    DetectorError
        If the face detector's file is missing or damaged.
    """
    if not folder.is_dir():
        raise OutputError(f"There is no folder {folder}.")
    form: _Form = _CsvForm(models) if output.suffix == ".csv" else _JsonForm()
    try:
        done = _keep_whole(output, form)
        with output.open("a", encoding="utf-8", newline="") as file:
            return _recognize(folder, file, form, models, done, progress)
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror or error}.") from error


def _recognize(
    folder: Path, file: TextIO, form: "_Form", models: Ensemble, done: NDArray[np.uint64], progress: bool
) -> BulkSummary:
    recognizer = Recognizer(models)
    summary = BulkSummary()
    names = _names(folder, "")
    with ThreadPoolExecutor(_CORES) as pool, tqdm(unit="picture", disable=not progress) as bar:
        while batch := list(itertools.islice(names, _BATCH_PICTURES)):
            new = [name for name in batch if not _is_in(done, form.key(name))]
            summary.done_before += len(batch) - len(new)
            found = list(pool.map(lambda name: _find(folder / name, recognizer), new))
            vectors = [vector for faces in found if not isinstance(faces, str) for _, vector in faces]
            order = iter(recognizer.vote(vectors))
            text = ""
            for name, faces in zip(new, found, strict=True):
                result = faces if isinstance(faces, str) else [FaceEmotion(b, next(order), v) for b, v in faces]
                text += form.text(name, result)
                summary.unreadable += isinstance(result, str)
                summary.faces += 0 if isinstance(result, str) else len(result)
            summary.pictures += len(new)
            file.write(text)
            file.flush()
            bar.update(len(batch))
    return summary


def _names(folder: Path, below: str) -> Iterator[str]:
    """Give the paths of picture files below a folder, in an order that stays."""
    try:
        with os.scandir(folder / below) as found:
            visible = (entry for entry in found if not entry.name.startswith("."))
            entries = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in visible)
    except OSError as error:
        raise OutputError(f"{folder / below} cannot be read: {error.strerror or error}.") from error
    for own_name, is_folder in entries:
        name = f"{below}/{own_name}" if below else own_name
        if is_folder:
            yield from _names(folder, name)
        elif Path(own_name).suffix.lower() in config.IMAGE_SUFFIXES:
            yield name


def _find(file: Path, recognizer: Recognizer) -> Found | str:
    """Find the faces of a picture, or say why it cannot be read."""
    try:
        return recognizer.find(read_picture(file))
    except ImageError as error:
        return str(error)


def _digest(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


def _is_in(done: NDArray[np.uint64], key: str) -> bool:
    digest = np.uint64(_digest(key))
    place = int(np.searchsorted(done, digest))
    return place < len(done) and bool(done[place] == digest)


def _keep_whole(output: Path, form: "_Form") -> NDArray[np.uint64]:
    """Leave of an output what is surely whole: all but its last picture. Give the digests of what is left, sorted."""
    digests = array("Q")
    with replacing(output) as partial, partial.open("w", encoding="utf-8", newline="") as kept:
        kept.write(form.head)
        if output.is_file():
            # Replacing: a run may have been broken off within a character.
            with output.open(encoding="utf-8", errors="replace", newline="") as before:
                held = ""
                last = None
                for name, text in form.records(before, output):
                    if name != last and last is not None:
                        kept.write(held)
                        digests.append(_digest(last))
                        held = ""
                    held += text
                    last = name
    return np.sort(np.array(digests, dtype=np.uint64))


class _JsonForm:
    head = ""

    def key(self, name: str) -> str:
        return printable(name)

    def text(self, name: str, result: list[FaceEmotion] | str) -> str:
        return json.dumps(picture_record(self.key(name), result), ensure_ascii=False) + "\n"

    def records(self, file: TextIO, output: Path) -> Iterator[tuple[str, str]]:
        for line in file:
            try:
                yield json.loads(line)["picture"], line
            except (ValueError, KeyError, TypeError) as error:
                if not line.endswith("\n"):
                    return  # the last one, on which a run was broken off
                raise OutputError(f"{output} is not a file of votes: name another, or remove it.") from error


class _CsvForm:
    def __init__(self, models: Ensemble) -> None:
        votes = vote_columns(models.classes, models.model_names)
        self._columns = ["picture", "face", "x", "y", "width", "height", *votes, "error"]
        self.head = csv_rows([self._columns])

    def key(self, name: str) -> str:
        return harmless(printable(name))

    def text(self, name: str, result: list[FaceEmotion] | str) -> str:
        name = self.key(name)
        empty = [""] * (len(self._columns) - 2)
        if isinstance(result, str):
            return csv_rows([[name, *empty, result]])
        if not result:
            return csv_rows([[name, *empty, ""]])
        return csv_rows(
            [[name, n, *face.box, *vote_cells(face.vote), ""] for n, face in enumerate(result, start=1)],
        )

    def records(self, file: TextIO, output: Path) -> Iterator[tuple[str, str]]:
        rows = csv.reader(file)
        try:
            if next(rows, self._columns) != self._columns:
                raise OutputError(f"{output} is not a table of these votes: name another, or remove it.")
            for row in rows:
                if len(row) == len(self._columns):  # else the last one, on which a run was broken off
                    yield row[0], csv_rows([row])
        except csv.Error as error:
            raise OutputError(f"{output} is not a table: name another, or remove it.") from error


_Form = _JsonForm | _CsvForm
