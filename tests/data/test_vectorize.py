"""Folders of pictures become the table that training reads and that the page's own vectors are equal to."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from skimage import data

import image_to_vector
from emotion import config
from emotion.data import vectorize
from emotion.data.dataset import read_faces
from emotion.errors import DatasetError
from emotion.faces.decode import decode_image
from emotion.runtime.storage import Folder
from emotion.vote.loading import load_models
from emotion.vote.recognizer import Recognizer
from tests.tiny_models import write_tiny_models

PORTRAIT_BGR = np.ascontiguousarray(data.astronaut()[:, :, ::-1])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two emotions: cut-out faces, a portrait with a face, one without, one that is damaged, one that is hidden."""
    random = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    for emotion in ("happy", "Suprise"):
        (folder / emotion).mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(folder / emotion / f"{i}.png"), random.integers(0, 256, (48, 48), np.uint8))
    cv2.imwrite(str(folder / "happy" / "portrait.jpg"), PORTRAIT_BGR)
    cv2.imwrite(str(folder / "happy" / "wall.png"), np.full((200, 200, 3), 99, np.uint8))
    (folder / "happy" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (folder / "happy" / ".DS_Store").write_bytes(b"hidden")
    return folder


def run(folder: Path, output: Path, keep_names: bool = False) -> vectorize.Summary:
    return vectorize.vectorize(folder, output, keep_names=keep_names, progress=False)


def test_every_file_is_accounted_for(pictures: Path, tmp_path: Path) -> None:
    summary = run(pictures, tmp_path / "data.csv")
    assert summary.files == 9
    assert dict(summary.faces) == {"Happy": 4, "Surprise": 3}
    assert summary.without_face == 1
    assert [name for name, _ in summary.unreadable] == ["happy/broken.png"]
    assert "happy/broken.png\t" in (tmp_path / "data.unreadable.txt").read_text(encoding="utf-8")


def test_training_and_page_see_the_same_vector(pictures: Path, tmp_path: Path) -> None:
    """Otherwise the page would ask the models about faces unlike those they learnt."""
    run(pictures, tmp_path / "data.csv")
    table = read_faces(tmp_path / "data.csv")
    asked: list[np.ndarray] = []
    models = load_models(write_tiny_models(tmp_path / "models"))
    answer = models.vote
    models.vote = lambda X: asked.append(X) or answer(X)  # type: ignore[method-assign, func-returns-value]
    Recognizer(models).recognize(decode_image((pictures / "happy" / "portrait.jpg").read_bytes()))
    assert (table.X[table.y == "Happy"][-1] == asked[0][0]).all()


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_a_rerun_gives_the_same_bytes(pictures: Path, tmp_path: Path, name: str) -> None:
    run(pictures, tmp_path / name)
    before = (tmp_path / name).read_bytes()
    run(pictures, tmp_path / name)
    assert (tmp_path / name).read_bytes() == before


def test_names_are_kept_on_request(pictures: Path, tmp_path: Path) -> None:
    run(pictures, tmp_path / "data.csv", keep_names=True)
    lines = (tmp_path / "data.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith(",emotion,file")
    assert [line.split(",")[-2:] for line in lines[1:3]] == [
        ["Surprise", "Suprise/0.png"],
        ["Surprise", "Suprise/1.png"],
    ]


@pytest.mark.hostile("for which emotions no face was found")
def test_emotions_without_a_face_are_told(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Models trained on the table would never say them."""
    for name in ("angry", "sad"):
        (pictures / name).mkdir()
    cv2.imwrite(str(pictures / "angry" / "wall.png"), np.full((200, 200, 3), 99, np.uint8))
    assert image_to_vector.main([str(pictures), "--output", str(tmp_path / "data.csv")]) == 0
    told = capsys.readouterr().out
    assert "No face was found for Angry, Sad" in told
    assert "faces: Sad                       0" in told


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_a_table_that_cannot_be_written_leaves_the_list_of_unreadable_files(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The old table stays, and the list is of it."""
    run(pictures, tmp_path / name)
    before = (tmp_path / "data.unreadable.txt").read_bytes()
    (pictures / "happy" / "broken.png").unlink()

    @contextlib.contextmanager
    def full(*_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(write=lambda *_: None)
        raise DatasetError("the disk is full")

    monkeypatch.setattr(vectorize, "face_writer", full)
    with pytest.raises(DatasetError, match="the disk is full"):
        run(pictures, tmp_path / name)
    assert (tmp_path / "data.unreadable.txt").read_bytes() == before


def test_a_list_of_unreadable_files_that_cannot_be_written_is_told(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "data.unreadable.txt").mkdir()
    with pytest.raises(DatasetError, match=r"data\.csv is written, but not the list of unreadable files"):
        run(pictures, tmp_path / "data.csv")
    assert len(read_faces(tmp_path / "data.csv")) == 7


def test_a_mended_folder_takes_back_its_list_of_unreadable_files(pictures: Path, tmp_path: Path) -> None:
    run(pictures, tmp_path / "data.csv")
    (pictures / "happy" / "broken.png").unlink()
    run(pictures, tmp_path / "data.csv")
    assert not (tmp_path / "data.unreadable.txt").exists()


@pytest.mark.hostile("the file in the list of unreadable ones")
def test_a_file_that_vanishes_is_one_unreadable_file(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = vectorize.picture_files(Folder(pictures))
    (pictures / "happy" / "1.png").unlink()
    monkeypatch.setattr(vectorize, "picture_files", lambda folder, labels: listed)
    summary = run(pictures, tmp_path / "data.csv")
    assert ("happy/1.png", "The file cannot be read: No such file or directory.") in summary.unreadable


@pytest.mark.slow
@pytest.mark.hostile("the file in the list of unreadable ones")
def test_enormous_files_are_not_loaded(pictures: Path, tmp_path: Path) -> None:
    with (pictures / "happy" / "huge.png").open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(config.MAX_IMAGE_FILE_BYTES + 1)
    summary = run(pictures, tmp_path / "data.csv")
    assert ("happy/huge.png", "The file is larger than 200 MB: save a smaller picture.") in summary.unreadable


@pytest.mark.hostile("the name, with the odd bytes spelled out")
def test_names_that_are_not_utf8_are_written_readably(pictures: Path, tmp_path: Path) -> None:
    (pictures / "happy" / "0.png").rename(pictures / "happy" / os.fsdecode(b"\xff.png"))
    run(pictures, tmp_path / "data.csv", keep_names=True)
    assert "happy/\\udcff.png" in (tmp_path / "data.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("moment", [0, 3, 8])
def test_an_interrupted_run_leaves_the_old_table(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    (tmp_path / "data.csv").write_text("old", encoding="utf-8")
    whole = vectorize.faces_of_file
    calls = iter(range(100))

    def interrupted(*arguments: object) -> object:
        if next(calls) == moment:
            raise KeyboardInterrupt
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(vectorize, "faces_of_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(pictures, tmp_path / "data.csv")
    assert (tmp_path / "data.csv").read_text(encoding="utf-8") == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.csv", "pictures"]


@pytest.mark.parametrize(
    ("made", "asked", "sentence"),
    [
        ("happy/", ".", "holds none"),
        ("0.png", ".", "holds none"),
        ("happy/0.png", "sad", "There is no folder"),
    ],
)
@pytest.mark.hostile("which folder to name in its place")
def test_a_wrong_folder_is_told_with_the_right_one(tmp_path: Path, made: str, asked: str, sentence: str) -> None:
    target = tmp_path / made
    if made.endswith("/"):
        target.mkdir()
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), np.zeros((48, 48), np.uint8))
    with pytest.raises(DatasetError, match=sentence):
        run(tmp_path / asked, tmp_path / "data.csv")


def test_a_folder_without_any_face_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "in" / "sad").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "in" / "sad" / "wall.png"), np.full((90, 90, 3), 99, np.uint8))
    with pytest.raises(DatasetError, match=r"No face was found in the picture of .*add --faces"):
        run(tmp_path / "in", tmp_path / "data.csv")
    assert not (tmp_path / "data.csv").exists()


def test_the_command_prints_its_table(pictures: Path, tmp_path: Path) -> None:
    """As a user types it, in a process of its own."""
    command = [sys.executable, "image_to_vector.py", str(pictures), "--output", str(tmp_path / "data.csv")]
    result = subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, timeout=60, check=True)
    counts = {line[:24].strip(): line.split()[-1] for line in result.stdout.splitlines()}
    assert counts["files read"] == "8"
    assert counts["faces: Happy"] == "4"
    assert counts["faces in all"] == "7"
    assert counts["pictures without a face"] == "1"
    assert counts["unreadable files"] == "1"
    assert result.stdout.endswith(f"-m emotion train --data {tmp_path / 'data.csv'}\n"), "what to type next"
    assert result.stderr == "", "no bar where nobody looks on"


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert image_to_vector.main([str(tmp_path / "nowhere")]) == 1
    assert capsys.readouterr().err == f"There is no folder {tmp_path / 'nowhere'}.\n"


def test_no_name_for_the_table_is_told(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As of a variable that a script has not set."""
    assert image_to_vector.main([str(pictures), "--output", ""]) == 1
    assert capsys.readouterr().err == "Name the table that is to be written.\n"


def test_a_link_to_a_table_stays_a_link(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "data.csv").symlink_to(tmp_path / "large" / "faces.csv")
    run(pictures, tmp_path / "data.csv")
    assert (tmp_path / "data.csv").is_symlink()
    assert len(read_faces(tmp_path / "large" / "faces.csv")) == 7


@pytest.mark.hostile("FILE cannot be written: something that is no file has this name")
def test_what_is_no_file_is_not_replaced(pictures: Path, tmp_path: Path) -> None:
    """Run by root, as in many a container, a table would take the place of /dev/null for all programs."""
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DatasetError, match="something that is no file has this name"):
        run(pictures, tmp_path / "pipe.csv")
    assert (tmp_path / "pipe.csv").is_fifo()


def test_a_parquet_table_is_written_without_pandas_and_models(pictures: Path, tmp_path: Path) -> None:
    """pyarrow would import pandas to look at what it is given: 50 MB for each core that writes parts."""
    child = (
        "import sys; from emotion.data.vectorize import vectorize; "
        "vectorize(sys.argv[1], sys.argv[2], keep_names=True, progress=False); "
        "assert not {'pandas', 'onnxruntime'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", child, str(pictures), str(tmp_path / "data.parquet")]
    done = subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert read_faces(tmp_path / "data.parquet").files is not None


@pytest.mark.parametrize("side", [50, 96, 100, 224])
def test_pictures_that_are_faces_already_are_taken_whole(tmp_path: Path, side: int) -> None:
    """As AffectNet's and RAF-DB's are on Kaggle: a detector would lose some, unevenly by class."""
    random = np.random.default_rng(0)
    for label in ("happy", "sad"):
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(3):
            picture = random.integers(0, 256, (side, side, 3), np.uint8)
            cv2.imwrite(str(tmp_path / "set" / label / f"{number}.png"), picture)
    table = str(tmp_path / "faces.csv")
    assert image_to_vector.main([str(tmp_path / "set"), "--output", table, "--faces"]) == 0
    assert read_faces(table).counts() == {"Happy": 3, "Sad": 3}


def test_small_squares_without_a_face_lead_to_the_switch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "set" / "happy").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "set" / "happy" / "a.png"), np.ascontiguousarray(data.astronaut()[:, :, ::-1]))
    for number in range(4):
        cv2.imwrite(str(tmp_path / "set" / "happy" / f"{number}.png"), np.full((100, 100), 90, np.uint8))
    assert image_to_vector.main([str(tmp_path / "set"), "--output", str(tmp_path / "faces.csv")]) == 0
    assert "4 of the pictures without a face are small squares" in capsys.readouterr().out


def test_the_cascade_of_the_first_version_is_still_at_hand(tmp_path: Path) -> None:
    (tmp_path / "set" / "happy").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "set" / "happy" / "a.png"), np.ascontiguousarray(data.astronaut()[:, :, ::-1]))
    faces = {}
    for detector in ("yunet", "haar"):
        table = str(tmp_path / f"{detector}.csv")
        assert image_to_vector.main([str(tmp_path / "set"), "--output", table, "--detector", detector]) == 0
        faces[detector] = read_faces(table)
    assert len(faces["yunet"]) == len(faces["haar"]) == 1
    assert (faces["yunet"].X != faces["haar"].X).any()
