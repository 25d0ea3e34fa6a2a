"""What is said of models that know a person's face is counted on faces that they were not taught."""

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion import config
from emotion.errors import DatasetError
from emotion.lessons import personal as lesson
from emotion.lessons.people import People, read_people
from emotion.lessons.personal import OTHERS, OWN, TAUGHT, WRONG_OF, Case, draw, measure_people, people_frame
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import load_models
from tests.tiny_models import write_tiny_models

CLASSES = ("Angry", "Fear", "Happy", "Sad")
GREYS = {"angry": 35, "fear": 85, "happy": 170, "sad": 225}


@pytest.fixture
def models(tmp_path: Path) -> Ensemble:
    """A black face is Angry, a white one Sad."""
    return load_models(write_tiny_models(tmp_path / "models", CLASSES))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two people with three faces of each expression."""
    for person in ("ada", "ben"):
        for label, grey in GREYS.items():
            for number in range(3):
                write_face(tmp_path / "people" / person / label / f"{number}.png", grey + number)
    return tmp_path / "people"


def write_face(file: Path, grey: int, side: int = 48) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    checked = np.indices((side, side)).sum(axis=0) % 2 * 50 - 25  # what is flat is taken for blurred
    cv2.imwrite(str(file), (grey + checked).astype(np.uint8))


def test_right_votes_are_counted_before_and_after(tmp_path: Path) -> None:
    """Of people whose angry faces are the brighter ones; models that know nobody take the darker ones for angry."""
    models = load_models(write_tiny_models(tmp_path / "models", ("Angry", "Sad")))
    for person, step in (("ada", 1), ("ben", 2)):
        for number in range(3):
            write_face(tmp_path / "people" / person / "angry" / f"{number}.png", 140 + step * number)
            write_face(tmp_path / "people" / person / "sad" / f"{number}.png", 115 - step * number)
    people = read_people(tmp_path / "people", models, progress=False)
    [measured] = measure_people(people, models, draws=3, cases=[Case(1)])
    assert (measured.about, measured.people, measured.asked) == (TAUGHT, 2, 4)
    assert (measured.before, measured.right, measured.least, measured.most) == (0, 1, 1, 1)
    assert 0.5 < measured.claimed <= 1
    [row] = people_frame([measured]).to_dict("records")
    assert row["examples"] == "1 each of all expressions"
    assert (row["right before"], row["right"], row["by person"]) == ("0.0%", "100.0%", "100% to 100%")
    assert measure_people(people, models, draws=3, cases=[Case(1)]) == [measured], "other draws the second time"


def test_faces_of_expressions_that_were_not_taught_are_counted_apart(folder: Path, models: Ensemble) -> None:
    """What is gained on those that were taught would hide what it costs the others."""
    people = read_people(folder, models, progress=False)
    measured = {row.about: row for row in measure_people(people, models, draws=4, cases=[Case(1, n_taught=3)])}
    assert measured.keys() == {TAUGHT, OTHERS}
    assert (measured[TAUGHT].asked, measured[OTHERS].asked) == (6, 3)


def test_labels_of_ones_own_are_expressions_that_the_models_do_not_know(folder: Path, models: Ensemble) -> None:
    """Else the models' own answers would be taken for what was taught."""
    people = read_people(folder, models, progress=False)
    case = Case(2, n_taught=1, n_own=2)
    measured = {row.about: row for row in measure_people(people, models, draws=4, cases=[case])}
    assert measured[OWN].before == 0 < measured[OWN].right
    assert measured[OWN].asked == 2
    assert measured[OTHERS].asked == 3
    fewer = lesson.without(models, ["Fear", "Sad"])
    assert fewer.classes == ("Angry", "Happy")
    X = np.full((3, config.N_PIXELS), 250, np.uint8)
    assert fewer.predict(X).tolist() == ["Happy"] * 3
    assert fewer.predict_proba(X).sum(axis=1) == pytest.approx([1, 1, 1])


def test_models_of_few_classes_keep_two_when_labels_are_taken_out(folder: Path, tmp_path: Path) -> None:
    few = load_models(write_tiny_models(tmp_path / "few"))
    assert measure_people(read_people(folder, few, progress=False), few, 2, [Case(2, n_taught=1, n_own=2)]) == []


@pytest.mark.parametrize("n", [1, 2])
def test_no_example_is_asked_about_and_one_in_seven_is_wrong(n: int) -> None:
    """A face that was taught would be counted as recognised."""
    shown = np.repeat(list("abcdefg"), 4)
    for seed in range(20):
        for is_sloppy in (False, True):
            drawn = draw(Case(n, is_sloppy=is_sloppy), shown.tolist(), np.random.default_rng(seed))
            assert drawn is not None
            assert not set(drawn.rows) & set(drawn.asked)
            assert sorted(drawn.labels) == sorted("abcdefg" * n)
            wrong = sum(shown[drawn.rows] != drawn.labels)
            assert wrong == is_sloppy * 7 * n / WRONG_OF


def test_nobody_takes_part_who_has_too_few_faces() -> None:
    """Two pictures of each expression, two of which are examples, leave nothing to ask about."""
    random = np.random.default_rng(0)
    assert draw(Case(2), list("aabbcc"), random) is None
    assert draw(Case(2), list("aaabbcc"), random) is None
    assert draw(Case(2), list("aaabbbcc"), random) is not None
    assert draw(Case(1, n_taught=3), list("aabbcc"), random) is None
    assert draw(Case(2, n_taught=1, n_own=2), list("aaabbccdd"), random) is None


def test_what_is_not_measured_is_counted_and_named(folder: Path, models: Ensemble) -> None:
    """Else a score would rest on fewer pictures than somebody believes."""
    (folder / "ada" / "sad" / "broken.png").write_bytes(b"no picture")
    (folder / "ada" / "sad" / "notes.txt").write_text("about the pictures")
    write_face(folder / "ada" / "happy" / "wall.png", 90, side=300)
    write_face(folder / "ada" / "thinking" / "1.png", 90)
    cv2.imwrite(str(folder / "ada" / "fear" / "blurred.png"), np.full((48, 48), 90, np.uint8))
    write_face(folder / "cleo" / "sad" / "1.png", 90)
    write_face(folder / "holidays" / "1.png", 90)
    write_face(folder / "1.png", 90)
    (folder / "nobody").mkdir()
    people = read_people(folder, models, progress=False)
    assert people.left_out == {
        "that cannot be read": 1,
        ".txt": 1,
        "without a face": 1,
        "with a face not fit to learn from": 1,
        "of Thinking, which the models do not know": 1,
        "of a person with fewer than two expressions": 1,
        "in no folder of a person's expression": 2,
    }
    assert str(people).startswith("2 people with 24 faces. Left out: 2 in no folder of a person's expression, 1 .txt, ")
    assert str(People({"ada": people.faces["ada"]})) == "1 person with 12 faces."


def test_the_folder_of_one_person_is_told_from_one_of_people(folder: Path, models: Ensemble) -> None:
    told = (
        r"/ada must hold a folder for each person, with folders of pictures for two expressions or more in it, and "
        r"holds no such person\.$"
    )
    with pytest.raises(DatasetError, match=told):
        read_people(folder / "ada", models, progress=False)


def test_several_people_are_not_taken_for_one(folder: Path, models: Ensemble) -> None:
    """Whoever names the folder above would measure how well one face is known by another."""
    above = folder.parent / "above"
    for label in ("sad", "happy"):
        write_face(above / "cleo" / label / "1.png", 90)
    folder.rename(above / "people")
    people = read_people(above, models, progress=False)
    assert people.faces.keys() == {"cleo"}
    assert people.left_out == {"in folders further in, perhaps of several people": 24}


def test_the_benchmark_writes_its_table_into_the_page(
    folder: Path, models: Ensemble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, figures = tmp_path / "page.md", tmp_path / "figures.json"
    page.write_text("Before.\n\n| examples | old |\n| --- | --- |\n| 1 | 2 |\n\nAfter.\n", encoding="utf-8")
    command = ["personal.py", str(folder), "--models", models.origin[0], "--draws", "1"]
    monkeypatch.setattr(sys, "argv", [*command, "--json", str(figures), "--page", str(page)])
    monkeypatch.setattr(sys, "path", sys.path[:])
    runpy.run_path(str(config.ROOT / "benchmarks" / "personal.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert printed.startswith("2 people with 24 faces.\n| examples | asked about |")
    before, table, after = page.read_text(encoding="utf-8").split("\n\n")
    assert (before, after) == ("Before.", "After.\n")
    assert table in printed
    written = json.loads(figures.read_text(encoding="utf-8"))
    assert (written["people"], written["faces"], written["draws"]) == (2, 24, 1)
    assert len(written["measured"]) == len(table.splitlines()) - 2
    assert written["fit"]["examples"] == 200
