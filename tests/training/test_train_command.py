"""What ``python -m emotion train`` says and refuses, before and after the work: nobody loses good models unawares."""

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from emotion import cli, config
from emotion.options import command_line
from tests.synthetic import synthetic_faces, write_table
from tests.tiny_models import write_tiny_models


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with models that ship, and with a training that is over at once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "MODELS", write_tiny_models(tmp_path / "models"))
    monkeypatch.setattr(config, "OWN_MODELS", tmp_path / "my-models")
    monkeypatch.setattr(sys, "argv", ["__main__.py"])
    write_table(tmp_path / "data.csv", synthetic_faces((3, 3, 3)))

    def train(data: str, test: str | None, out: Path, *_: object, **__: object) -> dict[str, Any]:
        write_tiny_models(out, ("Calm", "Loud"))
        judged = {"by": "nothing", "faces": 0, "why": "Nobody looked."}
        return {"judged": judged, "classes": ["Calm", "Loud"]}

    monkeypatch.setattr("emotion.training.training.train", train)
    return tmp_path


def test_own_models_go_beside_those_that_ship_and_the_last_line_opens_the_page_with_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "models" / "manifest.json").read_bytes()
    assert cli.main(["train", "--data", "data.csv"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2] == "Written to my-models: my-models (Calm, Loud)."
    _, _, typed = printed[-1].partition(": ")
    python, *rest = shlex.split(typed)
    assert Path(python).name.startswith("python")
    assert rest[:2] == ["-m", "emotion"]
    options = command_line().parse_args(rest[2:])
    assert (options.run, options.models) == ("app", Path("my-models"))
    assert (folder / "models" / "manifest.json").read_bytes() == before
    assert not [line for line in printed if "replaced" in line or "git checkout" in line]


def test_who_replaces_the_models_that_ship_is_told_how_to_have_them_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["train", "--data", "data.csv", "--out", "models"]) == 0
    assert capsys.readouterr().out.startswith(
        "models holds the models that ship. In a clone, git checkout models brings them back. To keep"
    )


def test_own_models_that_are_replaced_are_named_before(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They took hours, and are nowhere else."""
    write_tiny_models(folder / "my-models" / "holiday", ("Happy", "Sad"))
    assert cli.main(["train", "--data", "data.csv", "--out", "my-models/holiday"]) == 0
    assert capsys.readouterr().out.startswith(
        "holiday (Happy, Sad) is replaced when the training has ended. To keep what is there, stop now and name"
    )


@pytest.mark.parametrize("out", ["models", "my-models", "./models/../my-models"])
@pytest.mark.parametrize("how", [["--fast"], ["--features", "pixels"]])
def test_models_to_try_or_to_compare_do_not_replace_good_ones(
    folder: Path, out: str, how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Those on pixels lack the networks that later trainings take from there."""
    assert cli.main(["train", "--data", "data.csv", "--out", out, *how]) == 1
    assert "name another folder with --out" in capsys.readouterr().err
    assert cli.main(["train", "--data", "data.csv", *how]) == 1, "my-models is what is meant by default"
    assert not (folder / "my-models").exists()
    assert cli.main(["train", "--data", "data.csv", "--out", "my-models/tried", *how]) == 0
