"""Folders of pictures -> the table of faces, a few pictures in memory at a time."""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion.dataset import face_writer
from emotion.errors import DatasetError, ImageError
from emotion.faces import FaceDetector, find_faces, read_picture
from emotion.files import printable, replacing
from emotion.labels import label_of

_BATCH_FILES: Final = 256


@dataclass
class Summary:
    """What became of a folder of pictures.

    Attributes
    ----------
    files : int, how many were opened
    faces : dict of str to int, rows written for each label
    without_face : int, pictures that could be read and in which no face was found
    unreadable : list of (file, reason)
    """

    files: int = 0
    faces: Counter[str] = field(default_factory=Counter)
    without_face: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def picture_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """List the files of ``folder/<emotion>/``, in sorted order, hidden ones left out.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    (str, Path), label and file

    Raises
    ------
    DatasetError
        If the folder is missing or holds no ``<emotion>`` folders with files, with the folder that was probably meant.
    """
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.")
    emotions = _visible(folder, directories=True)
    listed = ((label_of(emotion.name), file) for emotion in emotions for file in _visible(emotion, directories=False))
    first = next(listed, None)
    if first is None:
        meant = next((inner for inner in emotions if _visible(inner, directories=True)), None)
        hint = f" Name a folder further in, such as {meant}." if meant else ""
        raise DatasetError(f"{folder} must hold one folder of pictures for each emotion, and holds none.{hint}")
    yield first
    yield from listed


def _visible(folder: Path, *, directories: bool) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".") and _is(entry, directories)]
    except OSError as error:
        raise DatasetError(f"{folder} cannot be read: {error.strerror or error}.") from error
    return [folder / name for name in sorted(names)]


def _is(entry: os.DirEntry[str], directory: bool) -> bool:
    try:
        return entry.is_dir() if directory else entry.is_file()
    except OSError:  # a link that leads round in a circle; one that leads nowhere is passed over too
        return False


def faces_of_file(file: Path, detector: FaceDetector) -> list[NDArray[np.uint8]] | str:
    """Cut the faces out of one picture file.

    Parameters
    ----------
    file : Path
    detector : FaceDetector

    Returns
    -------
    list of ndarray of shape (2304,), uint8, largest face first; or, of a file that cannot be read, the reason

    Raises
    ------
    DetectorError
        If the detector's cascade file is missing or is not a cascade.
    """
    try:
        return [vector for _, vector in find_faces(read_picture(file), detector)]
    except ImageError as error:
        return str(error)


def vectorize(folder: Path | str, output: Path | str, *, keep_names: bool = False, progress: bool = True) -> Summary:
    """Write every face of ``folder/<emotion>/*`` into a table of faces.

    The same folder gives the same bytes each time. Unreadable files are listed in a text file beside the table,
    named after it with the ending ``.unreadable.txt``; where all could be read, there is no such file.

    Parameters
    ----------
    folder : path
    output : path
        See `emotion.dataset.face_writer`; only replaced when all is done.
    keep_names : bool
        Whether to add the column ``file``: the path below `folder`, with forward slashes.
    progress : bool
        Whether to draw a progress bar on standard error.

    Returns
    -------
    Summary

    Raises
    ------
    DatasetError
        If the folder has no pictures, none of them has a face, or the table cannot be written.
    DetectorError
        If the detector's cascade file is missing or is not a cascade.
    """
    folder, output = Path(folder), Path(output)
    files = list(picture_files(folder))
    detector = FaceDetector()
    summary = Summary()
    with (
        face_writer(output, keep_names) as writer,
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=len(files), unit="file", disable=not progress) as bar,
    ):
        for start in range(0, len(files), _BATCH_FILES):
            batch = files[start : start + _BATCH_FILES]
            results = pool.map(lambda item: faces_of_file(item[1], detector), batch)
            rows = []
            for (label, file), result in zip(batch, results, strict=True):
                name = printable(file.relative_to(folder).as_posix())
                rows += _count(summary, label, name, result)
                bar.update()
            if rows:
                vectors, labels, names = zip(*rows, strict=True)
                writer.write(np.stack(vectors), labels, names)
        if not summary.faces.total():
            raise DatasetError(f"No face was found in the {summary.files} files of {folder}.")
        _write_unreadable(summary, output)
    return summary


def _count(
    summary: Summary, label: str, name: str, result: list[NDArray[np.uint8]] | str
) -> list[tuple[NDArray[np.uint8], str, str]]:
    summary.files += 1
    if isinstance(result, str):
        summary.unreadable.append((name, result))
        return []
    summary.without_face += not result
    summary.faces[label] += len(result)
    return [(vector, label, name) for vector in result]


def _write_unreadable(summary: Summary, output: Path) -> None:
    side_file = output.with_suffix(".unreadable.txt")
    if not summary.unreadable:
        side_file.unlink(missing_ok=True)
        return
    with replacing(side_file) as partial:
        partial.write_text("".join(f"{name}\t{reason}\n" for name, reason in summary.unreadable), encoding="utf-8")
