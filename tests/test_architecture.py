"""What may import what: a reader finds a place by its folder, and opening the page loads nothing that trains."""

import ast
from pathlib import Path

import pytest

import emotion
from emotion import config
from tests.conftest import COLLECTED
from tests.hostile import MARK, README, table

# The rule is the order of the folders: imports go from left to right, and from the learning wing to the serving one.
LEARNS = ("lessons", "networks", "training", "data", "runtime")
SERVES = ("page", "streams", "vote", "faces")
GROUND = {"config", "errors", "labels"}
COMMANDS = {"__init__", "__main__", "bulk", "cli", "measure", "options", "predict"}

HEAVY = {
    *("sklearn", "xgboost", "imblearn", "matplotlib", "skl2onnx", "onnxmltools", "joblib", "pyarrow", "torch"),
    *("distributed", "fsspec", "pandas"),
}

PACKAGE = config.ROOT / "emotion"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path, *, at_once: bool = False) -> set[str]:
    """All modules, dotted, that a file imports anywhere; `at_once`, only those that it imports when it is imported."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    if at_once:
        inner = {
            id(inside)
            for node in nodes
            if isinstance(node, ast.FunctionDef)
            or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
            for inside in ast.walk(node)
        }
        nodes = [node for node in nodes if id(node) not in inner]
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path}: imports are written out, from emotion on"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def folder_of(path: Path) -> str:
    """A file's folder in the package, or, of one that lies beside the folders, its own name."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def reached_from(folder: str) -> set[str]:
    """What files of a folder may import."""
    if folder in GROUND:
        return GROUND
    if folder in SERVES:
        return {*SERVES[SERVES.index(folder) :], *GROUND}
    if folder in LEARNS:
        return {*LEARNS[LEARNS.index(folder) :], *SERVES[1:], *GROUND}
    return {*LEARNS, *SERVES, *GROUND, *COMMANDS}


def used_by(path: Path) -> set[str]:
    """The folders of the package, and the files beside them, that a file imports, also by what `emotion` offers."""
    names = [name.split(".")[1] for name in imported(path) if name.startswith("emotion.")]
    return {emotion._PLACES.get(name, name).split(".")[0] for name in names}


def test_imports_go_down_only() -> None:
    folders = {folder_of(path) for path in SOURCES}
    assert folders == {*LEARNS, *SERVES, *GROUND, *COMMANDS}
    for path in SOURCES:
        assert used_by(path) & folders <= reached_from(folder_of(path)), path
    assert used_by(config.PAGE_FILE) & folders <= {*SERVES, *GROUND}


@pytest.mark.parametrize("folder", SERVES)
def test_what_serves_loads_nothing_of_training(folder: str) -> None:
    """Else opening the page would load seconds' worth of libraries that it never uses."""
    always = [config.PAGE_FILE, PACKAGE / "__init__.py", *(PACKAGE / f"{name}.py" for name in GROUND)]
    for path in [*(PACKAGE / folder).glob("*.py"), *always]:
        assert not {name.split(".")[0] for name in imported(path, at_once=True)} & HEAVY, path


def test_streamlit_is_called_in_the_pages_folder_only() -> None:
    """Anything else must work, and be tested, without a page."""
    for path in SOURCES:
        calls = any(name.split(".")[0].startswith("streamlit") for name in imported(path))
        assert folder_of(path) == "page" or not calls, path


def test_folders_and_files_can_be_looked_through() -> None:
    """At most ten files in a folder, and none longer than a few screens; each folder says where to begin reading."""
    assert len(list(PACKAGE.glob("*.py"))) <= 9
    for folder in (PACKAGE / name for name in (*LEARNS, *SERVES)):
        assert len(list(folder.glob("*.py"))) <= 10, folder
        said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert said is not None
        assert "Begin with" in said, folder
    for path in SOURCES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 360, path


def test_no_pickle_is_opened_by_the_package() -> None:
    """What ships is ONNX: whoever sends a model must not be able to run a program."""
    for path in [*SOURCES, config.PAGE_FILE]:
        source = path.read_text(encoding="utf-8")
        assert "pickle" not in {name.split(".")[0] for name in imported(path)}
        assert "joblib.load" not in source
        assert "allow_pickle" not in source


def test_the_list_of_hostile_cases_is_that_of_the_tests(pytestconfig: pytest.Config) -> None:
    """tests/README.md promises what is tested, and no more."""
    collected = pytestconfig.stash[COLLECTED]
    if not collected.is_whole:
        pytest.skip("only where all tests are looked at: make test")
    promised = README.read_text(encoding="utf-8").partition(MARK)[2].strip()
    assert table(collected.items).strip() == promised, "python -m tests.hostile brings it up to date"
    assert int(promised.split()[0]) >= 120
