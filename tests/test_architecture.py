"""What may import what: the page stays light, and no part can be understood only through all others."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from emotion import config
from tests.hostile import MARK, README

LAYERS = (
    {"config", "devices", "errors", "files", "graphs", "labels"},
    {"augmentation", "card", "cluster", "faces", "annotators", "fetch", "storage", "terminal", "voting"},
    {
        "dask_backend",
        "dataset",
        "embedding",
        "ensemble",
        "occlusion",
        "progress",
        "quantization",
        "recipes",
        "seen",
        "tables",
        "tracking",
    },
    {"evaluation", "export", "fitting", "networks", "recognizer", "record", "splitting", "vectorize"},
    {"bulk", "drawing", "network_data", "training"},
    {"teaching"},
    {"network_training"},
    {"cli", "video"},
    {"__main__", "ui"},
)
PACKAGE_FACE = "__init__"  # re-exports what others may call
TRAINING_SIDE = {
    "dask_backend",
    "dataset",
    "embedding",
    "evaluation",
    "export",
    "annotators",
    "cluster",
    "fitting",
    "augmentation",
    "devices",
    "network_data",
    "network_training",
    "networks",
    "quantization",
    "recipes",
    "seen",
    "splitting",
    "storage",
    "teaching",
    "training",
    "vectorize",
}
HEAVY = {
    "sklearn",
    "xgboost",
    "imblearn",
    "matplotlib",
    "skl2onnx",
    "onnxmltools",
    "joblib",
    "pyarrow",
    "torch",
    "distributed",
    "fsspec",
}

SOURCES = {path: path.stem for path in (config.ROOT / "emotion").glob("*.py")}
SOURCES |= dict.fromkeys((config.ROOT / "emotion" / "ui").glob("*.py"), "ui")


def imported(path: Path) -> set[str]:
    """All modules that a file imports anywhere, dotted."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def own_parts(path: Path) -> set[str]:
    """The parts of the package that a file imports."""
    names = {name.split(".")[1] for name in imported(path) if name.startswith("emotion.")}
    return names & set(SOURCES.values())


def layer_of(part: str) -> int:
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


@pytest.mark.parametrize("path", [path for path, part in SOURCES.items() if part != PACKAGE_FACE], ids=lambda p: p.stem)
def test_imports_point_down_only(path: Path) -> None:
    part = SOURCES[path]
    allowed_beside = {"ui"} if part == "ui" else set()
    for other in own_parts(path) - allowed_beside:
        assert layer_of(other) < layer_of(part), f"{part} must not import {other}"


def test_the_page_reaches_nothing_of_training() -> None:
    """Else opening the page would load seconds' worth of libraries that it never uses."""
    reached: set[Path] = set()
    waiting = [config.ROOT / "web_app.py", config.ROOT / "emotion" / "__init__.py"]
    while waiting:
        path = waiting.pop()
        reached.add(path)
        parts = own_parts(path)
        waiting += [other for other, part in SOURCES.items() if part in parts and other not in reached]
    assert {SOURCES.get(path) for path in reached} >= {"ui", "video", "ensemble"}
    assert not {SOURCES.get(path) for path in reached} & TRAINING_SIDE
    for path in reached:
        assert not {name.split(".")[0] for name in imported(path)} & HEAVY


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_streamlit_is_called_in_the_pages_own_files_only(path: Path) -> None:
    """Anything else must work, and be tested, without a page."""
    if SOURCES[path] != "ui":
        assert not any(name.split(".")[0].startswith("streamlit") for name in imported(path))


def test_no_pickle_is_opened_by_the_package() -> None:
    """What ships is ONNX: whoever sends a model must not be able to run a program."""
    for path in [*SOURCES, config.ROOT / "web_app.py"]:
        source = path.read_text(encoding="utf-8")
        assert "pickle" not in {name.split(".")[0] for name in imported(path)}
        assert "joblib.load" not in source
        assert "allow_pickle" not in source


def test_the_list_of_hostile_cases_is_that_of_the_tests() -> None:
    """tests/README.md promises what is tested, and no more."""
    promised = README.read_text(encoding="utf-8").partition(MARK)[2].strip()
    done = subprocess.run(
        [sys.executable, "-c", "from tests.hostile import table; print(table())"],
        cwd=config.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == promised, "python -m tests.hostile brings it up to date"
    assert int(promised.split()[0]) >= 120
