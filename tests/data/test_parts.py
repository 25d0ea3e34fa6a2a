"""Parts that a table names itself: what it calls test faces is never learnt from, in whatever way it is given."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotion import cli
from emotion.data.dataset import Faces, by_parts, faces_to_test, read_faces
from emotion.data.splitting import Split, describe_split, split_faces
from emotion.data.tables.writing import face_writer
from emotion.errors import DatasetError, TrainingError
from emotion.lessons.places import places
from tests.synthetic import synthetic_faces
from tests.tiny_models import write_tiny_models

FER2013 = ["Training", "Training", "Training", "PublicTest", "PrivateTest"]


def with_parts(names: list[str], per_class: tuple[int, ...] = (20, 20, 20), seed: int = 0) -> Faces:
    """The given parts in turn."""
    faces = synthetic_faces(per_class, seed)
    return Faces(faces.X, faces.y, parts=np.array([names[row % len(names)] for row in range(len(faces))]))


def write(path: Path, faces: Faces) -> Path:
    with face_writer(path, keep_parts=faces.parts is not None) as writer:
        writer.write(faces.X, faces.y.tolist(), [], [] if faces.parts is None else faces.parts.tolist())
    return path


def rows_of(faces: Faces) -> set[bytes]:
    return {face.tobytes() for face in faces.X}


def test_the_tables_own_test_part_is_the_test_part() -> None:
    """As on Kaggle, where FER2013's public and final test faces lie together in the folder test."""
    faces = with_parts(FER2013)
    assert faces.parts is not None
    is_training = faces.parts == "Training"
    split = split_faces(faces)
    assert rows_of(split.test) == rows_of(faces[~is_training])
    assert rows_of(split.train) == rows_of(faces[is_training])
    told = describe_split(split).splitlines()[0]
    assert told == (
        "By the table's own parts, 36 of its 60 faces are learnt from (Training); the others "
        "(PrivateTest, PublicTest: 24) are tested on."
    )
    as_two = split_faces(*(Faces(part.X, part.y) for part in (faces[is_training], faces[~is_training])))
    assert split.fingerprint == as_two.fingerprint, "as if they had been two tables"


@pytest.mark.parametrize(
    ("names", "learnt"),
    [
        (["training", "test"], "training"),
        (["TRAIN", "validation", "test"], "TRAIN"),
        (["train", "val"], "train"),
    ],
)
def test_parts_are_known_by_the_usual_names(names: list[str], learnt: str) -> None:
    given = by_parts(with_parts(names))
    assert given.data.parts is not None
    assert given.test is not None
    assert set(given.data.parts.tolist()) == {learnt}
    assert len(given.data) + len(given.test) == 60


@pytest.mark.parametrize("names", [["Training"], ["PublicTest"], ["PublicTest", "PrivateTest"], ["1", "2", "3"]])
def test_parts_of_one_kind_part_nothing(names: list[str]) -> None:
    """As of a table that somebody cut, or of another column of this name."""
    faces = with_parts(names)
    given = by_parts(faces)
    assert given.data is faces
    assert given.test is None
    assert given.told == ""
    assert faces_to_test(faces) == (faces, "")


def test_with_a_test_table_only_the_training_part_is_learnt_from() -> None:
    """The table's own test faces are on record as such: models that learnt them could not be compared with others."""
    data, test = with_parts(FER2013), synthetic_faces((6, 6, 6), seed=1)
    split = split_faces(data, test)
    assert len(split.train) == 36
    assert rows_of(split.test) == rows_of(test)
    assert split.told == (
        "By the table's own parts, 36 of its 60 faces are learnt from (Training); the others "
        "(PrivateTest, PublicTest: 24) are left out, since test faces are given."
    )


def test_of_a_test_table_with_parts_only_the_test_part_is_tested_on() -> None:
    """Who gives one table twice would else be told that all test faces are training faces."""
    faces = with_parts(FER2013)
    split = split_faces(faces, faces)
    assert (len(split.train), len(split.test)) == (36, 24)
    assert (
        "24 of its 60 faces are tested on (PrivateTest, PublicTest); the others (Training: 36) are left out."
        in split.told
    )


def test_tables_without_parts_are_as_they_were() -> None:
    faces = synthetic_faces((20, 20, 20))
    given = by_parts(faces, faces)
    assert given.data is given.test is faces
    assert given.told == ""


class EndedError(TrainingError):
    """Ends a command where its work would begin."""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "data.csv", with_parts(FER2013))


@pytest.mark.parametrize("module", ["training.training.train_on", "networks.network_training.network_data"])
def test_the_commands_that_train_keep_the_test_part_aside_and_say_so(
    module: str, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    splits: list[Split] = []

    def ended(split: Split, *_: Any, **__: Any) -> None:
        splits.append(split)
        raise EndedError("Ended.")

    if "networks" in module:
        pytest.importorskip("torch")
    monkeypatch.setattr(f"emotion.{module}", ended)
    command = ["train-networks"] if "networks" in module else ["train", "--features", "pixels", "--out", "tried"]
    assert cli.main([*command, "--data", str(table)]) == 1
    told, errors = capsys.readouterr()
    assert errors == "Ended.\n"
    assert (
        "36 of its 60 faces are learnt from (Training); the others (PrivateTest, PublicTest: 24) are tested on." in told
    )
    read = read_faces(table)
    assert read.parts is not None
    assert rows_of(splits[0].test) == rows_of(read[read.parts != "Training"])
    assert not rows_of(splits[0].test) & (rows_of(splits[0].train) | rows_of(splits[0].validation))


def test_what_is_evaluated_is_the_test_part(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = write_tiny_models(tmp_path / "models")
    assert cli.main(["evaluate", "--data", str(table), "--models", str(models)]) == 0
    told = capsys.readouterr().out
    assert (
        "By the parts of the table to test on, 24 of its 60 faces are tested on (PrivateTest, PublicTest); the others "
        "(Training: 36) are left out."
    ) in told
    assert "24 faces are too few to say" in told


def test_notebooks_keep_the_test_part_aside_too(table: Path) -> None:
    here = places({"EMOTION_DATA": str(table)})
    data, test = here.read()
    assert test is not None
    assert (len(data), len(test)) == (36, 24)
    split = here.split()
    assert (len(split.train), len(split.test)) == (36, 24)
    assert split.told


def test_parts_are_as_many_as_faces() -> None:
    faces = synthetic_faces((1, 1, 1))
    with pytest.raises(ValueError, match="parts must have one name a row"):
        Faces(faces.X, faces.y, parts=np.array(["Training"]))


def test_a_training_part_of_one_emotion_is_told_as_that() -> None:
    """The table itself has others, which somebody would point at."""
    faces = synthetic_faces((9, 9, 0))
    faces = Faces(faces.X, faces.y, parts=np.where(faces.y == "Angry", "Training", "PublicTest"))
    with pytest.raises(DatasetError, match=r"^All faces of the table's training part are of one emotion, Angry; "):
        split_faces(faces)
