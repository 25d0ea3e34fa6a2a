"""The notebooks run from top to bottom, and were committed with the outputs of one clean run."""

import importlib.util
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from emotion import config
from emotion.vote.loading import load_models
from tests.synthetic import CLASSES, synthetic_faces, write_table

CAN_TRAIN_NETWORKS = "CI" in os.environ or importlib.util.find_spec("torch") is not None
"""PyTorch is there for those who train networks, and where all tests are to run."""

NOTEBOOKS = sorted((config.ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # the kernel's client, not ours
def test_copies_of_all_notebooks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order in which a user runs them, on made-up faces."""
    monkeypatch.setenv("EMOTION_FAST", "1")
    monkeypatch.setenv("EMOTION_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("EMOTION_DATA", str(write_table(tmp_path / "data.csv", synthetic_faces((150, 120, 40)))))
    monkeypatch.setenv("EMOTION_TEST", str(write_table(tmp_path / "test.csv", synthetic_faces((30, 30, 30), seed=1))))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    before = (config.MODELS / config.MANIFEST_FILE).read_bytes()
    for path in NOTEBOOKS:
        if path.stem == "Face_Embedding" and not CAN_TRAIN_NETWORKS:
            continue
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    assert load_models(tmp_path / "models").classes == CLASSES
    assert (config.MODELS / config.MANIFEST_FILE).read_bytes() == before  # the project's own models are left alone


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
