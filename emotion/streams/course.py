"""The course of votes on a face over time, as charts in SVG that tell in words what they show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion.streams.drawing import expression_colour
from emotion.streams.record import Moment, Summary, held_votes
from emotion.streams.session.percents import shares_told

COLUMNS: Final = 720
"""So many steps a chart has at most from left to right: more are not seen."""
_HEIGHT: Final = 60
"""Steps from a probability of 0 to one of 1."""
_LOW: Final = 35
"""From here down, a vote that is uncertain is drawn."""
_MOST_TOLD: Final = 12
"""Stretches of a label that a chart tells those who do not see it; the longest."""
_WIDE_SHARE: Final = 0.075
"""Of a chart's width, from which on a stretch has room for its word."""
_TICKS: Final = 6
_STEPS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Seconds, from one mark of the time to the next."""


def clock(seconds: float) -> str:
    """Write a time.

    Parameters
    ----------
    seconds : float, >= 0

    Returns
    -------
    str, such as ``1:05``, ``1:05.2`` or ``1:00:05``
    """
    tenths = round(10 * seconds)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest // 10:02d}" + (f".{rest % 10}" if rest % 10 else "")
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"


@dataclass(frozen=True, slots=True)
class Span:
    """The time from the left edge of a chart to its right edge.

    Attributes
    ----------
    start, end : float, seconds; the end is later
    """

    start: float
    end: float

    def place(self, seconds: float) -> float:
        """Give a time's place in a chart.

        Parameters
        ----------
        seconds : float, from start to end

        Returns
        -------
        float, 0-1
        """
        return (seconds - self.start) / (self.end - self.start)


def time_marks(span: Span) -> str:
    """Write the times that stand below a chart.

    Parameters
    ----------
    span : Span

    Returns
    -------
    str, HTML
    """
    length = span.end - span.start
    step = next((step for step in _STEPS if length / step <= _TICKS), length / _TICKS)
    marks = [step * k for k in range(math.ceil(span.start / step - 1e-6), math.floor(span.end / step + 1e-6) + 1)]
    return "".join(f'<span style="left:{span.place(mark):.1%}">{clock(mark)}</span>' for mark in marks)


@dataclass(frozen=True)
class Course:
    """The course of one face, as it is drawn.

    Attributes
    ----------
    classes : sequence of str
    span : Span
    labels : ndarray of shape (COLUMNS,), int: the class that was elected for most of a column's time, -1 where the face
        was not seen
    doubtful : ndarray of shape (COLUMNS,), bool: whether that vote was uncertain
    probabilities : ndarray of shape (n_classes, COLUMNS), 0-1, means over a column's time
    """

    classes: Sequence[str]
    span: Span
    labels: NDArray[np.intp]
    doubtful: NDArray[np.bool_]
    probabilities: NDArray[np.float64]

    @classmethod
    def of(cls, number: int, moments: Sequence[Moment], classes: Sequence[str], span: Span, smoothed: bool) -> "Course":
        """Work out the course of one face.

        Parameters
        ----------
        number : int, of the face
        moments : sequence of Moment, oldest first
        classes : sequence of str
        span : Span, from the first moment to when the last one's labels cease to hold
        smoothed : bool, whether smoothed votes are drawn, or those that the models gave

        Returns
        -------
        Course
        """
        n = len(classes)
        held = list(held_votes(moments, number, span.end, smoothed=smoothed))
        left = COLUMNS * np.array([span.place(start) for start, _, _ in held])
        right = COLUMNS * np.array([span.place(end) for _, end, _ in held])
        kinds = np.array([classes.index(vote.label) + n * vote.uncertain for _, _, vote in held])
        shares = np.array([[vote.probabilities.get(label, 0.0) for label in classes] for _, _, vote in held])
        # Each vote counts in each column for as long as it holds there.
        first = np.floor(left).astype(np.intp)
        counts = np.minimum(np.ceil(right).astype(np.intp), COLUMNS) - first
        rows = np.repeat(np.arange(len(held)), counts)
        columns = first[rows] + np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        lasted = np.minimum(columns + 1, right[rows]) - np.maximum(columns, left[rows])
        votes = np.zeros((2 * n, COLUMNS))
        np.add.at(votes, (kinds[rows], columns), lasted)
        probabilities = np.array([np.bincount(columns, lasted * shares[rows, i], COLUMNS) for i in range(n)])
        seen = votes.sum(axis=0)
        won = votes.argmax(axis=0)
        labels = np.where(seen > 0, won % n, -1)
        return cls(classes, span, labels, (won >= n) & (seen > 0), probabilities / np.maximum(seen, 1e-12))

    def _runs(self) -> list[tuple[int, int, int, bool]]:
        """Give the stretches of one label: its first column, the one after, the class, whether it is uncertain."""
        kinds = np.where(self.labels < 0, -1, 2 * self.labels + self.doubtful)
        borders = [0, *(np.flatnonzero(np.diff(kinds)) + 1), COLUMNS]
        return [
            (int(a), int(b), int(self.labels[a]), bool(self.doubtful[a]))
            for a, b in pairwise(borders)
            if self.labels[a] >= 0
        ]

    def band(self, number: int, summary: Summary, marks: Sequence[float] = (), chart: str = "") -> str:
        """Draw the votes as a band.

        Parameters
        ----------
        number : int, of the face
        summary : Summary, of it
        marks : sequence of float, seconds, at which a line is drawn
        chart : str, letters; tells the chart from others of a document that show a face of this number

        Returns
        -------
        str, HTML
        """
        runs = self._runs()
        paths: dict[tuple[int, bool], list[str]] = {}
        for a, b, label, doubtful in runs:
            top = _LOW if doubtful else 0
            paths.setdefault((label, doubtful), []).append(f"M{a} {top}h{b - a}v{_HEIGHT - top}h{a - b}z")
        grey = "".join(f"M{a} 0h{b - a}v{_HEIGHT}h{a - b}z" for a, b, _, doubtful in runs if doubtful)
        drawn = "".join(
            f'<path fill="{expression_colour(label)}" d="{"".join(parts)}"/>' for (label, _), parts in paths.items()
        )
        words = "".join(
            f'<span aria-hidden="true" style="left:{a / COLUMNS:.1%};width:{(b - a) / COLUMNS:.1%};'
            + ("top:0" if doubtful else f"color:{_ink(expression_colour(label))}")
            + f'">{escape(self.classes[label])}</span>'
            for a, b, label, doubtful in runs
            if b - a >= _WIDE_SHARE * COLUMNS
        )
        told = f"{shares_told(summary.shares, 1)} of the time. {self._told(runs)}"
        lines = "".join(f"M{COLUMNS * self.span.place(mark):.1f} 0v{_HEIGHT}" for mark in marks)
        return (
            _svg(
                f"{chart}b{number}",
                f"Votes on face {number} over time",
                told,
                f'<path class="doubt" id="{chart}d{number}" d="{grey}"/>{drawn}'
                f'<path class="mark" id="{chart}m{number}" d="{lines}"/>',
            )
            + words
        )

    def _told(self, runs: Sequence[tuple[int, int, int, bool]]) -> str:
        longest = sorted(sorted(runs, key=lambda run: run[0] - run[1])[:_MOST_TOLD])
        which = "In turn" if len(longest) == len(runs) else "The longest stretches"
        stretches = (
            f"{self.classes[label]} {clock(self._time(a))} to {clock(self._time(b))}" + " (uncertain)" * doubtful
            for a, b, label, doubtful in longest
        )
        return f"{which}: {', '.join(stretches)}."

    def _time(self, column: float) -> float:
        return self.span.start + (self.span.end - self.span.start) * column / COLUMNS

    def line(self, place: int, number: int, chart: str = "") -> str:
        """Draw the probability of a class as an area.

        Parameters
        ----------
        place : int, of the class
        number : int, of the face, whose band is drawn
        chart : str, as of the band

        Returns
        -------
        str, HTML
        """
        seen = self.labels >= 0
        heights = np.where(seen, np.rint(_HEIGHT * (1 - self.probabilities[place])), -1).astype(int)
        borders = [0, *(np.flatnonzero(np.diff(heights)) + 1), COLUMNS]
        path, is_open = [], False
        for a, b in pairwise(borders):
            if heights[a] < 0:
                path.append(f"V{_HEIGHT}z" if is_open else "")
                is_open = False
                continue
            path.append(f"{'' if is_open else f'M{a} {_HEIGHT}'}V{heights[a]}H{b}")
            is_open = True
        path.append(f"V{_HEIGHT}z" if is_open else "")
        label = self.classes[place]
        at = int(np.where(seen, self.probabilities[place], -1).argmax())
        told = (
            f"On average {self.probabilities[place][seen].mean():.0%}, at most {self.probabilities[place][at]:.0%}, at "
            f"{clock(self._time(at))}."
        )
        return _svg(
            f"{chart}p{number}-{place}",
            f"Probability of {label} for face {number} over time",
            told,
            f'<use href="#{chart}d{number}"/><path fill="{expression_colour(place)}" d="{"".join(path)}"/>'
            f'<use href="#{chart}m{number}"/>',
        )


def _svg(name: str, title: str, told: str, drawn: str) -> str:
    return (
        f'<svg viewBox="0 0 {COLUMNS} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(told)}</desc>{drawn}</svg>'
    )


def _ink(colour: str) -> str:
    """Choose black or white, whichever is told better from a ground (WCAG 2, relative luminance)."""
    red, green, blue = ((int(colour[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5))
    return "#000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#fff"
