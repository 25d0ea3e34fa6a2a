"""Votes as rows of a table, the same in every file that a visitor takes home, and in DataFrames."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from emotion import config
from emotion.vote.recognizer import FaceEmotion
from emotion.vote.voting import Vote

if TYPE_CHECKING:
    import pandas

FACE_COLUMNS: Final = ("face", "x", "y", "width", "height")
"""The number of a face in its picture, 1 for the largest (on the page, the leftmost), and its box in pixels."""


def vote_columns(classes: Sequence[str], model_names: Sequence[str]) -> list[str]:
    """Name the columns of `vote_cells`.

    Parameters
    ----------
    classes : sequence of str
    model_names : sequence of str, in the order of the ballots

    Returns
    -------
    list of str: `label`, `uncertain`, `why` it is, each model for its ballot, `p_` with each class for its probability
    """
    return ["label", "uncertain", "why", *model_names, *(f"p_{label}" for label in classes)]


def vote_cells(vote: Vote) -> list[str]:
    """Write a vote into cells.

    Parameters
    ----------
    vote : Vote

    Returns
    -------
    list of str: the label, true or false, why, the ballots, the probabilities from 0 to 1
    """
    shares = (f"{share:.4f}" for share in vote.probabilities.values())
    return [vote.label, str(vote.uncertain).lower(), vote.why, *vote.ballots, *shares]


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table.

    A text that a spreadsheet would take for a formula gets an apostrophe in front: file names and addresses are
    others' words, and class names may be (OWASP, "CSV injection").

    Parameters
    ----------
    columns : sequence of str
    rows : iterable of sequences, as long as `columns`

    Returns
    -------
    str, CSV with a header
    """
    return csv_rows([columns, *rows])


def csv_rows(rows: Iterable[Sequence[object]]) -> str:
    """Write rows as `to_csv` does, without a header.

    Parameters
    ----------
    rows : iterable of sequences

    Returns
    -------
    str, CSV
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    for row in rows:
        table.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


def harmless(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def to_frame(faces: Sequence[FaceEmotion] | Mapping[str, Sequence[FaceEmotion]]) -> "pandas.DataFrame":
    """Lay recognised faces out as a pandas DataFrame.

    Parameters
    ----------
    faces : sequence of FaceEmotion, of one picture, as `emotion.Recognizer.recognize` gives them; or a mapping of the
        names of pictures to such sequences

    Returns
    -------
    DataFrame, one row a face
        Columns: of a mapping, `picture`; then those of `FACE_COLUMNS` (int) and of `vote_columns`: `label` (str),
        `uncertain` (bool), `why` (str), each model's ballot (str), and `p_` with each class for its probability (float,
        0-1). Where there are no faces, the classes are not known, and their columns are missing.
    """
    import pandas  # 50 MB that only those take who ask for them

    pictures = faces if isinstance(faces, Mapping) else {"": faces}
    rows = [
        {
            "picture": name,
            **dict(zip(FACE_COLUMNS, (number, *face.box), strict=True)),
            "label": face.vote.label,
            "uncertain": face.vote.uncertain,
            "why": face.vote.why,
            **dict(zip(config.MODEL_NAMES, face.vote.ballots, strict=True)),
            **{f"p_{label}": share for label, share in face.vote.probabilities.items()},
        }
        for name, found in pictures.items()
        for number, face in enumerate(found, start=1)
    ]
    empty = ["picture", *FACE_COLUMNS, *vote_columns((), config.MODEL_NAMES)]
    table = pandas.DataFrame(rows, columns=None if rows else empty)
    return table if isinstance(faces, Mapping) else table.drop(columns="picture")


def picture_record(name: str, result: Sequence[FaceEmotion] | str, models: str) -> dict[str, Any]:
    """Describe a picture and the votes on its faces for JSON.

    Parameters
    ----------
    name : str, of the picture
    result : sequence of FaceEmotion, or str, why it cannot be read
    models : str, the name of the set that votes

    Returns
    -------
    dict with `picture`, `models` and either `error` or `faces`, each with `box` (x, y, width, height in pixels),
    `label`, `ballots` and `probabilities` (both by name), `tie`, `uncertain`, `why` and `fitness` (by name, as in
    `emotion.faces.fitness.Fitness`)
    """
    told = {"error": result} if isinstance(result, str) else {"faces": [_face_record(face) for face in result]}
    return {"picture": name, "models": models, **told}


def vote_record(vote: Vote) -> dict[str, Any]:
    """Describe a vote for JSON.

    Parameters
    ----------
    vote : Vote

    Returns
    -------
    dict with `label`, `ballots` and `probabilities` (both by name), `tie`, `uncertain` and `why`
    """
    return {
        "label": vote.label,
        "ballots": dict(zip(config.MODEL_NAMES, vote.ballots, strict=True)),
        "probabilities": {label: round(value, 4) for label, value in vote.probabilities.items()},
        "tie": vote.tie,
        "uncertain": vote.uncertain,
        "why": vote.why,
    }


def _face_record(face: FaceEmotion) -> dict[str, Any]:
    fitness = {name: round(value, 3) for name, value in asdict(face.fitness).items()}
    return {"box": list(face.box), **vote_record(face.vote), "fitness": fitness}
