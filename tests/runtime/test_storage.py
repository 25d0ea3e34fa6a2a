"""Folders behind addresses are read and written as folders of this machine are, and say what is wrong with them."""

import errno
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import fsspec
import numpy as np
import pytest

import image_to_vector
from emotion import cli, config
from emotion.data import vectorize
from emotion.data.dataset import read_faces
from emotion.data.tables.rows import PARTS_FILE
from emotion.errors import DatasetError, ImageError, StorageError
from emotion.runtime.cluster import Stopping
from emotion.runtime.storage import Folder
from tests.tiny_models import write_tiny_models

pytestmark = pytest.mark.slow  # tables are made by processes of their own


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    for number in range(12):
        file = folder / ("happy", "sad")[number % 2] / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((48, 48), 20 * number, np.uint8))
    (folder / "sad" / ".hidden.png").write_bytes(b"hidden")
    (folder / "sad" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectorize, "_PART_PICTURES", 5)


def run(folder: Path | str, output: Path | str) -> vectorize.Summary:
    return vectorize.vectorize(folder, output, keep_names=True, progress=False)


def same_faces(one: Path | str, other: Path | str) -> bool:
    a, b = read_faces(one), read_faces(other)
    assert a.files is not None
    assert b.files is not None
    return bool((a.X == b.X).all() and (a.y == b.y).all() and (a.files == b.files).all())


def test_pictures_and_table_may_be_behind_addresses(pictures, tmp_path, memory) -> None:
    """A bucket in, a bucket out: the table is that of the same pictures here."""
    memory.put(f"{pictures}/", "/bucket/pictures/", recursive=True)
    summary = run("memory://bucket/pictures", "memory://bucket/faces")
    assert (summary.files, summary.faces.total()) == (13, 12)
    assert [name for name, _ in summary.unreadable] == ["sad/broken.png"]
    assert memory.cat("/bucket/faces/_unreadable.txt").startswith(b"sad/broken.png\t")
    run(pictures, tmp_path / "data.csv")
    assert same_faces("memory://bucket/faces", tmp_path / "data.csv")


def test_an_archive_of_pictures_needs_no_unpacking(pictures, tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for file in sorted(pictures.glob("*/*")):
            archive.write(file, file.relative_to(pictures))
    run(f"zip://::file://{tmp_path}/pictures.zip", tmp_path / "zip.parquet")
    run(pictures, tmp_path / "data.parquet")
    assert (tmp_path / "zip.parquet").read_bytes() == (tmp_path / "data.parquet").read_bytes()


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_tables_are_read_from_addresses(pictures, tmp_path, memory, name) -> None:
    run(pictures, tmp_path / name)
    memory.put(str(tmp_path / name), f"/bucket/{name}")
    assert same_faces(f"memory://bucket/{name}", tmp_path / name)


def test_a_picture_behind_an_address_is_voted_on(pictures, tmp_path, memory, capsys) -> None:
    write_tiny_models(tmp_path / "models")
    memory.put(f"{pictures}/", "/bucket/", recursive=True)
    assert cli.main(["predict", "memory://bucket/sad/03.png", "--json", "--models", str(tmp_path / "models")]) == 0
    assert len(json.loads(capsys.readouterr().out)["faces"]) == 1
    out = tmp_path / "votes.jsonl"
    assert cli.main(["predict", "memory://bucket", "--json", str(out), "--models", str(tmp_path / "models")]) == 1
    assert [json.loads(line)["picture"] for line in out.read_text().splitlines()][-2:] == [
        "sad/11.png",
        "sad/broken.png",
    ]


def parts(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("part-*.parquet"))


def test_parts_together_are_the_table(pictures, tmp_path) -> None:
    run(pictures, f"{tmp_path}/faces/")
    assert [name[:11] for name in parts(tmp_path / "faces")] == ["part-000000", "part-000001", "part-000002"]
    run(pictures, tmp_path / "data.csv")
    assert same_faces(tmp_path / "faces", tmp_path / "data.csv")


def test_a_rerun_goes_on_with_the_parts_that_are_there(pictures, tmp_path, monkeypatch) -> None:
    faces = tmp_path / "faces"
    first = run(pictures, f"{faces}/")
    whole = {file.name: file.read_bytes() for file in faces.iterdir()}
    (faces / PARTS_FILE).unlink()
    (faces / parts(faces)[1]).unlink()
    looked_at = tmp_path / "looked_at"
    cut = vectorize.faces_of_file

    def noted(folder: Folder, name: str, *rest: Any) -> object:
        with looked_at.open("a") as file:  # where another process finds it, too
            file.write(f"{name}\n")
        return cut(folder, name, *rest)

    monkeypatch.setattr(vectorize, "faces_of_file", noted)
    assert run(pictures, faces) == first
    assert len(looked_at.read_text().splitlines()) == 5
    assert {file.name: file.read_bytes() for file in faces.iterdir()} == whole


@pytest.mark.hostile("The file cannot be read: Input/output error; a rerun reads it, once the disk is there again")
def test_what_a_disk_did_not_give_is_asked_for_again(pictures, tmp_path, monkeypatch) -> None:
    """Though the picture is as it was: the same folder is to give the same table."""
    opened = Folder.open

    def failing(folder: Folder, name: str) -> BinaryIO:
        if name == "happy/00.png":
            raise OSError(errno.EIO, "Input/output error")
        return opened(folder, name)

    monkeypatch.setattr(Folder, "open", failing)
    without = run(pictures, f"{tmp_path}/faces/")
    assert "Input/output error" in dict(without.unreadable)["happy/00.png"]
    monkeypatch.setattr(Folder, "open", opened)
    assert "happy/00.png" not in dict(run(pictures, f"{tmp_path}/faces/").unreadable)
    run(pictures, tmp_path / "data.csv")
    assert same_faces(tmp_path / "faces", tmp_path / "data.csv")


def test_a_changed_picture_makes_its_part_anew_and_no_other(pictures, tmp_path) -> None:
    faces = tmp_path / "faces"
    run(pictures, f"{faces}/")
    before = parts(faces)
    cv2.imwrite(str(pictures / "happy" / "00.png"), np.full((48, 48), 7, np.uint8))
    (pictures / "sad" / "broken.png").unlink()
    run(pictures, faces)
    assert (read_faces(faces).X[0] == 7).all()
    assert len(set(before) & set(parts(faces))) == 1, "of the first and the last part, the files have changed"
    assert not (faces / "_unreadable.txt").exists()


def test_files_of_others_in_the_folder_of_parts_stay(pictures, tmp_path) -> None:
    """Who names the wrong folder is not to lose what is in it."""
    faces = tmp_path / "faces"
    faces.mkdir()
    for name in ("mine.parquet", "part-mine.parquet", "notes.txt"):
        (faces / name).write_text("mine")
    run(pictures, faces)
    (pictures / "happy" / "00.png").unlink()
    run(pictures, faces)
    assert {(faces / name).read_text() for name in ("mine.parquet", "part-mine.parquet", "notes.txt")} == {"mine"}
    assert len(read_faces(faces)) == 11


def test_a_folder_that_an_object_store_lists_in_itself_is_not_gone_into_again(pictures, memory, monkeypatch) -> None:
    """As buckets do whose folders somebody made by hand."""
    memory.put(f"{pictures}/", "/bucket/", recursive=True)
    whole = type(memory).ls

    def with_itself(self: object, path: str, **options: object) -> list[dict[str, object]]:
        return [*whole(self, path, **options), {"name": f"{path}/", "size": 0, "type": "directory"}]

    monkeypatch.setattr(type(memory), "ls", with_itself)
    assert Folder("memory://bucket").entries()[0] == ["happy", "sad"]
    assert Folder("memory://bucket").entries("sad")[0] == []


@pytest.mark.hostile("that the folder is no finished table, and how to go on")
def test_unfinished_parts_are_not_taken_for_a_table(pictures, tmp_path, monkeypatch) -> None:
    """Or models would be trained on half of the faces, and nobody would know."""
    cut = vectorize.faces_of_file

    def interrupted(folder: Folder, name: str, *rest: Any) -> object:
        if name == "sad/09.png":
            raise KeyboardInterrupt
        return cut(folder, name, *rest)

    monkeypatch.setattr(vectorize, "faces_of_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(pictures, f"{tmp_path}/faces/")
    with pytest.raises(DatasetError, match="no finished table"):
        read_faces(tmp_path / "faces")


@pytest.mark.hostile("that the list of parts is damaged, and how to have it again")
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"parts": 7}', b"[" * 100_000])
def test_a_damaged_list_of_parts_is_told(pictures, tmp_path, content) -> None:
    run(pictures, f"{tmp_path}/faces/")
    (tmp_path / "faces" / PARTS_FILE).write_bytes(content)
    with pytest.raises(DatasetError, match="is damaged; start the same"):
        read_faces(tmp_path / "faces")


@pytest.mark.hostile("that the part is missing or damaged")
@pytest.mark.parametrize("content", [None, b"", b"PAR1 but not really"])
def test_a_damaged_part_is_told_and_made_anew(pictures, tmp_path, content) -> None:
    run(pictures, f"{tmp_path}/faces/")
    part = tmp_path / "faces" / parts(tmp_path / "faces")[1]
    whole = part.read_bytes()
    part.unlink() if content is None else part.write_bytes(content)
    with pytest.raises(DatasetError):
        read_faces(tmp_path / "faces")
    run(pictures, tmp_path / "faces")
    assert part.read_bytes() == whole


class Dribbling(io.BytesIO):
    """A file of which each read gives a little, as a web server's may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(1000 if size is None or size < 0 else min(size, 1000))


@pytest.mark.parametrize("size", [8, 999, 1000, 100_000])
def test_storage_that_gives_little_at_a_time_gives_whole_pictures(tmp_path, monkeypatch, size) -> None:
    """Else they would be called damaged, and never asked for again."""
    content = (b"\x89PNG\r\n\x1a\n" + np.random.default_rng(0).bytes(size))[:size]
    monkeypatch.setattr(Folder, "open", lambda self, name: Dribbling(content))
    assert Folder(tmp_path).read("a.png") == content


def test_threads_do_not_disturb_each_other_in_an_archive(tmp_path) -> None:
    """They would get each other's bytes, and faces another one's emotion, without an error."""
    pictures = [b"\x89PNG\r\n\x1a\n" + bytes([number]) * 600_000 for number in range(40)]
    with tarfile.open(tmp_path / "files.tar", "w") as archive:
        for number, content in enumerate(pictures):
            entry = tarfile.TarInfo(f"{number}.png")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    folder = Folder(f"tar://::file://{tmp_path}/files.tar")
    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(lambda number: folder.read(f"{number}.png"), range(40)))
    assert contents == pictures


@pytest.mark.parametrize(
    "address", ["memory://data.csv", "file://{here}/data.csv", "zip://data.csv::file://{here}/x.zip"]
)
def test_a_table_at_the_root_of_an_address_is_read(pictures, tmp_path, memory, address) -> None:
    run(pictures, tmp_path / "data.csv")
    memory.put(str(tmp_path / "data.csv"), "/data.csv")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(tmp_path / "data.csv", "data.csv")
    assert same_faces(address.format(here=tmp_path), tmp_path / "data.csv")


@pytest.mark.hostile("what is the matter with the archive or the server")
@pytest.mark.parametrize("address", ["zip://::file://{here}/missing.zip", "zip://::file://{here}/broken.zip"])
def test_what_holds_the_files_and_cannot_be_opened_is_told(tmp_path, address, capsys) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK no archive")
    address = address.format(here=tmp_path)
    assert image_to_vector.main([address, "--output", str(tmp_path / "data.csv")]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{address} cannot be opened: ")
    assert told.count("\n") == 1


@pytest.mark.hostile("that the table cannot be written, and why")
def test_an_output_of_an_impossible_name_is_told(pictures, tmp_path) -> None:
    with pytest.raises(DatasetError, match="cannot be written: File name too long"):
        run(pictures, tmp_path / f"{300 * 'a'}.csv")


def test_ctrl_c_does_not_wait_for_a_whole_part(pictures, tmp_path, monkeypatch) -> None:
    """A part of photographs takes a minute; who stops a run wants it to stop."""
    monkeypatch.setattr(vectorize, "_PART_PICTURES", 2048)
    looked_at = []
    cut = vectorize.faces_of_file

    def interrupted(folder: Folder, name: str, *rest: Any) -> object:
        looked_at.append(name)
        if len(looked_at) == 1:
            stopping.set()
        return cut(folder, name, *rest)

    stopping = Stopping()
    monkeypatch.setattr(vectorize, "faces_of_file", interrupted)
    listing = list(vectorize.picture_files(Folder(pictures)))
    vectorize._write_part(
        Folder(pictures), Folder(tmp_path / "faces"), False, vectorize.USUAL_WAY, stopping, (0, listing)
    )
    assert len(looked_at) == 1
    assert not (tmp_path / "faces").exists()


@pytest.mark.hostile("which library the address needs, or that there is none for it")
@pytest.mark.parametrize("address", ["s3://bucket/faces", "gs://bucket/faces", "nothing://bucket/faces"])
def test_an_address_that_nothing_reads_is_told(address, capsys, tmp_path) -> None:
    """s3fs and gcsfs are not installed here."""
    assert cli.main(["evaluate", "--data", address, "--models", str(write_tiny_models(tmp_path / "m"))]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{address} cannot be opened: ")
    assert told.count("\n") == 1


@pytest.mark.hostile("that this has to be on a disk of this machine")
@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "faces", "--csv", "s3://bucket/votes.csv"],
        ["predict", "face.png", "--models", "s3://bucket/models"],
        ["train", "--data", "s3://bucket/faces", "--out", "s3://bucket/models"],
        ["train-networks", "--data", "s3://bucket/faces", "--out", "s3://bucket/networks"],
    ],
    ids=lambda arguments: arguments[-2],
)
def test_an_address_in_place_of_a_path_is_told(arguments, capsys) -> None:
    with pytest.raises(SystemExit):
        cli.main(arguments)
    assert f"{arguments[-1]} is an address; this has to be on a disk of this machine" in capsys.readouterr().err


def test_a_file_that_is_too_large_is_told_and_not_read_to_its_end(tmp_path, monkeypatch) -> None:
    """A disk's image, or a film, under the name of a picture would fill the memory."""
    monkeypatch.setattr(config, "MAX_IMAGE_FILE_BYTES", 1_000_000)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1_000_000))
    with pytest.raises(ImageError, match=r"^The file is larger than 1 MB: save a smaller picture\.$"):
        Folder(tmp_path).read("a.png")


@pytest.mark.hostile("that the folder is gone, instead of a list of unreadable files")
def test_a_folder_that_is_gone_is_no_unreadable_file(pictures, tmp_path) -> None:
    folder = Folder(pictures)
    with pytest.raises(ImageError, match="No such file"):
        folder.read("sad/99.png")
    pictures.rename(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match=r"is not there\.$"):
        folder.read("sad/01.png")
    with pytest.raises(StorageError, match="where others do the work, they must find it under this very name"):
        pickle.loads(pickle.dumps(folder)).read("sad/01.png")  # noqa: S301  # as another process gets it


@pytest.mark.hostile("why the storage does not answer, and which file was asked for")
def test_storage_that_fails_is_no_unreadable_file(pictures, memory, monkeypatch) -> None:
    memory.put(f"{pictures}/", "/bucket/", recursive=True)

    whole = type(memory).open

    def broken(self: object, path: str, *arguments: object, **options: object) -> object:
        if "bucket" in path:
            raise RuntimeError("the line is dead")
        return whole(self, path, *arguments, **options)

    monkeypatch.setattr(type(memory), "open", broken)
    with pytest.raises(StorageError, match=r"memory://bucket/happy/00.png cannot be read: the line is dead"):
        run("memory://bucket", "memory://faces")
    assert not memory.exists("/faces/_faces.json")


@pytest.mark.hostile("that the folder cannot be written, and why")
def test_a_folder_that_cannot_be_written_is_told(pictures, tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match=r"file/faces/part-.* cannot be written: Not a directory"):
        run(pictures, f"{tmp_path}/file/faces/")
