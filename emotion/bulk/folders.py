"""Folders of pictures and films, of any size -> a file of votes, that grows file by file and can be gone on with."""

import functools
import hashlib
import itertools
import os
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion.bulk.forms import FilmRows, Form, Result, form_of
from emotion.bulk.origin import WHOLE, Origin, stored_choice
from emotion.data.folders.listing import check_folder
from emotion.errors import FilmError, ImageError, NoVideoError, OutputError
from emotion.faces.crop import DETECTORS, FaceVector
from emotion.faces.decode import decode
from emotion.faces.detect import Detection
from emotion.faces.files.kinds import NotAPictureError
from emotion.faces.files.walks import PassedOver, is_named_as_film, is_to_be_told
from emotion.runtime.cluster import Stopping, Workers, workers
from emotion.runtime.files import replacing
from emotion.runtime.storage import UNREAD, Folder, is_address
from emotion.streams.films.reading.animations import is_animation
from emotion.streams.films.reading.frames import note_on
from emotion.streams.films.reading.inputs import is_film
from emotion.streams.films.reading.opening import open_film
from emotion.streams.films.watching import Choice, FilmWatch
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import same_models
from emotion.vote.recognizer import Recognizer

_BATCH_PICTURES: Final = 64


@dataclass
class BulkSummary:
    """What a run has done.

    Attributes
    ----------
    pictures : int, that this run has looked at
    films : int, that this run has looked at
    done_before : int, pictures and films that were in the file already
    faces : int, in pictures
    moments : int, of films
    unreadable : int, of all files that are in the file now, those that could not be read, or not to their end
    passed_over : PassedOver, files that are no pictures, and links to folders
    """

    pictures: int = 0
    films: int = 0
    done_before: int = 0
    faces: int = 0
    moments: int = 0
    unreadable: int = 0
    passed_over: PassedOver = field(default_factory=PassedOver)


def recognize_folder(
    folder: Path | str,
    output: Path,
    models: Ensemble,
    *,
    detector: str = "yunet",
    choice: Choice | None = None,
    dask: str | None = None,
    progress: bool = True,
) -> BulkSummary:
    """Recognise the faces of all pictures and films below a folder.

    Memory does not grow with the number of files, but for eight bytes each and the names of one folder at a time.

    Parameters
    ----------
    folder : path, or an address that fsspec knows
        Files that are pictures or films by their content, at any depth; hidden ones are left out, links to folders not
        followed.
    output : Path
        CSV where the name ends in ``.csv``: a row a face, of a film a row a face and moment, with `picture` (the path
        below `folder`), `seconds` and `frame` of a film, `face`, `x`, `y`, `width`, `height`, the columns of
        `emotion.vote.tables.vote_columns`, `smoothed_label` of a film, `models` and `error`; a picture or moment
        without a face, or a file that cannot be read, has one row. Where it ends in ``.json`` or ``.jsonl``, one JSON
        object a line, a line a picture or a face and moment. What is there already is kept, but for a file at which a
        run was broken off, and those that could not be read. ``NAME.about.json``, beside it, says which folder and
        models its votes are of.
    models : Ensemble
    detector : str, a key of `emotion.faces.crop.DETECTORS`
    choice : Choice, what is looked at of films
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
    source, choice = Folder(folder), choice or Choice()
    check_folder(source)
    form = form_of(output, models)
    of = {
        "folder": str(folder) if is_address(folder) else str(Path(folder).resolve()),
        "models": models.origin[1],
        "detector": DETECTORS[detector]().name,
        "films": stored_choice(choice),
    }
    origin = Origin(output, of, "this folder")
    try:
        is_whole = origin.check().get(WHOLE) == _size(output) > 0
        done, unreadable = _keep_whole(output, form, is_whole)
        with workers(dask) as pool, output.open("a", encoding="utf-8", newline="") as file:
            own = Recognizer(models, DETECTORS[detector]())
            recognizer = functools.partial(_recognizer_of, *models.origin, detector) if dask else lambda: own
            work = _Work(source, form, recognizer, detector, choice, pool.stopping)
            summary = _recognize(work, file, done, unreadable, pool, progress)
        origin.note(**{WHOLE: _size(output)})
        return summary
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror or error}.") from error


@dataclass(frozen=True)
class _Work:
    """What is the same for all files; on a cluster, sent to the workers.

    The recogniser is asked for on the worker: what that lacks is told as any error. Once `stopping` is set, no further
    file is read, and what is given is of no use.
    """

    source: Folder
    form: Form
    recognizer: Callable[[], Recognizer]
    detector: str
    choice: Choice
    stopping: Stopping | None

    def on(self, names: list[str]) -> tuple[list[str], list[Result | None]]:
        """Vote on some files; None stands for one that is neither picture nor film."""
        own = self.recognizer()
        found: list[list[tuple[Detection, FaceVector]] | FilmRows | str | None] = []
        for name in names:
            if self._is_stopped():
                return [], []
            found.append(self._find(name, own))
        judged = iter(own.vote([face for faces in found if isinstance(faces, list) for face in faces]))
        return names, [[next(judged) for _ in faces] if isinstance(faces, list) else faces for faces in found]

    def _is_stopped(self) -> bool:
        return self.stopping is not None and self.stopping.is_set()

    def _find(self, name: str, own: Recognizer) -> list[tuple[Detection, FaceVector]] | FilmRows | str | None:
        try:
            content = self.source.read(name)
            return self._film(name, content, own.models) if is_animation(content) else own.find_in(decode(content))
        except NotAPictureError as error:
            if is_film(error.kind):
                return self._film(name, None, own.models)
            return str(error) if is_to_be_told(name, error) else None
        except ImageError as error:
            return str(error)

    def _film(self, name: str, content: bytes | None, models: Ensemble) -> FilmRows | str | None:
        """Vote on a film, on one core: others work on other files."""
        watch = FilmWatch(models, self.choice, detector=self.detector, cores=1)
        texts = []
        try:
            with self.source.open(name) as file, open_film(file if content is None else content) as film:
                for look in watch.looks(film, self._is_stopped):
                    if look.moment is not None:
                        texts.append(self.form.moment(name, look.moment))
                note = note_on(film)
        except NoVideoError:
            return None
        except FilmError as error:
            return str(error)
        except OSError as error:
            return f"{UNREAD}: {error.strerror or error}."
        if note or not texts:
            texts.append(self.form.note(name, note))
        return FilmRows("".join(texts), len(texts) - bool(note), note)


def _recognize(
    work: _Work, file: TextIO, done: NDArray[np.uint64], unreadable: int, pool: Workers, progress: bool
) -> BulkSummary:
    summary = BulkSummary(unreadable=unreadable)
    with tqdm(unit="file", disable=None if progress else True) as bar:
        batches = _batches(_names(work.source, summary.passed_over), work.form, done, summary, bar)
        for names, results in pool.map(work.on, batches):
            for name, result in zip(names, results, strict=True):
                _count(name, result, summary)
                if result is not None:
                    file.write(result.text if isinstance(result, FilmRows) else work.form.text(name, result))
            file.flush()
            _check_in_place(file)
            bar.update(len(names))
    return summary


def _count(name: str, result: Result | None, summary: BulkSummary) -> None:
    if result is None:
        summary.passed_over.add(name)
    elif isinstance(result, FilmRows):
        summary.films += 1
        summary.moments += result.moments
        summary.unreadable += bool(result.note)
    else:
        summary.pictures += 1
        summary.unreadable += isinstance(result, str)
        summary.faces += 0 if isinstance(result, str) else len(result)


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
    names: Iterator[str], form: Form, done: NDArray[np.uint64], summary: BulkSummary, bar: tqdm
) -> Iterator[list[str]]:
    """Give the names that are not done, so many at a time of those that there are: a rerun has the same batches. Films
    go alone.
    """
    while listed := list(itertools.islice(names, _BATCH_PICTURES)):
        new = [name for name in listed if not _is_in(done, form.key(name))]
        summary.done_before += len(listed) - len(new)
        bar.update(len(listed) - len(new))
        for alone, some in itertools.groupby(new, lambda name: is_named_as_film(name) and name):
            yield [alone] if alone else list(some)


def _size(output: Path) -> int:
    return output.stat().st_size if output.is_file() else 0


def _recognizer_of(folder: str, checksum: str, detector: str) -> Recognizer:
    return Recognizer(same_models(folder, checksum), DETECTORS[detector]())


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


def _keep_whole(output: Path, form: Form, is_whole: bool) -> tuple[NDArray[np.uint64], int]:
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
