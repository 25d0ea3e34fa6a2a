"""Bars are for people who look on: what goes into a file or a log is whole lines."""

import io
import sys

import numpy as np
import pytest

from emotion.data.seen import copies_between
from emotion.runtime.progress import Progress
from emotion.training import judging
from emotion.training.recipes import FAST
from tests.synthetic import synthetic_faces


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work() -> None:
    """A step, a search, and a cross-validation that ends at once."""
    bar = Progress(10.0)
    with bar.step("fitting", 10.0):
        bar.say("Angry 3 -> 5")
    bar.close()
    faces = synthetic_faces((6, 6, 0))
    copies_between(faces.X, faces.X, progress=True)
    judging.cross_validate(faces, np.zeros(12, dtype=bool), FAST)


@pytest.fixture(autouse=True)
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_: object, **__: object) -> None:
        raise judging.TrainingError("Enough.")

    monkeypatch.setattr(judging, "fit_experiments", fit)


def test_bars_are_drawn_on_a_terminal_only(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of a night's training was one line of thousands of bars."""
    work()
    assert capsys.readouterr() == ("Angry 3 -> 5\n", "")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    work()
    drawn = terminal.getvalue()
    for part in ("fitting", "looking for copies", "judging by cross-validation"):
        assert part in drawn
