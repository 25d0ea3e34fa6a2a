"""What commands say on standard output."""

import os
import shlex
import sys
from pathlib import Path

from emotion.errors import OutputError


def say(text: str) -> None:
    """Print a text at once; characters that the terminal's encoding lacks are spelled out, as ``\\u9ad8`` is.

    Ends the program where nobody reads any more, as after ``| head``: quietly, with the status 141 that a shell gives.

    Parameters
    ----------
    text : str

    Raises
    ------
    OutputError
        If it cannot be written, as where the disk is full that it goes to.
    """
    encoding = sys.stdout.encoding or "utf-8"  # a buffer in its place has none
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except OSError as error:
        # What was not written would be tried again, and told, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(141)
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from error


def from_here(path: Path) -> Path:
    """Write a path as short as it can be typed.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path, relative where it lies in the folder that one works in
    """
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def typed(*words: str) -> str:
    """Say what to type to have this Python run something.

    Parameters
    ----------
    words : str, behind the name of the Python

    Returns
    -------
    str, for a shell
    """
    python = from_here(Path(sys.executable))
    return shlex.join([python.name if python.is_absolute() else str(python), *words])
