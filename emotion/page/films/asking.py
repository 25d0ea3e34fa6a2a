"""What a visitor asks for: a film, and which piece of it is looked at how often."""

import math
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit

from emotion.errors import FetchError, FilmError
from emotion.faces.fetch import Limits, fetch
from emotion.faces.files.kinds import JSON, WEB_PAGE, kind_of
from emotion.faces.files.texts import FIRST_BYTES
from emotion.streams.films.watching import Choice

MOST_SECONDS: Final = 1800.0
"""Of a film, from the start that was chosen: so much is looked at at one time."""

FETCHED: Final = Limits("film", 120.0, 200_000_000)
"""Of an address. A film is on disk meanwhile, and looked at for longer than it is fetched."""

_TIME: Final = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,6}(?:[.,]\d{1,3})?)")


@dataclass(frozen=True)
class Asked:
    """A film that a visitor asked for.

    Attributes
    ----------
    name : str, of the file, or the address
    open : callable that gives the film as a binary file that can seek, filled later by `fill`
    fill : callable that fills the file
    choice : Choice
    wished_end : float, seconds; that of the choice may be sooner
    """

    name: str
    open: Callable[[], BinaryIO]
    fill: Callable[[BinaryIO], None]
    choice: Choice
    wished_end: float


def seconds_of(text: str) -> float | None:
    """Read a time as people write it.

    Parameters
    ----------
    text : str, such as ``1:30``, ``1:02:03``, ``90`` or ``1:30.5``

    Returns
    -------
    float, seconds; None if it is no time
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def piece_of(start: str, end: str, every: float) -> tuple[Choice, float]:
    """Read which piece of a film is asked for.

    Parameters
    ----------
    start, end : str, times; empty for the beginning and the end of the film
    every : float, seconds from one vote to the next

    Returns
    -------
    choice : Choice, of at most `MOST_SECONDS`
    wished_end : float, seconds

    Raises
    ------
    FilmError
        If a time cannot be read, or the end does not come after the start.
    """
    times = []
    for which, text, usual in (("start", start, 0.0), ("end", end, math.inf)):
        time = seconds_of(text) if text.strip() else usual
        if time is None:
            raise FilmError(f"The {which} is no time: write it as minutes and seconds, as in 1:30.")
        times.append(time)
    begin, wished_end = times
    if wished_end <= begin:
        raise FilmError(
            "The end comes before the start: choose a later one, or leave it empty for the end of the film."
        )
    return Choice(every, begin, min(wished_end, begin + MOST_SECONDS)), wished_end


def fetch_film(address: str, into: BinaryIO) -> None:
    """Fetch a film.

    Parameters
    ----------
    address : str, as for `emotion.faces.fetch.fetch`
    into : binary file

    Raises
    ------
    FetchError
        As `emotion.faces.fetch.fetch`; and if there is a web page.
    """
    answer = fetch(address, FETCHED.seconds, FETCHED, into)
    into.seek(0)
    kind = kind_of(into.read(FIRST_BYTES))
    into.seek(0)
    if kind == WEB_PAGE or (kind.family == "text" and kind != JSON and "html" in answer.content_type.lower()):
        raise FetchError(
            "The address leads to a web page, not to a film: download the film where the page offers that, and choose "
            "the file."
        )


def temporary_file() -> BinaryIO:
    """Give a file on disk that is gone when it is closed, or when the server ends.

    Returns
    -------
    binary file that can be written and seek
    """
    return tempfile.TemporaryFile(prefix="emotion-film-")  # whoever asked closes it


def name_of(address: str) -> str:
    """Give the name of the file that an address leads to.

    Parameters
    ----------
    address : str

    Returns
    -------
    str; the host where the address names no file
    """
    parts = urlsplit(address)
    return unquote(parts.path).rstrip("/").rpartition("/")[2] or parts.netloc
