"""``NAME.about.json``, beside a file of votes: what its votes are of, and how far a run has come."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from emotion.errors import OutputError
from emotion.runtime.files import replacing
from emotion.streams.films.watching import Choice

WHOLE: Final = "whole_bytes"
"""The size of a file whose run came to its end."""
SO_FAR: Final = "so_far"
"""Of a run that did not, where it can be gone on with."""


def stored_choice(choice: Choice) -> dict[str, float | None]:
    """Write down what of films is looked at; JSON has no number for a film's end."""
    return {**asdict(choice), "end": None if math.isinf(choice.end) else choice.end}


class Origin:
    """What the votes of a file are of.

    Parameters
    ----------
    output : Path, of the file of votes
    of : dict, that JSON knows
    told : str, what the votes would have to be on, as in "this folder"
    """

    def __init__(self, output: Path, of: dict[str, Any], told: str) -> None:
        self._output = output
        self._about = output.with_name(f"{output.name}.about.json")
        self._of = of
        self._told = told

    def check(self) -> dict[str, Any]:
        """Refuse a file of other votes; beside a new one, say what it will be of.

        Returns
        -------
        dict, what was noted of the run before, besides; empty where there was none

        Raises
        ------
        OutputError
        OSError
        """
        if not self._output.is_file() or not self._output.stat().st_size:
            self.note()
            return {}
        try:
            known = dict(json.loads(self._about.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            known = {}
        if {key: known.get(key) for key in self._of} != self._of:
            raise OutputError(
                f"{self._output} is no file of votes on {self._told} by these models: name another, or remove it."
            )
        return known

    def note(self, **more: Any) -> None:
        """Write it down.

        Parameters
        ----------
        more : what JSON knows, by the names above

        Raises
        ------
        OSError
        """
        with replacing(self._about) as partial:
            partial.write_text(
                json.dumps({**self._of, **more}, indent=None if SO_FAR in more else 1) + "\n", encoding="utf-8"
            )
