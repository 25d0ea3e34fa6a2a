"""A film file -> its frames in turn, upright, each with its time: by `coded` films, or by animated pictures."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from emotion.errors import FilmError
from emotion.faces.files.kinds import EMPTY, UNKNOWN, Kind, kind_of
from emotion.faces.files.texts import FIRST_BYTES
from emotion.streams.films.reading.animations import open_animation
from emotion.streams.films.reading.coded import open_coded
from emotion.streams.films.reading.frames import READ, Film
from emotion.streams.films.reading.inputs import is_film


@contextmanager
def open_film(file: BinaryIO | bytes) -> Iterator[Film]:
    """Open a film.

    Parameters
    ----------
    file : bytes, or a binary file that can seek; MP4, MOV, WebM, Matroska, AVI, MPEG, Ogg, FLV or WMV, or an animated
        GIF, WebP or PNG

    Yields
    ------
    Film, open until the end of the block

    Raises
    ------
    FilmError
        If it is something else, damaged, encrypted, without video, coded in a way that is not read, or too large.
    """
    source: Any = io.BytesIO(file) if isinstance(file, bytes) else _Source(file)
    source.seek(0)
    kind = kind_of(source.read(FIRST_BYTES))
    source.seek(0)
    if kind.family == "picture":
        with open_animation(source, kind) as animation:
            yield animation
        return
    if not is_film(kind):
        raise FilmError(_told(kind))
    with open_coded(source, kind) as film:
        yield film


class _Source:
    """A file whose faults are told as such: storage behind an address raises errors that share no base."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        content: bytes = self._told(self._file.read, size)
        return content

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        now: int = self._told(self._file.seek, place, whence)
        return now

    def tell(self) -> int:
        now: int = self._told(self._file.tell)
        return now

    def _told(self, do: Callable[..., Any], *arguments: int) -> Any:
        try:
            return do(*arguments)
        except Exception as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise FilmError(f"The film's file cannot be read: {reason}.") from error


def _told(kind: Kind) -> str:
    if kind == EMPTY:
        return f"{kind.name}: {kind.advice}."
    if kind == UNKNOWN:
        return f"This is not a film in a known format: use {READ}."
    if kind.family == "film":
        return f"This is {kind.name}, which only names films: use the film itself."
    return f"This is {kind.name}, not a film: use {READ}."
