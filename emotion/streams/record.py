"""What a webcam session, or a film, has seen: votes over time, and what they sum up to."""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from emotion.faces.detect import Box
from emotion.streams.session.marks import Marking, Pause, counts_at
from emotion.vote.voting import Vote

MOST_VOTES: Final = 50_000
"""Older moments are dropped, so that a page left open does not fill the memory (70 MB then): after a day at one face
every two seconds, or three and a half hours at one every quarter."""

MOST_FACES: Final = 1_000
"""Of as many, those that came last, a session keeps what they sum up to."""

LONGEST_SECONDS: Final = 10.0
"""For so long at most a label holds until the next moment, twice the longest time between votes: where there was no
video for longer, nobody knows. The same of a film: between two moments that are further apart than votes it has no
frames, so that the picture stands still, as in a recording of a screen; or they are lost, as in a damaged one."""

LAST_SECONDS: Final = 0.2
"""For so long the labels of a film's last moment hold: the usual time from one vote to the next."""


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One face at one moment.

    Attributes
    ----------
    number : int, of the face; see `emotion.faces.tracking.Track`
    vote : Vote, as the models gave it
    smoothed : Vote, see `emotion.vote.voting.VoteSmoother`
    box : Box, pixels, where the face was
    """

    number: int
    vote: Vote
    smoothed: Vote
    box: Box

    def shown(self, *, smoothed: bool) -> Vote:
        """Choose between the two votes."""
        return self.smoothed if smoothed else self.vote


@dataclass(frozen=True, slots=True)
class Moment:
    """The outcome of one vote of a session, or of a film.

    Attributes
    ----------
    seconds : float, >= 0, from the first frame of the session, or the beginning of the film
    utc : datetime, with its time zone: that of the first frame, and the seconds since; None of a film
    faces : tuple of FaceRecord, largest face first; empty where none was seen
    frame : int, >= 0, its number in the film; None of a session
    interval_seconds : float, > 0, from one vote to the next, as it was set then; None of a film
    smoothing_seconds : float, >= 0, the time constant of the smoothed votes, as it was set then; None of a film
    """

    seconds: float
    utc: datetime | None
    faces: tuple[FaceRecord, ...]
    frame: int | None = None
    interval_seconds: float | None = None
    smoothing_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What votes on one face sum up to, in a session or a film.

    Attributes
    ----------
    seconds : float, >= 0, during which a face was seen
    shares : dict of label to float, 0-1, of those seconds; the longest first
    longest_label : str, of the longest stretch without a change
    longest_seconds : float, >= 0
    changes : int, how often the label of one moment differed from that of the moment before
    doubts : dict of cause to float, 0-1, of those seconds, during which votes were uncertain (`Vote.why`); the longest
        first
    first_seconds, last_seconds : float, of the first and the last moment at which a face was seen
    """

    seconds: float
    shares: dict[str, float]
    longest_label: str
    longest_seconds: float
    changes: int
    doubts: dict[str, float]
    first_seconds: float
    last_seconds: float

    @property
    def uncertain(self) -> float:
        """The share of the seconds, 0-1, during which votes were uncertain."""
        return sum(self.doubts.values())


class _Sum:
    """Sums the votes on a face up as a session goes on. A label holds until the next moment; that of the last has not
    lasted yet."""

    def __init__(self) -> None:
        self._totals: dict[str, float] = {}
        self._doubts: dict[str, float] = {}
        self._longest = (0.0, "")
        self._changes = 0
        self._first_seen: float | None = None
        self._last_seen = 0.0
        self._last_seconds = 0.0
        self._last_label: str | None = None
        self._last_doubt = ""
        self._stretch = 0.0

    def add(self, seconds: float, vote: Vote | None) -> None:
        label = None if vote is None else vote.label
        lasted = seconds - self._last_seconds
        if self._last_label is not None:
            held = min(lasted, LONGEST_SECONDS)
            self._totals[self._last_label] = self._totals.get(self._last_label, 0.0) + held
            if self._last_doubt:
                self._doubts[self._last_doubt] = self._doubts.get(self._last_doubt, 0.0) + held
            self._stretch += held
            self._longest = max(self._longest, (self._stretch, self._last_label), key=lambda stretch: stretch[0])
            self._changes += label is not None and label != self._last_label
        if label != self._last_label or lasted > LONGEST_SECONDS:
            self._stretch = 0.0
        self._last_seconds, self._last_label, self._last_doubt = seconds, label, "" if vote is None else vote.why
        if vote is not None:
            self._first_seen = seconds if self._first_seen is None else self._first_seen
            self._last_seen = seconds

    def summary(self) -> Summary | None:
        seconds = sum(self._totals.values())
        if seconds <= 0 or self._first_seen is None:
            return None
        shares, doubts = (
            {name: total / seconds for name, total in sorted(totals.items(), key=lambda item: -item[1])}
            for totals in (self._totals, self._doubts)
        )
        longest_seconds, longest_label = self._longest
        return Summary(
            seconds, shares, longest_label, longest_seconds, self._changes, doubts, self._first_seen, self._last_seen
        )


def summaries(moments: Sequence[Moment], *, smoothed: bool, lasts: float = LAST_SECONDS) -> dict[int, Summary]:
    """Sum up a session, or a film, for each of its faces.

    A label holds until the next moment, whether the face is seen there or not, for `LONGEST_SECONDS` at most.

    Parameters
    ----------
    moments : sequence of Moment, oldest first
    smoothed : bool, whether smoothed votes count, or those that the models gave
    lasts : float, seconds, > 0, for which the labels of the last moment hold; the time between votes

    Returns
    -------
    dict of int to Summary, by the number of the face, the one first that was seen longest
    """
    sums: dict[int, _Sum] = {}
    before: set[int] = set()
    for moment in moments:
        here = {face.number for face in moment.faces}
        for number in before - here:
            sums[number].add(moment.seconds, None)
        for face in moment.faces:
            sums.setdefault(face.number, _Sum()).add(moment.seconds, face.shown(smoothed=smoothed))
        before = here
    for number in before:
        sums[number].add(moments[-1].seconds + lasts, None)
    found = {number: summary for number, total in sums.items() if (summary := total.summary()) is not None}
    return dict(sorted(found.items(), key=lambda item: (-item[1].seconds, item[0])))


def without_pauses(moments: Sequence[Moment], pauses: Sequence[Pause], lasts: float) -> list[Moment]:
    """Leave out what lies in pauses.

    Parameters
    ----------
    moments : sequence of Moment, oldest first
    pauses : sequence of Pause, in any order
    lasts : float, seconds, > 0, for which the labels of the last moment hold

    Returns
    -------
    list of Moment, oldest first: those outside of pauses and, where a pause begins while their labels hold, one at
    which nobody is seen
    """
    counts = counts_at([moment.seconds for moment in moments], pauses)
    kept = [moment for moment, does in zip(moments, counts, strict=True) if does]
    if not kept or not pauses:
        return kept
    first, end = kept[0].seconds, kept[-1].seconds + lasts
    borders = [Moment(start, None, ()) for start in {pause.start for pause in pauses} if first < start < end]
    return sorted([*kept, *borders], key=lambda moment: moment.seconds)


def held_votes(
    moments: Sequence[Moment], number: int | None, end: float, *, smoothed: bool
) -> Iterator[tuple[float, float, Vote]]:
    """Give each vote on a face, and from when to when it holds, as `summaries` counts it.

    Parameters
    ----------
    moments : sequence of Moment, oldest first, without pauses
    number : int, of the face; None for the largest face of each moment
    end : float, seconds, when the votes of the last moment cease to hold
    smoothed : bool, whether smoothed votes count, or those that the models gave

    Yields
    ------
    (float, float, Vote): the seconds of its moment, those at which it holds no more, and the vote
    """
    for place, moment in enumerate(moments):
        later = moments[place + 1].seconds if place + 1 < len(moments) else end
        for face in moment.faces[:1] if number is None else moment.faces:
            if number in (None, face.number):
                until = min(later, moment.seconds + LONGEST_SECONDS)
                yield moment.seconds, until, face.shown(smoothed=smoothed)


class SessionRecord:
    """What a session has seen: its newest moments, and what all of them sum up to. May be shared between threads.

    Attributes
    ----------
    marking : Marking, its marks and its pauses; no moment of a pause is kept
    """

    def __init__(self) -> None:
        self.marking = Marking()
        self._moments: deque[Moment] = deque()
        self._votes = 0
        self._dropped = 0
        self._sums: dict[int, dict[bool, _Sum]] = {}
        self._here: frozenset[int] = frozenset()
        self._latest = 0.0
        self._lock = threading.Lock()

    def add(self, moment: Moment) -> None:
        """Keep a moment, in place of the oldest ones where there are more votes than `MOST_VOTES`; in a pause, don't.

        Parameters
        ----------
        moment : Moment, later than those before
        """
        pauses = self.marking.pauses()
        if any(moment.seconds in pause for pause in pauses):
            return
        with self._lock:
            paused = next((pause.start for pause in pauses if self._latest < pause.start < moment.seconds), None)
            self._sum_up(moment, paused)
            self._latest = moment.seconds
            self._moments.append(moment)
            self._votes += _votes(moment)
            while self._votes > MOST_VOTES and len(self._moments) > 1:
                self._votes -= _votes(self._moments.popleft())
                self._dropped += 1

    def _sum_up(self, moment: Moment, paused: float | None) -> None:
        here = frozenset(face.number for face in moment.faces)
        for number in self._here if paused is not None else self._here - here:
            for total in self._sums[number].values():
                total.add(moment.seconds if paused is None else paused, None)
        for face in moment.faces:
            for smoothed, total in self._sums.setdefault(face.number, {True: _Sum(), False: _Sum()}).items():
                total.add(moment.seconds, face.shown(smoothed=smoothed))
        self._here = here
        while len(self._sums) > MOST_FACES:  # the first that came, and is not here
            del self._sums[next(number for number in self._sums if number not in here)]

    def moments(self) -> tuple[Moment, ...]:
        """Give what is kept.

        Returns
        -------
        tuple of Moment, oldest first
        """
        with self._lock:
            return tuple(self._moments)

    @property
    def dropped(self) -> int:
        """How many of the oldest moments are kept no more."""
        return self._dropped

    def summary(self, number: int, *, smoothed: bool) -> Summary | None:
        """Sum up the whole session for one face, with the moments that are kept no more.

        Parameters
        ----------
        number : int, of the face
        smoothed : bool, whether smoothed votes count, or those that the models gave

        Returns
        -------
        Summary, or None as long as the face was not seen from one moment to the next
        """
        with self._lock:
            return self._sums[number][smoothed].summary() if number in self._sums else None


def _votes(moment: Moment) -> int:
    return max(len(moment.faces), 1)
