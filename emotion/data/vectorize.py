"""Folders of pictures -> the table of faces, a few pictures in memory at a time."""

import functools
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion import config
from emotion.data.folders.listing import Listing, Picture, picture_files
from emotion.data.folders.naming import read_labels
from emotion.data.tables.writing import about_part, check_output, face_writer, finish_parts, write_part
from emotion.errors import DatasetError, ImageError
from emotion.faces.crop import DETECTORS, FaceVectors, find_faces
from emotion.faces.decode import decode_image
from emotion.faces.files.kinds import NotAPictureError
from emotion.faces.files.walks import PassedOver, is_to_be_told
from emotion.runtime.cluster import Stopping, Workers, workers
from emotion.runtime.files import printable, replacing
from emotion.runtime.storage import UNREAD, Folder, is_address

_BATCH_PICTURES: Final = 64

_PART_PICTURES: Final = 2048

_SMALL_SIDE: Final = 256
"""Pixels; public data sets of faces that were cut out have sides of 48 to 224."""

UNREADABLE_FILE: Final = "_unreadable.txt"


@dataclass
class Summary:
    """What became of a folder of pictures.

    Attributes
    ----------
    files : int, how many were opened
    faces : dict of str to int, rows written for each label; 0 for a folder in which there was no face
    without_face : int, pictures that could be read and in which no face was found
    small_without_face : int, those of them that are square and small, as faces are that somebody cut out
    unreadable : list of (file, reason)
    passed_over : PassedOver, files that are no pictures, or lie where none are looked for
    """

    files: int = 0
    faces: Counter[str] = field(default_factory=Counter)
    without_face: int = 0
    small_without_face: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    passed_over: PassedOver = field(default_factory=PassedOver)

    def add(self, other: "Summary") -> None:
        """Count another one's files, too."""
        self.files += other.files
        self.faces.update(other.faces)
        self.without_face += other.without_face
        self.small_without_face += other.small_without_face
        self.unreadable += other.unreadable
        self.passed_over.update(other.passed_over)


@dataclass
class Batch:
    """The faces of some pictures, in order: pixels of shape (n, 2304), uint8, with labels, files and parts."""

    summary: Summary
    pixels: FaceVectors
    labels: list[str]
    names: list[str]
    parts: list[str]


@dataclass(frozen=True)
class Way:
    """How faces come out of pictures.

    Attributes
    ----------
    detector : str, a key of `emotion.faces.crop.DETECTORS`
    whole : bool, whether each picture is a face already, and none is sought
    """

    detector: str = "yunet"
    whole: bool = False

    @property
    def name(self) -> str:
        """Changes with all that decides which faces are found and how they are cut out."""
        return "whole" if self.whole else DETECTORS[self.detector]().name


USUAL_WAY: Final = Way()


def faces_of_file(folder: Folder, name: str, way: Way = USUAL_WAY) -> tuple[list[NDArray[np.uint8]], bool]:
    """Cut the faces out of one picture file.

    Parameters
    ----------
    folder : Folder
    name : str, below the folder
    way : Way

    Returns
    -------
    faces : list of ndarray of shape (2304,), uint8, largest face first
    is_small : bool, whether the picture is small and square, as faces are that somebody cut out

    Raises
    ------
    ImageError
        If the file cannot be read; `NotAPictureError` if it is something else.
    DetectorError
        If the detector's file is missing or is another one.
    StorageError
        If the folder is gone.
    """
    image_bgr = decode_image(folder.read(name))
    found = find_faces(image_bgr, DETECTORS[way.detector](), whole=way.whole)
    height, width = image_bgr.shape[:2]
    return [vector for _, vector in found], height == width <= _SMALL_SIDE


def read_batch(folder: Folder, way: Way, stopping: Stopping | None, pictures: Sequence[Picture]) -> Batch:
    """Cut the faces out of several picture files.

    Parameters
    ----------
    folder : Folder
    way : Way
    stopping : Stopping, optional; once it is set, no further file is read, and what is given is of no use
    pictures : sequence of Picture

    Returns
    -------
    Batch

    Raises
    ------
    DetectorError, StorageError
        As `faces_of_file`.
    """
    batch = Batch(Summary(files=len(pictures)), np.empty((0, config.N_PIXELS), np.uint8), [], [], [])
    vectors: list[NDArray[np.uint8]] = []
    for picture in pictures:
        if stopping is not None and stopping.is_set():
            break
        name = printable(picture.name)
        try:
            found, is_small = faces_of_file(folder, picture.name, way)
        except ImageError as error:
            if isinstance(error, NotAPictureError) and not is_to_be_told(name, error):
                batch.summary.passed_over.add(name)
                batch.summary.files -= 1
            else:
                batch.summary.unreadable.append((name, str(error)))
            continue
        batch.summary.without_face += not found
        batch.summary.small_without_face += not found and is_small
        vectors += found
        batch.labels += [picture.label] * len(found)
        batch.names += [name] * len(found)
        batch.parts += [picture.part] * len(found)
    if vectors:
        batch.pixels = np.stack(vectors)
    batch.summary.faces = Counter(batch.labels)
    return batch


def vectorize(
    folder: Path | str,
    output: Path | str,
    *,
    keep_names: bool = False,
    labels: Path | str | None = None,
    way: Way = USUAL_WAY,
    dask: str | None = None,
    progress: bool = True,
    remark: Callable[[str], None] = lambda sentence: None,
) -> Summary:
    """Write every face of ``folder/<emotion>/*`` into a table of faces; see `folders.listing.picture_files`.

    The same folder gives the same bytes each time, whoever does the work. Unreadable files are listed in a text file
    beside the table, named after it with the ending ``.unreadable.txt`` (in a folder of parts, ``_unreadable.txt``);
    where all could be read, there is no such file.

    Parameters
    ----------
    folder : path, or an address that fsspec knows
    output : path or address
        Where it is an address, a folder, or ends in a slash: a folder for parts of the table, each of 2,048 pictures,
        which whoever read the pictures writes. A run that was broken off goes on with the parts that are there. Else a
        file, see `emotion.data.tables.writing.face_writer`; only replaced when all is done.
    keep_names : bool
        Whether to add the column ``file``: the path below `folder`, with forward slashes.
    labels : path or address, optional
        Of a list of labels, see `emotion.data.folders.naming.read_labels`; the folders' names do not count then.
    way : Way, how faces come out of the pictures
    dask : str, optional
        The address of a Dask scheduler, whose workers do the work; they must find `folder`, and a folder for parts,
        under the same names.
    progress : bool
        Whether to draw a progress bar on standard error.
    remark : callable, given sentences on what was found in the folder, before the work begins

    Returns
    -------
    Summary

    Raises
    ------
    DatasetError
        If the folder has no pictures, none of them has a face, the list of labels is none, or the table cannot be
        written.
    DetectorError
        If the detector's file is missing or is another one.
    StorageError
        If a folder cannot be listed, read or written.
    ClusterError
        If the cluster is not there, or is lost, or a process of this machine is killed.
    """
    if not str(output):
        raise DatasetError("Name the table that is to be written.")
    source = Folder(folder)
    check_output(output)
    in_parts = is_address(output) or str(output).endswith(("/", os.sep)) or os.path.isdir(output)  # noqa: PTH112
    # Reading a small picture is Python's own work; what comes from far away is waited for, which threads do as well.
    here = not is_address(folder) and not is_address(output)
    with workers(dask, processes=here) as pool:  # a cluster that is not there is told before a long listing
        pictures = picture_files(source, None if labels is None else read_labels(labels))
        for sentence in pictures.remarks:
            remark(sentence)
        with tqdm(total=len(pictures), unit="file", disable=None if progress else True) as bar:
            if in_parts:
                return _write_parts(source, pictures, Folder(output), keep_names, way, pool, bar)
            return _write_table(source, pictures, Path(output), keep_names, way, pool, bar)


def _write_table(
    source: Folder, pictures: Listing, output: Path, keep_names: bool, way: Way, pool: Workers, bar: tqdm
) -> Summary:
    summary = Summary(faces=Counter(dict.fromkeys(pictures.labels, 0)), passed_over=pictures.passed_over)
    with face_writer(output, keep_names, pictures.has_parts) as writer:
        for batch in pool.map(
            functools.partial(read_batch, source, way, pool.stopping), pictures.parts(_BATCH_PICTURES)
        ):
            if len(batch.pixels):
                writer.write(batch.pixels, batch.labels, batch.names, batch.parts)
            summary.add(batch.summary)
            bar.update(batch.summary.files + batch.summary.passed_over.total())
        _check_faces(summary, source)
    side_file = output.with_suffix(".unreadable.txt")
    try:
        if summary.unreadable:
            with replacing(side_file) as partial:
                partial.write_text(_unreadable_lines(summary), encoding="utf-8")
        else:
            side_file.unlink(missing_ok=True)
    except OSError as error:
        raise DatasetError(
            f"{output} is written, but not the list of unreadable files {side_file}: {error.strerror or error}."
        ) from error
    return summary


def _write_parts(
    source: Folder, pictures: Listing, output: Folder, keep_names: bool, way: Way, pool: Workers, bar: tqdm
) -> Summary:
    summary = Summary(faces=Counter(dict.fromkeys(pictures.labels, 0)), passed_over=pictures.passed_over)
    names: list[str] = []
    write = functools.partial(_write_part, source, output, (keep_names, pictures.has_parts), way, pool.stopping)
    for name, done in pool.map(write, enumerate(pictures.parts(_PART_PICTURES))):
        names.append(name)
        summary.add(done)
        bar.update(done.files + done.passed_over.total())
    _check_faces(summary, source)
    if summary.unreadable:
        output.write(UNREADABLE_FILE, _unreadable_lines(summary).encode())
    elif UNREADABLE_FILE in {file.name for file in output.entries()[1]}:
        output.remove(UNREADABLE_FILE)
    finish_parts(output, names)
    return summary


def _write_part(
    source: Folder,
    output: Folder,
    keep: tuple[bool, bool],
    way: Way,
    stopping: Stopping | None,
    numbered: tuple[int, list[Picture]],
) -> tuple[str, Summary]:
    """Write a part of the table, unless it is there and whole: under a name that says which state of which pictures it
    is of. Files that could not be read, as where a disk was not there, are asked for again.
    """
    number, pictures = numbered
    # How faces are found and cut out belongs to it: a later version of this program must not go on with other faces.
    key = repr((str(source), keep, way.name, pictures))
    name = (
        f"part-{number:06}-{hashlib.blake2b(key.encode(errors='backslashreplace'), digest_size=8).hexdigest()}.parquet"
    )
    about = about_part(output, name)
    if about is None or any(why.startswith(UNREAD) for _, why in about["unreadable"]):
        batch = read_batch(source, way, stopping, pictures)
        if stopping is not None and stopping.is_set():
            return name, batch.summary
        write_part(output, name, (batch.pixels, batch.labels, batch.names, batch.parts), vars(batch.summary), *keep)
        return name, batch.summary
    return name, Summary(
        about["files"],
        Counter(about["faces"]),
        about["without_face"],
        about["small_without_face"],
        [(file, why) for file, why in about["unreadable"]],
        PassedOver(about["passed_over"]),
    )


def _check_faces(summary: Summary, source: Folder) -> None:
    if summary.faces.total():
        return
    read = summary.files - len(summary.unreadable)
    if not read and summary.unreadable:
        name, why = summary.unreadable[0]
        raise DatasetError(f"No picture of {source} can be read ({summary.files:,} files). {name}: {why}")
    if not read:
        raise DatasetError(
            f"{source} holds no pictures where they are looked for: check what lies there. {summary.passed_over}"
        )
    others = f" {len(summary.unreadable):,} others cannot be read." if summary.unreadable else ""
    small = " If they are faces that somebody cut out, add --faces." if summary.small_without_face else ""
    pictures = "the picture" if read == 1 else f"the {read:,} pictures"
    raise DatasetError(f"No face was found in {pictures} of {source}.{others}{small}")


def _unreadable_lines(summary: Summary) -> str:
    return "".join(f"{name}\t{reason}\n" for name, reason in summary.unreadable)
