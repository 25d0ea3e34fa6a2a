"""The notebooks run from top to bottom, and were committed with the outputs of one clean run."""

import ast
import contextlib
import importlib.util
import io
import os
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import matplotlib as mpl
import nbformat
import numpy as np
import pandas as pd
import pytest

from emotion import config
from emotion.data.splitting import split_faces
from emotion.errors import DatasetError
from emotion.lessons import places as lesson_places
from emotion.lessons import results
from emotion.training import judging
from emotion.vote.loading import load_models, read_manifest
from tests.synthetic import CLASSES, synthetic_faces, write_table

CAN_TRAIN_NETWORKS = "CI" in os.environ or importlib.util.find_spec("torch") is not None
"""PyTorch is there for those who train networks, and where all tests are to run."""

FOLDER = config.ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where notebooks find and leave things: an empty folder. The project's own models are left alone."""
    monkeypatch.setenv("EMOTION_FAST", "1")
    monkeypatch.setenv("EMOTION_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("EMOTION_DATA", str(tmp_path / "data.csv"))
    for name in ("EMOTION_TEST", "EMOTION_VOTES", "EMOTION_NETWORKS", "EMOTION_PEOPLE"):
        monkeypatch.delenv(name, raising=False)
    # Cells run in this process, which starts no kernel, and must not find out.
    mpl.use("agg")
    monkeypatch.chdir(FOLDER)
    monkeypatch.setattr(sys, "path", sys.path[:])
    with pd.option_context("display.float_format", None):
        yield tmp_path


def run_cells(name: str) -> str:
    """Run the cells of a notebook one after the other; give what they display."""
    shown: list[Any] = []
    names: dict[str, Any] = {"display": shown.append}
    for number, cell in enumerate(nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells):
        if cell.cell_type == "code":
            statements, place = ast.parse(cell.source).body, f"{name}.ipynb, cell {number}"
            last = statements.pop() if isinstance(statements[-1], ast.Expr) else None
            exec(compile(ast.Module(statements, []), place, "exec"), names)
            if last is not None:
                shown.append(eval(compile(ast.Expression(last.value), place, "eval"), names))
    return "\n".join(map(str, shown))


def people_with(folder: Path, n: int) -> Path:
    """A folder of two people with so many faces of each of four expressions."""
    faces = synthetic_faces((2 * n, n, n)).X.reshape(-1, config.FACE_SIDE, config.FACE_SIDE)
    for person in ("ada", "ben"):
        for number, (face, label) in enumerate(zip(faces, np.repeat([*CLASSES, "Fear"], n), strict=True)):
            (folder / person / label).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / person / label / f"{number}.png"), face)
    return folder


def run_here(command: list[str], **_: object) -> SimpleNamespace:
    """Run a program of Python's in this process, which knows of smaller parts."""
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(io.StringIO()) as said:
        patched.setattr(sys, "argv", command[1:])
        runpy.run_path(str(config.ROOT / command[1]), run_name="__main__")
    return SimpleNamespace(stdout=said.getvalue())


def test_all_notebooks_run_on_faces_with_a_test_part(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order in which a user runs them, on made-up faces; as on many faces, nothing is missing."""
    for module in ("data.splitting", "training.calibration"):
        monkeypatch.setattr(f"emotion.{module}.LEAST_VALIDATION", 25)
    monkeypatch.setattr(results, "subprocess", SimpleNamespace(run=run_here))
    write_table(places / "data.csv", synthetic_faces((150, 120, 40)))
    monkeypatch.setenv("EMOTION_TEST", str(write_table(places / "test.csv", synthetic_faces((70, 70, 70), seed=1))))
    monkeypatch.setenv("EMOTION_PEOPLE", str(people_with(places / "my-people", 4)))
    before = (config.MODELS / config.MANIFEST_FILE).read_bytes()
    if CAN_TRAIN_NETWORKS:  # one of each kind: exports take seconds
        from emotion.networks import designs

        for kind in ("FAST_DESIGNS", "FAST_TEACHERS"):
            monkeypatch.setattr(designs, kind, getattr(designs, kind)[:1])
    for path in NOTEBOOKS:
        if path.stem != "Face_Embedding" or CAN_TRAIN_NETWORKS:
            run_cells(path.stem)
    printed = capsys.readouterr().out
    for absent in ("There are no validation faces", "Too few", "too few", "Not measured"):
        assert absent not in printed
    assert load_models(places / "models").classes == CLASSES
    assert (config.MODELS / config.MANIFEST_FILE).read_bytes() == before


def test_the_notebooks_on_models_run_on_few_faces(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a test part or validation faces: whatever needs one says that there is none."""
    monkeypatch.setattr(judging, "FOLDS", 2)
    monkeypatch.setattr(judging, "REPEATS", 1)
    write_table(places / "data.csv", synthetic_faces((16, 14, 12)))
    assert "vote of the five" in run_cells("Model_Building")
    printed = capsys.readouterr().out
    assert "No faces are set aside to test on" in printed
    assert "There are no validation faces" in printed
    assert "Right of 42 faces, each judged by models that had learnt" in printed
    run_cells("Model_Testing")
    printed = capsys.readouterr().out
    assert "judged by cross-validation, 42 faces" in printed
    assert "0 test faces are too few to measure it; 200 are needed." in printed
    assert read_manifest(places / "models")["rows"]["train"] == 42


def test_the_notebook_on_ones_own_face_says_what_to_name_where_nobody_is(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_cells("Your_Face")
    said, *others = capsys.readouterr().out.splitlines()
    assert said == "There are no people: name a folder of theirs in EMOTION_PEOPLE."
    assert set(others) == {"Not measured."}


def test_the_notebook_on_ones_own_face_measures_the_people_that_are_named(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its first table has a row for each number of examples that there are faces enough for."""
    monkeypatch.setenv("EMOTION_PEOPLE", str(people_with(places / "my-people", 3)))
    shown = run_cells("Your_Face")
    assert capsys.readouterr().out.startswith("2 people with 24 faces.\n")
    for row in ("1 each of all expressions", "2 each of all expressions", "2 each of 2 own labels and 1 expression"):
        assert row in shown
    assert "3 each of all expressions" not in shown


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`notebooks/run.py`, with copies elsewhere."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    place = importlib.util.spec_from_file_location("run", FOLDER / "run.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    monkeypatch.setattr(module, "COPIES", tmp_path / "my-notebooks")
    return module


def small_notebook(path: Path, *cells: str) -> Path:
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # the kernel's client, not ours
def test_what_a_failing_notebook_has_shown_is_kept_in_a_copy(
    runner: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An hour of training before the cell that failed is not lost, and the project's notebook is as it was."""
    path = small_notebook(tmp_path / "small.ipynb", "print('trained')", "{}['votes']", "print('never')")
    before = path.read_bytes()
    monkeypatch.setattr(sys, "argv", ["run.py", str(path), str(tmp_path / "not_reached.ipynb")])
    (tmp_path / "not_reached.ipynb").write_bytes(before)
    assert runner.main() == 1
    copy = tmp_path / "my-notebooks" / "small.ipynb"
    assert capsys.readouterr().err == f"{copy} was kept up to the cell that failed. KeyError: 'votes'\n"
    first, second, third = nbformat.read(copy, as_version=4).cells
    assert first.outputs[0].text == "trained\n"
    assert second.outputs[0].output_type == "error"
    assert third.outputs == []
    assert path.read_bytes() == before


def test_a_copy_that_was_changed_is_not_copied_over(
    runner: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be a week of somebody's work."""
    path, copy = small_notebook(tmp_path / "small.ipynb", "1"), tmp_path / "my-notebooks" / "small.ipynb"
    monkeypatch.setattr(sys, "argv", ["run.py", "--only-copy", str(path)])
    assert runner.main() == 0
    assert copy.read_bytes() == path.read_bytes()
    own = small_notebook(copy, "2").read_bytes()
    assert runner.main() == 0
    assert copy.read_bytes() == own
    assert f"{copy} is taken as it stands there; remove it to begin anew." in capsys.readouterr().out


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_shows_one_clean_run(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error"]
    text = path.read_text(encoding="utf-8")
    assert "Warning" not in text
    assert str(Path.home()) + os.sep not in text  # no paths of the machine that it ran on
    assert str(config.ROOT) not in text


def test_models_are_not_judged_again_on_other_tables() -> None:
    """What is a test face in these may have been learnt from: the notebook would show too good a score."""
    split = split_faces(synthetic_faces((9, 9, 9)))
    told = r"may have been learnt\. Name those in EMOTION_DATA and EMOTION_TEST, or train anew\.$"
    with pytest.raises(DatasetError, match=told):
        results.judged_again(load_models(config.MODELS), split, None, read_manifest(config.MODELS))


def test_tiny_models_do_not_take_the_place_of_own_ones() -> None:
    """Whoever tries the way in seconds has not lost what took minutes."""
    assert lesson_places.places({}).models == config.OWN_MODELS
    assert lesson_places.places({"EMOTION_FAST": "1"}).models == config.OWN_MODELS / "fast"
    assert lesson_places.places({"EMOTION_FAST": "1", "EMOTION_MODELS": "tried"}).models == config.WORKPLACE / "tried"
