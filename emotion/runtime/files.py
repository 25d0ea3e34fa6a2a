"""Files that are either whole or not there, and their names."""

import contextlib
import errno
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from emotion.errors import TrainingError


def printable(name: str) -> str:
    """Write a file's name so that any text file can hold it.

    Parameters
    ----------
    name : str, as the system gives it; bytes that are no UTF-8 are surrogates in it

    Returns
    -------
    str, with such bytes and line breaks spelled out, as in ``\\udcff`` and ``\\n``
    """
    return name.replace("\r", "\\r").replace("\n", "\\n").encode("utf-8", "backslashreplace").decode("utf-8")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; the file there takes the place of `path` when the block ends without an error.

    Parameters
    ----------
    path : Path
        Left as it is if the block raises, whatever it raises. Of a link, what it leads to is replaced.

    Yields
    ------
    Path, hidden, in the same folder, so that the exchange is one step

    Raises
    ------
    OSError
        If the file cannot be put into place, or what is there is no file: a folder, or a device such as /dev/null.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "something that is no file has this name", str(path))
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def put_into_place(new: Path, folder: Path) -> None:
    """Let a set of files take the place of those of the same names in a folder: as a whole, or not at all.

    The one step that decides is a renaming: until then the old ones count, from then on the new ones, which readers
    find either in the folder of this name or already in their places. What a process that was killed left there is put
    into its place first.

    Parameters
    ----------
    new : Path of a folder of files, of the name that readers look for, in the same file system; it is gone afterwards
    folder : Path

    Raises
    ------
    OSError
        If a file cannot be moved.
    """
    whole = folder / new.name
    _move_out_of(whole, folder)
    new.rename(whole)
    _move_out_of(whole, folder)


def _move_out_of(whole: Path, folder: Path) -> None:
    if whole.is_dir():
        for file in sorted(whole.iterdir()):
            file.replace(folder / file.name)
        whole.rmdir()


def prepare_folder(out: Path) -> None:
    """Make the folder of models if it is missing, and see that it can be written to: before hours of training.

    Parameters
    ----------
    out : Path

    Raises
    ------
    TrainingError
        If it cannot be made or written to.
    """
    with model_faults_told(out):
        (out / "fitted").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass


@contextlib.contextmanager
def model_faults_told(out: Path) -> Iterator[None]:
    """Tell in a sentence why models cannot be written.

    Parameters
    ----------
    out : Path, their folder

    Raises
    ------
    TrainingError
        In place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise TrainingError(f"The models cannot be written to {out}: {error.strerror or error}.") from error
