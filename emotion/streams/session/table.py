"""A session as a table that somebody takes home."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from emotion.streams.record import FaceRecord, Moment
from emotion.streams.session.marks import Pause, TimeMark, counts_at
from emotion.vote.tables import FACE_COLUMNS, to_csv, vote_cells, vote_columns


def session_csv(
    moments: Sequence[Moment],
    classes: Sequence[str],
    model_names: Sequence[str],
    voted_by: str,
    *,
    marks: Sequence[TimeMark] = (),
    pauses: Sequence[Pause] = (),
) -> str:
    """Write a session as a table: one row a face and moment, and one without a face where none was seen.

    Parameters
    ----------
    moments : sequence of Moment
    classes : sequence of str
    model_names : sequence of str, in the order of the ballots
    voted_by : str, the name of the set of models
    marks : sequence of TimeMark, oldest first
    pauses : sequence of Pause; moments in them have no rows

    Returns
    -------
    str
        CSV with the columns `utc` (ISO 8601) and `seconds`, both of the frame that was voted on; `mark`, the word of
        the mark that was set last; those of `emotion.vote.tables.FACE_COLUMNS` (pixels of the mirrored picture); those
        of `emotion.vote.tables.vote_columns` for the votes that the models gave; `smoothed_label`,
        `smoothed_uncertain` and `smoothed_p_` with each class, which the page showed when smoothing;
        `interval_seconds` and `smoothing_seconds`, as they were set then; and `models`, which is `voted_by` in each
        row. A mark is a column and no row of its own, so that a spreadsheet can sort, filter and sum up by it
        ("mean of p_Happy for each mark"), and each row stays a vote.
    """
    times = [mark.seconds for mark in marks]
    votes = vote_columns(classes, model_names)
    smoothed = ["smoothed_label", "smoothed_uncertain", *(f"smoothed_p_{label}" for label in classes)]
    columns = ["utc", "seconds", "mark", *FACE_COLUMNS, *votes, *smoothed]
    rows: list[list[object]] = []
    for moment, counts in zip(moments, counts_at([m.seconds for m in moments], pauses), strict=True):
        if not counts:
            continue
        utc = moment.utc.isoformat(timespec="milliseconds") if moment.utc else ""
        last = bisect_right(times, moment.seconds)
        when = [utc, f"{moment.seconds:.3f}", marks[last - 1].text if last else ""]
        settings = ["" if s is None else f"{s:g}" for s in (moment.interval_seconds, moment.smoothing_seconds)]
        seen = [_face_cells(face) for face in moment.faces] or [[""] * (len(columns) - len(when))]
        rows += [[*when, *cells, *settings, voted_by] for cells in seen]
    return to_csv([*columns, "interval_seconds", "smoothing_seconds", "models"], rows)


def _face_cells(face: FaceRecord) -> list[object]:
    label, uncertain, _, *others = vote_cells(face.smoothed)
    smoothed = [label, uncertain, *others[len(face.smoothed.ballots) :]]
    return [face.number, *face.box, *vote_cells(face.vote), *smoothed]


def dated_name(what: str, at: datetime, ending: str) -> str:
    """Name a file by a time, so that those of one day can be told apart.

    Parameters
    ----------
    what : str, such as ``session``
    at : datetime, of a session when it began; in the time zone of who takes the file home
    ending : str, such as ``csv``

    Returns
    -------
    str, such as ``session-2026-11-29-1804.csv``
    """
    return f"{what}-{at:%Y-%m-%d-%H%M}.{ending}"
