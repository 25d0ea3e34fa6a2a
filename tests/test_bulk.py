"""Whole folders: nothing is lost when a run is broken off, nothing is done twice, nothing is overwritten."""

import csv
import errno
import json
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import pytest
from skimage import data

from emotion import cli
from emotion.bulk import folders
from emotion.bulk.folders import BulkSummary, recognize_folder
from emotion.errors import OutputError
from emotion.runtime.storage import Folder
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import load_models
from tests.tiny_models import write_tiny_models

KINDS = ["votes.csv", "votes.jsonl"]


@pytest.fixture
def models(tmp_path: Path) -> Ensemble:
    return load_models(write_tiny_models(tmp_path / "models"))


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Faces at two depths, a portrait, a wall, a damaged file, what is no picture, and what is hidden."""
    monkeypatch.setattr(folders, "_BATCH_PICTURES", 4)
    folder = tmp_path / "pictures"
    (folder / "b" / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for number in range(9):
        face = np.full((48, 48), 25 * number, np.uint8)
        cv2.imwrite(str(folder / ("b/deep", "b", ".")[number % 3] / f"=face{number}.png"), face)
    cv2.imwrite(str(folder / "portrait.jpg"), np.ascontiguousarray(data.astronaut()[:, :, ::-1]))
    cv2.imwrite(str(folder / "wall.png"), np.full((90, 120), 99, np.uint8))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "notes.txt").write_text("no picture")
    cv2.imwrite(str(folder / ".hidden" / "face.png"), np.zeros((48, 48), np.uint8))
    return folder


def run(pictures: Path, out: Path, models: Ensemble) -> BulkSummary:
    return recognize_folder(pictures, out, models, progress=False)


def test_every_picture_is_in_the_file_as_if_asked_for_alone(pictures, tmp_path, models, capsys):
    summary = run(pictures, tmp_path / "votes.jsonl", models)
    assert (summary.pictures, summary.faces, summary.unreadable) == (12, 10, 1)
    told = {line["picture"]: line for line in map(json.loads, (tmp_path / "votes.jsonl").read_text().splitlines())}
    assert len(told) == 12
    for name in ("b/deep/=face0.png", "portrait.jpg", "wall.png", "broken.png"):
        cli.main(["predict", str(pictures / name), "--json", "--models", str(tmp_path / "models")])
        alone = json.loads(capsys.readouterr().out)
        assert {**told[name], "picture": ""} == {**alone, "picture": ""}


def test_the_table_has_a_row_a_face_and_one_for_each_picture_without(pictures, tmp_path, models):
    run(pictures, tmp_path / "votes.csv", models)
    with (tmp_path / "votes.csv").open(newline="") as file:
        rows = {row["picture"]: row for row in csv.DictReader(file)}
    assert len(rows) == 12
    assert rows["portrait.jpg"]["label"] == "Happy"
    assert (rows["wall.png"]["face"], rows["wall.png"]["error"]) == ("", "")
    assert "damaged" in rows["broken.png"]["error"] or "not a picture" in rows["broken.png"]["error"]
    assert "'=face2.png" in rows, "a file name is no formula"


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_run_has_nothing_to_do_and_changes_nothing(pictures, tmp_path, models, kind):
    run(pictures, tmp_path / kind, models)
    before = (tmp_path / kind).read_bytes()
    summary = run(pictures, tmp_path / kind, models)
    assert (summary.pictures, summary.done_before) == (0, 12)
    assert (tmp_path / kind).read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 0.5, 0.77, 0.999, "ü"])
def test_a_run_that_was_killed_is_gone_on_with(pictures, tmp_path, models, kind, share):
    """Wherever the last write ended, also within a line or a letter."""
    (pictures / "wall.png").rename(pictures / "fünf.png")
    run(pictures, tmp_path / kind, models)
    whole = (tmp_path / kind).read_bytes()
    header = len(whole.splitlines(keepends=True)[0]) if kind == "votes.csv" else 0
    end = whole.index("ü".encode()) + 1 if share == "ü" else header + int(share * (len(whole) - header))
    (tmp_path / kind).write_bytes(whole[:end])
    run(pictures, tmp_path / kind, models)
    assert (tmp_path / kind).read_bytes() == whole


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_that_came_later_are_found_wherever_they_are(pictures, tmp_path, models, kind):
    run(pictures, tmp_path / kind, models)
    cv2.imwrite(str(pictures / "a.png"), np.zeros((48, 48), np.uint8))
    assert run(pictures, tmp_path / kind, models).pictures == 1
    assert '"a.png"' in (tmp_path / kind).read_text() or "\na.png," in (tmp_path / kind).read_text()


@pytest.mark.hostile("FILE is no file of votes on this folder by these models: name another, or remove it")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", ["folder", "models"])
def test_votes_on_another_folder_or_by_other_models_are_not_mixed(pictures, tmp_path, models, kind, other):
    """Pictures of the same names would be taken for done, or one file would hold the opinions of two ensembles."""
    run(pictures, tmp_path / kind, models)
    before = (tmp_path / kind).read_bytes()
    if other == "folder":
        pictures = pictures.rename(tmp_path / "others")
    else:
        models = load_models(write_tiny_models(tmp_path / "retrained", ("Angry", "Happy", "Surprise")))
    with pytest.raises(OutputError, match="by these models: name another, or remove it"):
        run(pictures, tmp_path / kind, models)
    assert (tmp_path / kind).read_bytes() == before


@pytest.mark.hostile("FILE is not a file of votes: name another, or remove it")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "content",
    [
        b'{"picture": 5}\n{"picture": 6}\n',
        b"[" * 100_000 + b"\n",
        b'{"picture": "\\ud800"}\n{"picture": "a"}\n',
        b"my diary\nof this year\n",
        b"{}\n",
        b"[1]\n",
        b'"picture"\n',
        b"\xff\xd8\xff\x00\n",
    ],
)
@pytest.mark.parametrize("where", ["in a new place", "where votes were"])
def test_a_file_of_something_else_is_not_touched(pictures, tmp_path, models, kind, content, where):
    if where == "where votes were":
        run(pictures, tmp_path / kind, models)
    (tmp_path / kind).write_bytes(content)
    with pytest.raises(OutputError, match="name another, or remove it"):
        run(pictures, tmp_path / kind, models)
    assert (tmp_path / kind).read_bytes() == content


def test_a_table_of_votes_that_was_damaged_later_is_not_touched(pictures, tmp_path, models):
    """As by a disk: to leave out what cannot be read would lose votes without a word."""
    run(pictures, tmp_path / "votes.csv", models)
    with (tmp_path / "votes.csv").open("a") as file:
        file.write("x" * 200_000 + "\n")
    before = (tmp_path / "votes.csv").read_bytes()
    with pytest.raises(OutputError, match=r"votes\.csv is damaged: name another file, or remove it\.$"):
        run(pictures, tmp_path / "votes.csv", models)
    assert (tmp_path / "votes.csv").read_bytes() == before


def test_an_output_whose_ending_says_nothing_is_refused_before_the_work(pictures, tmp_path, models):
    """Of a call: on the command line, an option says which endings there are."""
    told = r"votes\.xlsx must end in \.csv, \.json or \.jsonl, which says what is written\.$"
    with pytest.raises(OutputError, match=told):
        run(pictures, tmp_path / "votes.xlsx", models)
    assert not list(tmp_path.glob("votes*"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "--csv", "votes.csv"], "There is no folder nowhere"),
        (
            ["face.png", "--dask", "tcp://10.0.0.1:8786"],
            "With --dask, name a folder and, with --csv or --json, a file for its votes.",
        ),
        ([".", "--csv", "votes.parquet"], "--csv writes a file that ends in .csv, which votes.parquet does not"),
        ([".", "--json", "face.png"], "ends in .json or .jsonl, which face.png does not; name pictures before it"),
        ([".", "..", "--csv", "votes.csv"], "name one folder"),
        ([".", "--csv", "nowhere/votes.csv"], "cannot be written: No such file"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(models, tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["predict", *arguments, "--models", "models"]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "votes.csv").exists()


def test_a_folder_without_a_file_for_its_votes_says_what_is_missing(models, tmp_path, capsys):
    assert cli.main(["predict", str(tmp_path), "--models", str(tmp_path / "models")]) == 1
    assert "name a file for its votes: --csv votes.csv, or --json votes.jsonl" in capsys.readouterr().out


def test_a_folder_without_pictures_is_told_with_what_it_holds(models, tmp_path, capsys):
    """Else a slip in the name of the folder would seem to be a run that has done its work."""
    (tmp_path / "set" / "a").mkdir(parents=True)
    (tmp_path / "set" / "a" / "notes.txt").write_text("no picture")
    arguments = ["--csv", str(tmp_path / "votes.csv"), "--models", str(tmp_path / "models")]
    assert cli.main(["predict", str(tmp_path / "set"), *arguments]) == 1
    told = f"{tmp_path}/set holds no pictures and no films: name another folder. 1 file passed over: 1 .txt.\n"
    assert capsys.readouterr().err == told


def test_the_command_says_what_it_did(pictures, tmp_path, models, capsys):
    arguments = ["predict", str(pictures), "--csv", str(tmp_path / "v.csv"), "--models", str(tmp_path / "models")]
    assert cli.main(arguments) == 1, "one file is unreadable"
    said = capsys.readouterr().out
    assert "12 pictures looked at, 10 faces; 0 files were in" in said
    assert "by models (Angry, Happy, Sad)" in said
    assert "1 of the files cannot be read, or not to the end" in said
    assert cli.main(arguments) == 1, "it still is"
    said = capsys.readouterr().out
    assert "Nothing to do: all 12 files are in" in said
    assert "1 of the files cannot be read, or not to the end" in said


@pytest.mark.hostile("The file cannot be read: Input/output error; a rerun reads it, once the disk is there again")
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_disk_did_not_give_is_asked_for_again(pictures, tmp_path, models, kind, monkeypatch):
    whole = tmp_path / f"whole-{kind}"
    run(pictures, whole, models)

    def failing(folder: Folder, name: str) -> BinaryIO:
        if name.endswith("face4.png"):
            raise OSError(errno.EIO, "Input/output error")
        return opened(folder, name)

    opened = Folder.open
    monkeypatch.setattr(Folder, "open", failing)
    assert run(pictures, tmp_path / kind, models).unreadable == 2
    assert "Input/output error" in (tmp_path / kind).read_text()
    monkeypatch.setattr(Folder, "open", opened)
    summary = run(pictures, tmp_path / kind, models)
    assert summary.unreadable == 1, "the damaged one"
    assert summary.pictures == 1, "that picture alone"
    assert sorted((tmp_path / kind).read_text().splitlines()) == sorted(whole.read_text().splitlines())


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_to_a_file_of_votes_stays_a_link(pictures, tmp_path, models, kind):
    """Of a large disk, as a rule: what it leads to is to have the votes."""
    (tmp_path / "large").mkdir()
    (tmp_path / kind).symlink_to(tmp_path / "large" / kind)
    run(pictures, tmp_path / kind, models)
    assert (tmp_path / kind).is_symlink()
    assert len((tmp_path / "large" / kind).read_text().splitlines()) >= 12


@pytest.mark.parametrize("meanwhile", ["another run", "removed"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_whose_file_is_another_ones_by_now_does_not_say_that_all_is_well(
    pictures, tmp_path, models, kind, meanwhile, monkeypatch
):
    """The same command started twice: the first would write on into a file without a name, and report success."""
    out = tmp_path / kind
    read = Folder.read
    disturb = iter([lambda: run(pictures, out, models) if meanwhile == "another run" else out.unlink()])

    def read_meanwhile(folder: Folder, name: str) -> bytes:
        for act in disturb:
            act()
        return read(folder, name)

    monkeypatch.setattr(Folder, "read", read_meanwhile)
    with pytest.raises(OutputError, match="was replaced or removed"):
        run(pictures, out, models)
    run(pictures, out, models)
    assert sum("face" in line for line in out.read_text(encoding="utf-8").splitlines()) >= 10
    assert run(pictures, out, models).done_before == 12
