"""What reports show of a film or a session: charts of its faces, with shares and marks, and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Final

from emotion.streams.course import Course, Span, clock, time_marks
from emotion.streams.drawing import expression_colour
from emotion.streams.record import LAST_SECONDS, Moment, Summary, summaries, without_pauses
from emotion.streams.session.marks import Pause, TimeMark, counts_at
from emotion.streams.session.percents import percents, shares_told
from emotion.streams.session.shares import Seen, Share, seen_of, shares_of

MOST_MARKS_LISTED: Final = 200
_MOST_PAUSES_LISTED: Final = 20
_MOST_NUMBERED: Final = 40
"""Marks whose numbers stand above a chart: of more, they would lie on one another."""


@dataclass(frozen=True)
class Watched:
    """A film, or a session, as it is reported on.

    Attributes
    ----------
    moments : sequence of Moment, oldest first, without pauses
    votes : int, how many moments there were outside of pauses
    classes : sequence of str
    smoothed : bool, whether smoothed votes are shown, or those that the models gave
    lasts : float, seconds, for which the labels of the last moment hold
    marks : sequence of TimeMark, oldest first
    pauses : sequence of Pause, oldest first
    span : Span
    found : dict of int to Summary, by the number of the face, the one first that was seen longest
    """

    moments: Sequence[Moment]
    votes: int
    classes: Sequence[str]
    smoothed: bool
    lasts: float
    marks: Sequence[TimeMark]
    pauses: Sequence[Pause]
    span: Span
    found: dict[int, Summary]

    @classmethod
    def of(
        cls,
        moments: Sequence[Moment],
        classes: Sequence[str],
        *,
        smoothed: bool = True,
        lasts: float = LAST_SECONDS,
        marks: Sequence[TimeMark] = (),
        pauses: Sequence[Pause] = (),
    ) -> "Watched":
        """Sum up what was seen.

        Parameters
        ----------
        moments : sequence of Moment, oldest first
        classes, smoothed, lasts, marks, pauses : as the attributes

        Returns
        -------
        Watched
        """
        counts = counts_at([moment.seconds for moment in moments], pauses)
        times = [moment.seconds for moment, does in zip(moments, counts, strict=True) if does]
        kept = without_pauses(moments, pauses, lasts)
        span = Span(times[0], times[-1] + lasts) if times else Span(0.0, lasts)
        found = summaries(kept, smoothed=smoothed, lasts=lasts)
        return cls(kept, len(times), classes, smoothed, lasts, marks, pauses, span, found)

    def seen(self, number: int) -> Seen | None:
        """Give what was seen of a face, for its shares.

        Parameters
        ----------
        number : int

        Returns
        -------
        Seen, or None where the face was never seen
        """
        return seen_of(self.moments, self.classes, number, smoothed=self.smoothed, lasts=self.lasts)

    def told(self) -> str:
        """Say in a sentence what there is.

        Returns
        -------
        str
        """
        if not self.votes:
            return "There was no vote."
        faces = "1 face" if len(self.found) == 1 else f"{len(self.found):,} faces"
        votes = "once" if self.votes == 1 else f"{self.votes:,} times"
        first = self.moments[0]
        begun = f", begun {first.utc - timedelta(seconds=first.seconds):%Y-%m-%d %H:%M} UTC" if first.utc else ""
        times = f"{clock(self.span.start)} to {clock(self.span.end)}"
        return f"{faces}, looked at {votes} from {times} (minutes:seconds){begun}{self._left_out()}"

    def _left_out(self) -> str:
        if not self.pauses:
            return ""
        listed = self.pauses[:_MOST_PAUSES_LISTED]
        times = ", ".join(f"{clock(p.start)} to {clock(min(p.end, max(self.span.end, p.start)))}" for p in listed)
        more = len(self.pauses) - len(listed)
        return f". Left out as pauses: {times}{f' and {more:,} more' if more else ''}"

    def list_of_marks(self, of: str = "") -> str:
        """List the marks.

        Parameters
        ----------
        of : str, the name of the session, where a document has several

        Returns
        -------
        str, HTML; empty where there are none
        """
        if not self.marks:
            return ""
        rows = "".join(
            f'<tr><th scope="row">{number}</th><td>{clock(mark.seconds)}</td>'
            f'<td class="word"><bdi>{escape(mark.text)}</bdi></td></tr>'
            for number, mark in enumerate(self.marks[:MOST_MARKS_LISTED], start=1)
        )
        more = len(self.marks) - MOST_MARKS_LISTED
        rest = f'<p class="soft">{more:,} further marks are not listed.</p>' if more > 0 else ""
        return (
            '<h2>Marks</h2><div class="scroll" tabindex="0" role="region" '
            f'aria-label="All marks{escape(f" of {of}" if of else "")}"><table><thead><tr>'
            '<th scope="col">Mark</th><th scope="col">At</th><th scope="col" class="word">Word</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div>{rest}"
        )

    def chart(self, number: int, title: str = "", chart: str = "") -> str:
        """Draw the course of a face, with its shares.

        Parameters
        ----------
        number : int, of a face that was found
        title : str, in place of "Face 1"
        chart : str, letters that tell it from other charts of the document of a face of this number

        Returns
        -------
        str, HTML
        """
        summary = self.found[number]
        course = Course.of(number, self.moments, self.classes, self.span, self.smoothed)
        drawn = [mark.seconds for mark in self.marks if self.span.start <= mark.seconds <= self.span.end]
        seen = self.seen(number)
        if seen is None:
            raise ValueError(f"face {number} was not seen")
        shares = shares_of(seen)
        doubts = shares_told(summary.doubts, 1)
        labelled = percents({label: share.share for label, share in shares.labels.items()}, 1)
        said = (
            f"Seen for {length(summary.seconds)}, {_when(summary)}. Changes: {summary.changes:,}. Longest stretch: "
            f"{summary.longest_label}, {length(summary.longest_seconds)}. Uncertain: {summary.uncertain:.1%} of the "
            f"time{f' ({doubts})' if doubts else ''}."
        )
        rows = "".join(
            f'<tr><th scope="row" class="name"><span class="key" style="background:{expression_colour(i)}"></span>'
            f"{escape(label)}</th><td>{course.line(i, number, chart)}</td>"
            f"{_cell(labelled[label], shares.labels[label])}</tr>"
            for i, label in enumerate(self.classes)
        )
        told = (("Uncertain", "for whatever reason", shares.uncertain), ("Not fit", "to be judged", shares.unfit))
        others = "".join(
            f'<tr><th scope="row" class="name">{name}</th><td class="word">{reason}</td>'
            f"{_cell(f'{share.share:.1%}', share)}</tr>"
            for name, reason, share in told
        )
        return (
            f"<section><h2>{escape(title or f'Face {number}')}</h2><p>{escape(said)}</p>"
            '<table class="course"><thead><tr><th scope="col" class="name">Expression</th>'
            f'<th scope="col">Over time</th><th scope="col" class="share">Share</th></tr></thead><tbody>'
            f"{self._numbers()}"
            f'<tr><th scope="row" class="name">Vote</th><td class="band">{course.band(number, summary, drawn, chart)}'
            f"</td><td></td></tr>{rows}{others}</tbody>"
            f'<tfoot><tr><td></td><td><div class="times" aria-hidden="true">{time_marks(self.span)}</div></td>'
            "<td></td></tr></tfoot></table></section>"
        )

    def _numbers(self) -> str:
        """Write the numbers of marks above a chart."""
        if not 0 < len(self.marks) <= _MOST_NUMBERED:
            return ""
        spans = "".join(
            f'<span style="left:{self.span.place(mark.seconds):.1%}">{number}</span>'
            for number, mark in enumerate(self.marks, start=1)
            if self.span.start <= mark.seconds <= self.span.end
        )
        return f'<tr><td></td><td><div class="times" aria-hidden="true"><b></b>{spans}</div></td><td></td></tr>'


def length(seconds: float) -> str:
    """Write how long something lasted.

    Parameters
    ----------
    seconds : float, >= 0

    Returns
    -------
    str, such as ``9.5 s`` or ``1:40 min``
    """
    return f"{seconds:.1f} s" if seconds < 100 else f"{clock(seconds)} min" if seconds < 3600 else f"{clock(seconds)} h"


def _when(summary: Summary) -> str:
    first, last = clock(summary.first_seconds), clock(summary.last_seconds)
    return f"at {first}" if first == last else f"between {first} and {last}"


def _cell(told: str, share: Share) -> str:
    return f'<td class="share">{told}<small>{share.range}</small></td>'
