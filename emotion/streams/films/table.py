"""The votes on a film as rows of a table, the same on the command line and on the page."""

from typing import Final

from emotion.streams.record import Moment
from emotion.vote.tables import FACE_COLUMNS, vote_cells

WHEN_COLUMNS: Final = ("seconds", "frame")
"""When a frame is shown, from the beginning of the film, and its number."""


def moment_rows(name: str, moment: Moment, n_vote_columns: int, voted_by: str) -> list[list[object]]:
    """Write a moment into cells: one row a face, and one without a face where none was seen.

    Parameters
    ----------
    name : str, of the film
    moment : Moment
    n_vote_columns : int, how many `emotion.vote.tables.vote_columns` gives
    voted_by : str, the name of the set of models

    Returns
    -------
    list of lists: the name, those of `WHEN_COLUMNS`, those of `emotion.vote.tables.FACE_COLUMNS` (pixels of the film),
    those of `emotion.vote.tables.vote_columns`, the smoothed label, and `voted_by`
    """
    when: list[object] = [name, f"{moment.seconds:.3f}", moment.frame]
    if not moment.faces:
        return [[*when, *[""] * (len(FACE_COLUMNS) + n_vote_columns + 1), voted_by]]
    return [
        [*when, face.number, *face.box, *vote_cells(face.vote), face.smoothed.label, voted_by] for face in moment.faces
    ]
