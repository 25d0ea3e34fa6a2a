"""What a film gives when it is read: its frames in turn, each with its time, and what was wrong with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from emotion.errors import FilmError
from emotion.faces.pixels import BGRImage

READ: Final = "MP4, MOV, WebM, MKV, AVI or an animated GIF"
"""What is recommended where something else was brought."""

MOST_SIDE: Final = 8192
"""Pixels; of larger pictures, no camera makes films."""
MOST_PIXELS: Final = 8192 * 4608
LONGEST_PICTURE: Final = 1920
"""Pixels; a frame is reduced to this on its longer side: faces are found in pictures of 1280, and cut out of this."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a film.

    Attributes
    ----------
    number : int, >= 0, how many come before it
    seconds : float, >= 0, when it is shown, from the beginning of the film
    picture : callable that gives it as a picture: ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red,
        upright, with square pixels, reduced to `LONGEST_PICTURE`. It may be called on another thread.
    scale : float, >= 1, so many pixels of the film are one of the picture
    """

    number: int
    seconds: float
    picture: Callable[[], BGRImage]
    scale: float = 1.0


@dataclass
class Faults:
    """What was wrong with a film, as far as it was read.

    Attributes
    ----------
    damaged : int, pieces that could not be decoded
    ended_at : float, seconds, where the file ends too early; None where it does not
    """

    damaged: int = 0
    ended_at: float | None = None


class Film(Protocol):
    """A film that is open. Not for several threads at once.

    Attributes
    ----------
    width, height : int, pixels, as it is shown
    duration : float, seconds, as far as the file says; 0 where it does not
    rate : float, frames a second, on average
    faults : Faults, which grow as frames are read
    """

    width: int
    height: int
    duration: float
    rate: float
    faults: Faults

    def frames(self, since: float = 0.0) -> Iterator[Frame]:
        """Give the frames in the order in which they are shown, those before `since` (seconds) left out where that
        saves time. Each call begins anew, and ends what was given before.

        Raises
        ------
        FilmError
            If no frame can be read.
        """
        ...


def check_size(width: int, height: int) -> None:
    """Refuse films of larger pictures than any camera's.

    Parameters
    ----------
    width, height : int, pixels

    Raises
    ------
    FilmError
    """
    if max(width, height) > MOST_SIDE or width * height > MOST_PIXELS:
        raise FilmError(
            f"The film's pictures are too large ({width} x {height} pixels); at most {MOST_SIDE} x "
            f"{MOST_PIXELS // MOST_SIDE} are read: reduce it in a video program."
        )


def note_on(film: Film) -> str:
    """Say what a user should know of a film that was read.

    Parameters
    ----------
    film : Film

    Returns
    -------
    str, a sentence or two; empty where there is nothing
    """
    told = []
    if film.faults.ended_at is not None:
        whole = f" of {film.duration:.1f}" if film.duration > film.faults.ended_at else ""
        told.append(f"The film ends too early: {film.faults.ended_at:.1f}{whole} seconds are there.")
    damaged = film.faults.damaged
    if damaged:
        told.append(
            "A piece of the film is damaged and was left out."
            if damaged == 1
            else f"{damaged:,} pieces of the film are damaged and were left out."
        )
    return " ".join(told)
