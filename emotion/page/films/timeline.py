"""The course of a face through a film as a chart: what was voted, and how probable each expression was.

From left to right goes time. Above is a strip of what was voted, pale where that was uncertain; below it each
expression has a row, whose colour is the stronger the more probable it was. Rows have names: no colour has to be known.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import groupby
from typing import Any, Final

from emotion.streams.course import clock
from emotion.streams.drawing import expression_colour
from emotion.streams.record import LONGEST_SECONDS, FaceRecord, Moment
from emotion.vote.voting import Vote

MOST_COLUMNS: Final = 240
"""Of a chart; more are not seen apart on a phone, or half a screen."""
MOST_STRETCHES: Final = 200
"""Of a label, that are listed; among more, nobody finds one."""
SELECTION: Final = "moment"
"""What the chart calls what was clicked on."""

_ROW_PIXELS: Final = 17
_AXIS_PIXELS: Final = 34
_MOST_NAME_PIXELS: Final = 90
_PALE: Final = 0.4
"""How strong the colour of an uncertain vote is. Not grey, which is an expression's colour."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a face's course, in seconds of the film."""

    since: float
    until: float
    vote: Vote


def timeline_data(moments: Sequence[Moment], number: int, classes: Sequence[str], every: float) -> dict[str, list[Any]]:
    """Gather what the timeline of a face shows, thinned to what can be seen.

    Parameters
    ----------
    moments : sequence of Moment, oldest first
    number : int, of the face, which is in one of them at least
    classes : sequence of str
    every : float, seconds from one vote to the next

    Returns
    -------
    dict of columns of one length, of at most `MOST_COLUMNS` stretches
        `since`, `until` (seconds of the film), `row` (0 for what was voted, then the classes in their order),
        `expression`, `strength` (0-1: of a vote that is uncertain, little), and the texts `time` and `told`
    """
    pieces = list(_pieces(moments, number, every))
    width = (moments[-1].seconds - moments[0].seconds) / MOST_COLUMNS
    columns = [_thinned(group) for group in _grouped(pieces, width if width > every else 0.0)]
    rows = []
    for piece in columns:
        vote, time = piece.vote, clock(piece.since)
        doubt = f", uncertain ({vote.why})" if vote.uncertain else ""
        strength = _PALE if vote.uncertain else 1.0
        rows.append((piece.since, piece.until, 0, vote.label, strength, time, f"{vote.label}{doubt}"))
        rows += [
            (piece.since, piece.until, row, label, share, time, f"{label} {share:.0%}")
            for row, label in enumerate(classes, start=1)
            for share in [vote.probabilities[label]]
        ]
    names = ("since", "until", "row", "expression", "strength", "time", "told")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def stretches(moments: Sequence[Moment], number: int, every: float) -> list[tuple[float, str]]:
    """Gather when a face came, or its smoothed vote became another one.

    Parameters
    ----------
    moments : sequence of Moment, oldest first
    number : int, of the face
    every : float, seconds from one vote to the next

    Returns
    -------
    list of (seconds of the film, label), of at most `MOST_STRETCHES`: those that lasted longest
    """
    found: list[_Piece] = []
    for piece in _pieces(moments, number, every):
        if found and piece.since <= found[-1].until and piece.vote.label == found[-1].vote.label:
            found[-1] = replace(found[-1], until=piece.until)
        else:
            found.append(piece)
    longest = nlargest(MOST_STRETCHES, found, key=lambda piece: piece.until - piece.since)
    return sorted((piece.since, piece.vote.label) for piece in longest)


def _pieces(moments: Sequence[Moment], number: int, every: float) -> Iterator[_Piece]:
    for place, moment in enumerate(moments):
        face = _of(moment, number)
        if face is not None:
            following = moments[place + 1].seconds if place + 1 < len(moments) else moment.seconds + every
            yield _Piece(moment.seconds, min(following, moment.seconds + LONGEST_SECONDS), face.smoothed)


def _of(moment: Moment, number: int) -> FaceRecord | None:
    return next((face for face in moment.faces if face.number == number), None)


def _grouped(pieces: Sequence[_Piece], width: float) -> list[list[_Piece]]:
    if not width:
        return [[piece] for piece in pieces]
    return [list(group) for _, group in groupby(pieces, key=lambda piece: int(piece.since / width))]


def _thinned(group: Sequence[_Piece]) -> _Piece:
    """Make one stretch of several: the vote that held longest, with the mean of all probabilities."""
    if len(group) == 1:
        return group[0]
    lasted: dict[tuple[str, str], float] = {}
    for piece in group:
        key = piece.vote.label, piece.vote.why
        lasted[key] = lasted.get(key, 0.0) + piece.until - piece.since
    label, why = max(lasted, key=lambda key: lasted[key])
    first = next(piece.vote for piece in group if (piece.vote.label, piece.vote.why) == (label, why))
    shares = {name: sum(piece.vote.probabilities[name] for piece in group) / len(group) for name in first.probabilities}
    return _Piece(group[0].since, group[-1].until, replace(first, probabilities=shares))


def timeline(classes: Sequence[str], begin: float, end: float, *, selects: bool = True) -> dict[str, Any]:
    """Describe the chart for the columns of `timeline_data`, in which a click chooses a stretch.

    Parameters
    ----------
    classes : sequence of str
    begin, end : float, seconds of the film
    selects : bool, whether a click chooses a stretch

    Returns
    -------
    dict, a Vega-Lite specification
    """
    names = json.dumps(["Vote", *classes])
    selection = {"params": [{"name": SELECTION, "select": {"type": "point", "fields": ["since"]}}]} if selects else {}
    chosen = {"condition": {"param": SELECTION, "empty": False, "value": "#0072b2"}} if selects else {}
    return selection | {
        "height": _ROW_PIXELS * (len(classes) + 1) + _AXIS_PIXELS,
        "mark": {"type": "rect", "cursor": "pointer" if selects else "default", "strokeWidth": 1.5},
        "encoding": {
            "x": {
                "field": "since",
                "type": "quantitative",
                "scale": {"domain": [begin, end], "nice": False},
                "axis": {
                    "title": None,
                    "grid": False,
                    "tickCount": 6,
                    "tickMinStep": 1,
                    "labelExpr": "floor(datum.value / 60) + ':' + format(datum.value % 60, '02d')",
                },
            },
            "x2": {"field": "until"},
            "y": {
                "field": "row",
                "type": "ordinal",
                "scale": {"domain": list(range(len(classes) + 1)), "paddingInner": 0.12},
                "axis": {
                    "title": None,
                    "labelExpr": f"{names}[datum.value]",
                    "labelLimit": _MOST_NAME_PIXELS,
                    "labelOverlap": False,
                    "labelFontSize": 11,
                    "labelFlush": False,
                    "minExtent": _MOST_NAME_PIXELS - 20,
                    "ticks": False,
                    "domain": False,
                },
            },
            "color": {
                "field": "expression",
                "type": "nominal",
                "scale": {
                    "domain": list(classes),
                    "range": [expression_colour(place) for place in range(len(classes))],
                },
                "legend": None,
            },
            "opacity": {
                "field": "strength",
                "type": "quantitative",
                "scale": {"domain": [0, 1], "range": [0.04, 1]},
                "legend": None,
            },
            "stroke": chosen | {"value": None},
            "tooltip": [
                {"field": "time", "type": "nominal", "title": "Time"},
                {"field": "told", "type": "nominal", "title": "Expression"},
            ],
        },
    }
