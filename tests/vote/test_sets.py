"""Sets of models are found and told apart by name: nobody is to take the votes of one for another's."""

import json
from pathlib import Path

import pytest

from emotion import config, load_models
from emotion.vote.sets import find_sets, set_name, set_that_votes
from tests.tiny_models import CLASSES, write_tiny_models


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with models that ship, own ones, and others within these."""
    monkeypatch.setattr(config, "MODELS", write_tiny_models(tmp_path / "models"))
    monkeypatch.setattr(config, "OWN_MODELS", write_tiny_models(tmp_path / "my-models"))
    write_tiny_models(tmp_path / "my-models" / "holiday")
    return tmp_path


def test_the_shipped_models_come_first_unless_others_are_named(folder: Path) -> None:
    assert [found.name for found in find_sets()[0]] == ["shipped", "my-models", "holiday"]
    own_first = find_sets(folder / "my-models" / "holiday")[0]
    assert [found.name for found in own_first] == ["holiday", "shipped", "my-models"]


@pytest.mark.parametrize("name", ["shipped", "my-models", "holiday"])
def test_a_folder_elsewhere_may_be_called_as_another_set_is(folder: Path, name: str) -> None:
    elsewhere = write_tiny_models(folder / "elsewhere" / name)
    names = [found.name for found in find_sets(elsewhere)[0]]
    assert names == [str(elsewhere), "shipped", "my-models", "holiday"]


@pytest.mark.parametrize("name", ["shipped", "my-models"])
def test_a_folder_of_own_models_may_be_called_as_another_set_is(folder: Path, name: str) -> None:
    write_tiny_models(folder / "my-models" / name)
    names = [found.name for found in find_sets()[0]]
    assert sorted(names) == sorted(["shipped", "my-models", "holiday", f"my-models/{name}"])


def test_links_to_folders_of_one_name_have_names_of_their_own(folder: Path) -> None:
    for place in ("a", "b"):
        write_tiny_models(folder / place / "models")
        (folder / "my-models" / place).symlink_to(folder / place / "models")
    assert [found.name for found in find_sets()[0]] == ["shipped", "my-models", "a", "b", "holiday"]


def test_what_cannot_be_read_is_named_and_the_others_are_there(folder: Path) -> None:
    (folder / "my-models" / config.MANIFEST_FILE).write_text("{", encoding="utf-8")
    sets, [damaged] = find_sets()
    assert [found.name for found in sets] == ["shipped", "holiday"]
    assert str(folder / "my-models") in damaged
    assert "There are no trained models" in find_sets(folder / "none")[1][0]


def test_models_say_which_set_they_were_also_when_others_lie_there_by_now(folder: Path) -> None:
    file = folder / "my-models" / config.MANIFEST_FILE
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"trained": "2026-11-29"}), encoding="utf-8")
    models = load_models(folder / "my-models")
    write_tiny_models(folder / "my-models", ("Calm", "Glad"))
    assert str(set_that_votes(models)) == f"my-models ({', '.join(CLASSES)}, trained on 2026-11-29)"


def test_a_folder_is_named_as_itself_from_within(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "my-models")
    assert set_name(".") == "my-models"


def test_what_a_training_is_just_writing_is_no_set(folder: Path) -> None:
    """Nor what one has left that was killed: it may be half of a set."""
    write_tiny_models(folder / "my-models" / ".training-1" / ".new")
    write_tiny_models(folder / "my-models" / ".new")
    assert [found.name for found in find_sets()[0]] == ["shipped", "my-models", "holiday"]
