"""Moments of a session that have a word, and stretches of it that do not count."""

import math
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion.errors import SessionError

MOST_CHARACTERS: Final = 60
MOST_MARKS: Final = 1_000
"""Of a session; and as many pauses."""
LONGEST_SESSION: Final = 1e8
"""Seconds, three years: no session, and no film, has a later moment."""


@dataclass(frozen=True, slots=True)
class TimeMark:
    """A moment that has a word, as in "question 1".

    Attributes
    ----------
    seconds : float, >= 0, as those of `emotion.streams.record.Moment`
    text : str, 1 to `MOST_CHARACTERS` characters in one line

    Raises
    ------
    SessionError
        If the text is empty or too long.
    ValueError
        If the seconds are no time of a session.
    """

    seconds: float
    text: str

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= LONGEST_SESSION:
            raise ValueError(f"no time of a session: {self.seconds}")
        if not self.text:
            raise SessionError("The mark has no word: say what happens at this moment.")
        if len(self.text) > MOST_CHARACTERS:
            raise SessionError(f"The word of a mark has at most {MOST_CHARACTERS} characters: use a shorter one.")
        if self.text != one_line(self.text):
            raise ValueError("the text of a mark is one line")


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch that no sum, table or chart counts.

    Attributes
    ----------
    start : float, seconds, >= 0, as those of `emotion.streams.record.Moment`
    end : float, later than the start; infinite while it goes on

    Raises
    ------
    ValueError
        If it is no stretch of time.
    """

    start: float
    end: float = math.inf

    def __post_init__(self) -> None:
        if not (0 <= self.start <= LONGEST_SESSION and self.start < self.end):
            raise ValueError(f"no stretch of time: {self.start} to {self.end}")

    def __contains__(self, seconds: float) -> bool:
        """Whether a moment lies in it."""
        return self.start <= seconds < self.end


class Marking:
    """The marks and the pauses of a session that goes on. May be shared between threads."""

    def __init__(self) -> None:
        self._marks: list[TimeMark] = []
        self._pauses: list[Pause] = []
        self._lock = threading.Lock()

    def mark(self, text: str, seconds: float) -> TimeMark:
        """Set a mark.

        Parameters
        ----------
        text : str, as somebody typed it; see `one_line`
        seconds : float, >= 0, from the first frame

        Returns
        -------
        TimeMark

        Raises
        ------
        SessionError
            If the text is empty or too long, or there are too many marks.
        """
        mark = TimeMark(seconds, one_line(text))
        with self._lock:
            if len(self._marks) >= MOST_MARKS:
                raise SessionError(f"A session has at most {MOST_MARKS:,} marks: save it, and start another one.")
            self._marks = sorted([*self._marks, mark], key=lambda mark: mark.seconds)
        return mark

    def pause(self, seconds: float) -> None:
        """Begin a pause; where there is one already, do nothing.

        Parameters
        ----------
        seconds : float, >= 0, from the first frame

        Raises
        ------
        SessionError
            If there are too many pauses.
        """
        with self._lock:
            if self._is_paused:
                return
            if len(self._pauses) >= MOST_MARKS:
                raise SessionError(f"A session has at most {MOST_MARKS:,} pauses: save it, and start another one.")
            self._pauses.append(Pause(max(seconds, self._pauses[-1].end) if self._pauses else seconds))

    def resume(self, seconds: float) -> None:
        """End the pause, if there is one.

        Parameters
        ----------
        seconds : float, from the first frame
        """
        with self._lock:
            if self._is_paused:
                begun = self._pauses.pop()
                if seconds > begun.start:
                    self._pauses.append(replace(begun, end=seconds))

    @property
    def _is_paused(self) -> bool:
        return bool(self._pauses) and math.isinf(self._pauses[-1].end)

    def marks(self) -> tuple[TimeMark, ...]:
        """Give all marks.

        Returns
        -------
        tuple of TimeMark, oldest first
        """
        with self._lock:
            return tuple(self._marks)

    def pauses(self) -> tuple[Pause, ...]:
        """Give all pauses.

        Returns
        -------
        tuple of Pause, oldest first; the end of the last is infinite while it goes on
        """
        with self._lock:
            return tuple(self._pauses)


def counts_at(seconds: Sequence[float], pauses: Sequence[Pause]) -> NDArray[np.bool_]:
    """Tell which moments lie in no pause.

    Parameters
    ----------
    seconds : sequence of n float
    pauses : sequence of Pause, in any order

    Returns
    -------
    ndarray of shape (n,), bool
    """
    if not pauses:
        return np.ones(len(seconds), dtype=bool)
    starts, ends = np.array(sorted((pause.start, pause.end) for pause in pauses)).T
    begun = np.searchsorted(starts, np.asarray(seconds, dtype=np.float64), side="right")
    latest_end = np.concatenate([[0.0], np.maximum.accumulate(ends)])
    return np.asarray(latest_end[begun] <= np.asarray(seconds))


def one_line(text: str) -> str:
    """Make one line of what somebody typed.

    Parameters
    ----------
    text : str

    Returns
    -------
    str, without control characters and lone surrogates, single spaces between words, none at the ends
    """
    kinds = ((unicodedata.category(c), c) for c in text)
    kept = (" " if kind in ("Cc", "Zl", "Zp") else c for kind, c in kinds if kind != "Cs")
    return " ".join("".join(kept).split())
