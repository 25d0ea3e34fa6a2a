"""Moments as rows of a table that keeps every digit, and back."""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from emotion.faces.detect import Box
from emotion.streams.record import FaceRecord, Moment
from emotion.streams.session.marks import LONGEST_SESSION
from emotion.vote.tables import FACE_COLUMNS
from emotion.vote.voting import Vote

_EARLIEST, _LATEST = 1970, 9000
"""Years: before and after them, times in other zones may not be written."""
_WHEN: Final = ["utc", "seconds", "frame", "interval_seconds", "smoothing_seconds"]
_MOST_PIXELS: Final = 1_000_000
_MOST_NUMBER: Final = 1_000_000_000
_MOST_REASON: Final = 100
_FLAGS: Final = {"true": True, "false": False}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def shielded(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula, so that it can be taken away again.

    Parameters
    ----------
    text : str

    Returns
    -------
    str, for `unshielded`
    """
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def unshielded(cell: str) -> str:
    """Give the text of a cell that `shielded` wrote.

    Parameters
    ----------
    cell : str

    Returns
    -------
    str
    """
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell


def columns_of(classes: Sequence[str], model_names: Sequence[str]) -> list[str]:
    """Name the columns of `rows_of`.

    Parameters
    ----------
    classes : sequence of str
    model_names : sequence of str

    Returns
    -------
    list of str
    """
    own = ["label", "tie", "uncertain", "why", *model_names, *(f"p_{label}" for label in classes)]
    return [shielded(name) for name in [*_WHEN, *FACE_COLUMNS, *own, *(f"smoothed_{name}" for name in own)]]


def rows_of(moments: Sequence[Moment], classes: Sequence[str], model_names: Sequence[str]) -> Iterator[list[object]]:
    """Write moments into rows: one a face, and one without a face where none was seen.

    Parameters
    ----------
    moments : sequence of Moment
    classes : sequence of str
    model_names : sequence of str

    Yields
    ------
    list of str and int, as many cells as `columns_of` names
    """
    rest = len(columns_of(classes, model_names)) - len(_WHEN)
    for moment in moments:
        when: list[object] = [
            moment.utc.isoformat() if moment.utc else "",
            repr(moment.seconds),
            *("" if v is None else repr(v) for v in (moment.frame, moment.interval_seconds, moment.smoothing_seconds)),
        ]
        for face in moment.faces:
            yield [*when, face.number, *face.box, *_cells(face.vote), *_cells(face.smoothed)]
        if not moment.faces:
            yield [*when, *[""] * rest]


def _cells(vote: Vote) -> list[str]:
    flags = [str(flag).lower() for flag in (vote.tie, vote.uncertain)]
    texts = [shielded(text) for text in (vote.why, *vote.ballots)]
    return [shielded(vote.label), *flags, *texts, *map(repr, map(float, vote.probabilities.values()))]


def moments_of(rows: Iterable[list[str]], classes: Sequence[str], model_names: Sequence[str]) -> Iterator[Moment]:
    """Read moments from rows as `rows_of` writes them.

    Parameters
    ----------
    rows : iterable of list of str, as many cells as `columns_of` names
    classes : sequence of str
    model_names : sequence of str

    Yields
    ------
    Moment, each later than the one before

    Raises
    ------
    ValueError, KeyError
        If a row is anything else.
    """
    known = {shielded(label): label for label in classes}  # of each word, one copy for all votes
    before = -1.0
    for when, together in groupby(rows, lambda row: row[: len(_WHEN)]):
        seconds = _number(when[1], LONGEST_SESSION)
        if seconds <= before:
            raise ValueError("not later than the moment before")
        before = seconds
        utc = datetime.fromisoformat(when[0]) if when[0] else None
        if utc is not None and (utc.tzinfo is None or not _EARLIEST <= utc.year <= _LATEST):
            raise ValueError("a time without its zone, or of no session")
        frame = _whole(when[2], 0, _MOST_NUMBER) if when[2] else None
        settings = (_number(cell, LONGEST_SESSION) if cell else None for cell in when[3:])
        found = [row[len(_WHEN) :] for row in together]
        faces = (
            ()
            if len(found) == 1 and not any(found[0])
            else tuple(_face(row, classes, len(model_names), known) for row in found)
        )
        if len({face.number for face in faces}) < len(faces):
            raise ValueError("one face twice")
        yield Moment(seconds, utc, faces, frame, *settings)


def _face(row: list[str], classes: Sequence[str], n_models: int, known: Mapping[str, str]) -> FaceRecord:
    number = _whole(row[0], 0, _MOST_NUMBER)
    x, y = (_whole(cell, -_MOST_PIXELS, _MOST_PIXELS) for cell in row[1:3])
    w, h = (_whole(cell, 0, _MOST_PIXELS) for cell in row[3:5])
    cells = row[len(FACE_COLUMNS) :]
    vote, smoothed = (
        _vote(half, classes, n_models, known) for half in (cells[: len(cells) // 2], cells[len(cells) // 2 :])
    )
    return FaceRecord(number, vote, smoothed, Box(x, y, w, h))


def _vote(cells: list[str], classes: Sequence[str], n_models: int, known: Mapping[str, str]) -> Vote:
    why = unshielded(cells[3])
    shares = [_number(cell, 1.0) for cell in cells[4 + n_models :]]
    if len(why) > _MOST_REASON or not why.isprintable() or abs(sum(shares) - 1) > 0.01:
        raise ValueError("no vote")
    ballots = tuple(known[cell] for cell in cells[4 : 4 + n_models])
    probabilities = dict(zip(classes, shares, strict=True))
    return Vote(known[cells[0]], ballots, probabilities, _FLAGS[cells[1]], _FLAGS[cells[2]], sys.intern(why))


def _number(text: str, most: float) -> float:
    value = float(text)
    if not 0 <= value <= most or math.isnan(value):
        raise ValueError(f"no such number: {text[:20]}")
    return value


def _whole(text: str, least: int, most: int) -> int:
    value = int(text)
    if not least <= value <= most:
        raise ValueError(f"no such number: {text[:20]}")
    return value
