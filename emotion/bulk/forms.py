"""How votes stand in a file, a row or a line each, and how a file of them is read to be gone on with."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TextIO

from emotion.errors import OutputError
from emotion.runtime.files import printable
from emotion.streams.films.table import WHEN_COLUMNS, moment_rows
from emotion.streams.record import Moment
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import FaceEmotion
from emotion.vote.sets import set_that_votes
from emotion.vote.tables import FACE_COLUMNS, csv_rows, harmless, picture_record, vote_cells, vote_columns, vote_record

ENDINGS: Final = (".csv", ".json", ".jsonl")

First = Literal["picture", "film"]
"""What the names are of: those of a folder are called pictures, though films may be among them."""


@dataclass(frozen=True)
class FilmRows:
    """The votes on a film.

    Attributes
    ----------
    text : str, as it stands in the file
    moments : int
    note : str, what was wrong with the film; empty where nothing was
    """

    text: str
    moments: int
    note: str


Result = list[FaceEmotion] | FilmRows | str
"""The faces of a picture, the votes on a film, or why it cannot be read."""


class JsonForm:
    """One JSON object a line: one a picture, and one a face and moment of a film.

    Parameters
    ----------
    models : Ensemble, that votes
    first : First
    only_ascii : bool, whether other letters are written as JSON's own escapes: a terminal may lack them
    """

    head = ""

    def __init__(self, models: Ensemble, first: First = "picture", *, only_ascii: bool = False) -> None:
        self._only_ascii = only_ascii
        self._models = set_that_votes(models).name
        self._first = first

    def key(self, name: str) -> str:
        """Give a file's name as it stands in the file of votes."""
        return printable(name)

    def text(self, name: str, result: list[FaceEmotion] | str) -> str:
        """Write what became of a picture."""
        return self._line(picture_record(self.key(name), result, self._models))

    def moment(self, name: str, moment: Moment) -> str:
        """Write the votes of a moment of a film."""
        when = {self._first: self.key(name), "seconds": round(moment.seconds, 3), "frame": moment.frame}
        faces = [
            {
                "face": face.number,
                "box": list(face.box),
                **vote_record(face.vote),
                "smoothed_label": face.smoothed.label,
                "models": self._models,
            }
            for face in moment.faces
        ]
        return "".join(self._line({**when, **face}) for face in faces or [{"face": None, "models": self._models}])

    def note(self, name: str, note: str) -> str:
        """Write what was wrong with a film."""
        return self._line({self._first: self.key(name), "models": self._models, "error": note})

    def _line(self, record: dict[str, object]) -> str:
        return json.dumps(record, ensure_ascii=self._only_ascii) + "\n"

    def records(self, file: TextIO, output: Path) -> Iterator[tuple[str, str, str]]:
        """Read a file: the name, the text, and why it could not be read, of each record that is whole."""
        for line in file:
            try:
                record = json.loads(line)
                name = record[self._first]
                name.encode()
                yield name, line, str(record.get("error", ""))
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                if not line.endswith("\n"):
                    return  # the last one, on which a run was broken off
                raise OutputError(f"{output} is not a file of votes: name another, or remove it.") from error


class CsvForm:
    """A table of a row a face, or, of films, a row a face and moment; one row where there is none.

    Parameters
    ----------
    models : Ensemble, that votes
    first : First
    """

    def __init__(self, models: Ensemble, first: First = "picture") -> None:
        votes = vote_columns(models.classes, models.model_names)
        self._columns = [first, *WHEN_COLUMNS, *FACE_COLUMNS, *votes, "smoothed_label", "models", "error"]
        self._n_votes = len(votes)
        self._models = set_that_votes(models).name
        self.head = csv_rows([self._columns])

    def key(self, name: str) -> str:
        """Give a file's name as it stands in the file of votes."""
        return harmless(printable(name))

    def text(self, name: str, result: list[FaceEmotion] | str) -> str:
        """Write what became of a picture."""
        if isinstance(result, str):
            return self._faceless(name, error=result)
        rows = [
            [self.key(name), "", "", n, *face.box, *vote_cells(face.vote), "", self._models, ""]
            for n, face in enumerate(result, start=1)
        ]
        return csv_rows(rows) if rows else self._faceless(name)

    def moment(self, name: str, moment: Moment) -> str:
        """Write the votes of a moment of a film."""
        rows = moment_rows(self.key(name), moment, self._n_votes, self._models)
        return csv_rows([[*row, ""] for row in rows])

    def note(self, name: str, note: str) -> str:
        """Write what was wrong with a film."""
        return self._faceless(name, error=note)

    def _faceless(self, name: str, error: str = "") -> str:
        return csv_rows([[self.key(name), *[""] * (len(self._columns) - 3), self._models, error]])

    def records(self, file: TextIO, output: Path) -> Iterator[tuple[str, str, str]]:
        """Read a file: the name, the text, and why it could not be read, of each record that is whole."""
        rows = csv.reader(file)
        try:
            if next(rows, self._columns) != self._columns:
                raise OutputError(f"{output} is not a table of these votes: name another, or remove it.")
            for row in rows:
                if len(row) == len(self._columns):  # else the last one, on which a run was broken off
                    yield row[0], csv_rows([row]), row[-1]
        except csv.Error as error:
            raise OutputError(f"{output} is damaged: name another file, or remove it.") from error


Form = JsonForm | CsvForm


def form_of(output: Path, models: Ensemble, first: First = "picture") -> Form:
    """Choose how votes are written by how a file is called.

    Parameters
    ----------
    output : Path
    models : Ensemble, that votes
    first : First

    Returns
    -------
    Form

    Raises
    ------
    OutputError
        If the name ends otherwise than in `ENDINGS`.
    """
    kind = output.suffix.lower()
    if kind not in ENDINGS:
        raise OutputError(f"{output} must end in .csv, .json or .jsonl, which says what is written.")
    return CsvForm(models, first) if kind == ".csv" else JsonForm(models, first)
