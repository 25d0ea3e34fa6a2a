"""How often the whole way is right, from a picture to its vote: what people ask of a program before they trust it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from emotion import cli
from emotion.measure import measure_pictures, outcome_lines
from emotion.vote.ensemble import load_models
from tests.tiny_models import write_tiny_models

PORTRAIT = np.ascontiguousarray(data.astronaut()[:, :, ::-1])


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A black face is Angry, a white one Sad."""
    return write_tiny_models(tmp_path / "models")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    white, black = np.full((48, 48), 255, np.uint8), np.zeros((48, 48), np.uint8)
    shown = {"sad": [white, white, black], "angry": [black, np.full((300, 300), 90, np.uint8)], "happy": [PORTRAIT]}
    for label, images in shown.items():
        (tmp_path / "set" / label).mkdir(parents=True)
        for number, image in enumerate(images):
            cv2.imwrite(str(tmp_path / "set" / label / f"{number}.png"), image)
    return tmp_path / "set"


def test_found_and_right_are_counted_for_each_expression(pictures: Path, models: Path) -> None:
    outcomes, unreadable = measure_pictures(pictures, load_models(models), progress=False)
    assert unreadable == 0
    assert [outcome.is_right for outcome in outcomes if outcome.label == "Sad"] == [True, True, False]
    assert [outcome.vote is None for outcome in outcomes if outcome.label == "Angry"] == [False, True]
    lines = outcome_lines(outcomes).splitlines()
    assert lines[1].split() == ["Angry", "2", "1", "1", "100.0%"]
    assert lines[3].split() == ["Sad", "3", "3", "2", "66.7%"]
    assert lines[4].split()[:3] == ["all", "6", "5"]
    assert lines[5].startswith("Votes claim ")


def test_the_command_tells_it_and_counts_what_cannot_be_read(
    pictures: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "sad" / "broken.png").write_bytes(b"no picture")
    assert cli.main(["evaluate", "--pictures", str(pictures), "--models", str(models)]) == 1
    told = capsys.readouterr().out
    assert "of found" in told
    assert "Not counted, since they cannot be read: 1." in told


def test_expressions_that_the_models_do_not_know_are_told(
    pictures: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "contempt").mkdir()
    assert cli.main(["evaluate", "--pictures", str(pictures), "--models", str(models)]) == 1
    assert "but not: Contempt." in capsys.readouterr().err
