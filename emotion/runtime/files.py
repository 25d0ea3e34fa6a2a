"""Files that are either whole or not there, and their names."""

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


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
