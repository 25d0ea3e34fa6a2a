"""What a webcam session has seen: votes over time, what they sum up to, and the table that a visitor may take home."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Final

from emotion.tables import to_csv, vote_cells, vote_columns
from emotion.voting import Vote

MOST_MOMENTS: Final = 20_000
"""Older ones are dropped, so that a page left open does not fill the memory: after eleven hours at one vote in 2 s."""


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One face at one moment.

    Attributes
    ----------
    number : int, of the face; see `emotion.tracking.Track`
    vote : Vote, as the models gave it
    smoothed : Vote, see `emotion.voting.VoteSmoother`
    """

    number: int
    vote: Vote
    smoothed: Vote

    def shown(self, *, smoothed: bool) -> Vote:
        """Choose between the two votes."""
        return self.smoothed if smoothed else self.vote


@dataclass(frozen=True, slots=True)
class Moment:
    """The outcome of one vote of a session.

    Attributes
    ----------
    seconds : float, >= 0, from the first frame of the session
    utc : datetime, with its time zone
    faces : tuple of FaceRecord, largest face first; empty where none was seen
    """

    seconds: float
    utc: datetime
    faces: tuple[FaceRecord, ...]


class SessionRecord:
    """The moments of a session, the newest `MOST_MOMENTS` of them. May be shared between threads."""

    def __init__(self) -> None:
        self._moments: deque[Moment] = deque(maxlen=MOST_MOMENTS)
        self._lock = threading.Lock()

    def add(self, moment: Moment) -> None:
        """Keep a moment.

        Parameters
        ----------
        moment : Moment, later than those before
        """
        with self._lock:
            self._moments.append(moment)

    def moments(self) -> tuple[Moment, ...]:
        """Give what is kept.

        Returns
        -------
        tuple of Moment, oldest first
        """
        with self._lock:
            return tuple(self._moments)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a session sums up to, for the largest face of each moment.

    Attributes
    ----------
    seconds : float, >= 0, during which a face was seen
    shares : dict of label to float, 0-1, of those seconds; the longest first
    longest_label : str, of the longest stretch without a change
    longest_seconds : float, >= 0
    changes : int, how often the label of one moment differed from that of the moment before
    """

    seconds: float
    shares: dict[str, float]
    longest_label: str
    longest_seconds: float
    changes: int


def labels_over_time(moments: Sequence[Moment], *, smoothed: bool) -> list[tuple[float, str | None]]:
    """Give the label of the largest face at each moment.

    Parameters
    ----------
    moments : sequence of Moment, oldest first
    smoothed : bool, whether smoothed votes count, or those that the models gave

    Returns
    -------
    list of (float, str or None): seconds, and the label, None where no face was seen
    """
    return [
        (moment.seconds, moment.faces[0].shown(smoothed=smoothed).label if moment.faces else None) for moment in moments
    ]


def summarize(moments: Sequence[Moment], *, smoothed: bool) -> Summary | None:
    """Sum up a session.

    A label holds until the next moment; that of the last moment has not lasted yet.

    Parameters
    ----------
    moments : sequence of Moment, oldest first
    smoothed : bool, whether smoothed votes count, or those that the models gave

    Returns
    -------
    Summary, or None as long as no face was seen from one moment to the next
    """
    labels = labels_over_time(moments, smoothed=smoothed)
    spans = [(label, end - start) for (start, label), (end, _) in pairwise(labels) if label]
    seconds = sum(length for _, length in spans)
    if seconds <= 0:
        return None
    totals: dict[str, float] = {}
    for label, length in spans:
        totals[label] = totals.get(label, 0.0) + length
    stretches: list[tuple[str, float]] = []
    for told, group in groupby(pairwise(labels), key=lambda pair: pair[0][1]):
        if told:
            stretches.append((told, sum(end - start for (start, _), (end, _) in group)))
    longest_label, longest_seconds = max(stretches, key=lambda stretch: stretch[1])
    known = [label for _, label in labels]
    changes = sum(1 for a, b in pairwise(known) if a and b and a != b)
    shares = {label: total / seconds for label, total in sorted(totals.items(), key=lambda item: -item[1])}
    return Summary(seconds, shares, longest_label, longest_seconds, changes)


def session_csv(moments: Sequence[Moment], classes: Sequence[str], model_names: Sequence[str]) -> str:
    """Write a session as a table: one row a face and moment, and one without a face where none was seen.

    Parameters
    ----------
    moments : sequence of Moment
    classes : sequence of str
    model_names : sequence of str, in the order of the ballots

    Returns
    -------
    str
        CSV with the columns `utc` (ISO 8601), `seconds`, `face` (its number), those of `emotion.tables.vote_columns`
        for the votes that the models gave, and `smoothed_label`, which the page showed when smoothing.
    """
    votes = vote_columns(classes, model_names)
    rows: list[list[object]] = []
    for moment in moments:
        when = [moment.utc.isoformat(timespec="milliseconds"), f"{moment.seconds:.3f}"]
        rows += [[*when, face.number, *vote_cells(face.vote), face.smoothed.label] for face in moment.faces]
        if not moment.faces:
            rows.append([*when, *[""] * (len(votes) + 2)])
    return to_csv(["utc", "seconds", "face", *votes, "smoothed_label"], rows)
