"""Folders as people have them: what is a picture, what it shows, and what was not looked at, all of it said."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest

import image_to_vector
from emotion.data.dataset import read_faces
from emotion.data.folders.listing import picture_files
from emotion.data.folders.naming import read_labels
from emotion.data.vectorize import vectorize
from emotion.errors import DatasetError
from emotion.runtime.storage import Folder


def picture(path: Path, shade: int = 90) -> Path:
    """A picture that is a face already, whatever its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.full((48, 48), shade, np.uint8))[1].tobytes())
    return path


def listed(folder: Path) -> dict[str, str]:
    return {found.name: found.label for found in picture_files(Folder(folder))}


def refusal(folder: Path) -> str:
    with pytest.raises(DatasetError) as refused:
        picture_files(Folder(folder))
    return str(refused.value).replace(str(folder), "SET")


def table_of(folder: Path, output: Path, *more: str) -> tuple[int, dict[str, int]]:
    status = image_to_vector.main([str(folder), "--output", str(output), *more])
    return status, read_faces(output).counts() if output.exists() else {}


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["happy/a.png", "sad/a.png"], {"Happy", "Sad"}),
        (["happy/ann/a.png", "happy/bob/a.png", "sad/ann/a.png"], {"Happy", "Sad"}),
        (["ann/happy/a.png", "bob/happy/a.png", "bob/sad/a.png"], {"Happy", "Sad"}),
        (["archive/faces/happy/a.png", "archive/faces/sad/a.png"], {"Happy", "Sad"}),
        (["train/happy/a.png", "train/sad/a.png"], {"Happy", "Sad"}),
        (["thinking/a.png", "kiss/a.png"], {"Thinking", "Kiss"}),
        (["mine/thinking/a.png", "mine/kiss/a.png"], {"Thinking", "Kiss"}),
        (["0_Angry/a.png", "happy_faces/b.png"], {"0 Angry", "Happy Faces"}),
        (["happy/a", "sad/b.dat"], {"Happy", "Sad"}),
    ],
)
def test_emotions_are_found_at_whichever_depth_their_folders_lie(
    tmp_path: Path, names: list[str], labels: set[str]
) -> None:
    for name in names:
        picture(tmp_path / "set" / name)
    found = listed(tmp_path / "set")
    assert sorted(found) == sorted(names)
    assert set(found.values()) == labels


@pytest.mark.parametrize(
    ("names", "meant", "others"),
    [
        (["train/happy/a.png", "train/sad/a.png", "test/happy/a.png"], "SET/train", "test"),
        (["Training/happy/a.png", "Test/sad/a.png", "validation/sad/a.png"], "SET/Training", "Test, validation"),
        (["train/happy/a.png", "test/happy/a.png", "train/stray.png"], "SET/train", "test"),
        (["train/thinking/a.png", "train/kiss/a.png", "test/kiss/a.png"], "SET/train", "test"),
        (["set/train/happy/a.png", "set/test/happy/a.png"], "SET/set/train", "set/test"),
        (
            ["PublicTest/happy/a.png", "PrivateTest/happy/a.png", "PrivateTest/happy/b.png"],
            "SET/PrivateTest",
            "PublicTest",
        ),
        (["FER2013Train/happy/a.png", "FER2013Valid/sad/a.png"], "SET/FER2013Train", "FER2013Valid"),
        (["train_set/1/a.png", "val_set/1/a.png", "val_set/1/b.png"], "SET/train_set", "val_set"),
    ],
)
def test_parts_of_a_data_set_are_not_mixed_and_the_training_part_is_named(
    tmp_path: Path, names: list[str], meant: str, others: str
) -> None:
    """Else models would learn from the faces they are measured on, or a stray file would make an emotion of "train"."""
    for name in names:
        picture(tmp_path / "set" / name)
    told = refusal(tmp_path / "set")
    assert f"Name {meant} to learn from it, and another part ({others}) to measure on it." in told


def test_what_lies_beside_the_emotions_is_counted_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A user must see that forty pictures were not looked at."""
    for name in ("happy/a.jpg", "happy/b.jfif", "happy/c", "sad/d.JPE", "stray.png", "other.png"):
        picture(tmp_path / "set" / name)
    for name in ("happy/list.txt", "sad/Thumbs.db", "sad/desktop.ini", "sad/.DS_Store", "readme.md", "notes/plan"):
        path = tmp_path / "set" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("notes of mine\n")
    picture(tmp_path / "set" / "__MACOSX" / "happy" / "a.png")
    status, counts = table_of(tmp_path / "set", tmp_path / "faces.csv")
    assert (status, counts) == (0, {"Happy": 3, "Sad": 1})
    assert "5 files passed over: 2 at another depth, 1 .md, 1 .txt, 1 without ending.\n" in capsys.readouterr().out


def test_a_picture_by_name_that_is_something_else_is_listed_with_what_it_is(tmp_path: Path) -> None:
    """As where a data set was scraped: a page of the shop where a picture should be."""
    picture(tmp_path / "set" / "happy" / "a.png")
    (tmp_path / "set" / "happy" / "b.jpg").write_text("<!doctype html><title>404</title>")
    (tmp_path / "set" / "happy" / "c").write_bytes(b"\x00\x00\x00\x0cJXL \r\n\x87\n")
    assert table_of(tmp_path / "set", tmp_path / "faces.csv")[0] == 0
    lines = (tmp_path / "faces.unreadable.txt").read_text().splitlines()
    assert [line.split("\t")[1][:36] for line in lines] == [
        "This is a web page, not a picture: c",
        "This is a JPEG XL picture, which is ",
    ]


def test_a_folder_of_pictures_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for name in ("happy/a.jxl", "sad/b.jxl"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"\xff\x0a" + bytes(50))
    with pytest.raises(DatasetError, match=r"No picture of .* can be read \(2 files\). happy/a.jxl: .* a JPEG XL pict"):
        vectorize(tmp_path / "set", tmp_path / "faces.csv", progress=False)


RAF = "train_00001.jpg 4\ntrain_00002.jpg 7\ntest_00001.jpg 1\n"
TABLES = {
    "RAF-DB's list": (RAF, ""),
    "with a header": ("image,label\na.jpg,happy\nb.jpg,neutral\nc.jpg,surprise\n", "abc"),
    "Windows' semicolons": ("\ufefflabel;file\r\nhappy;a.jpg\r\nneutral;b.jpg\r\nsurprise;c.jpg\r\n", "abc"),
    "AffectNet on Kaggle": (
        ",pth,label,relFCs\n0,x/a.jpg,happy,0.8\n1,x/b.jpg,neutral,1\n2,x/c.jpg,surprise,1\n",
        "abc",
    ),
    "without a header": ("a.jpg,happy\nb.jpg,neutral\nc.jpg,surprise\n", "abc"),
    "lines of an old Mac": ("image,label\ra.jpg,happy\rb.jpg,neutral\rc.jpg,surprise\r", "abc"),
    "tabs, and quotes": ('"img"\t"emotion"\n"a.jpg"\t"Happy"\n"b.jpg"\t"Neutral"\n"c.jpg"\t"Surprise"\n', "abc"),
}


def raf(folder: Path, names: str = "") -> Path:
    for name in [f"{letter}.jpg" for letter in names] or [f"{line[:-6]}_aligned.jpg" for line in RAF.splitlines()]:
        picture(folder / "images" / name)
    return folder


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1252"])
@pytest.mark.parametrize("form", TABLES)
def test_a_list_of_labels_says_what_pictures_show(tmp_path: Path, form: str, encoding: str) -> None:
    """The form in which authors of data sets hand them out."""
    text, names = TABLES[form]
    raf(tmp_path / "set", names)
    (tmp_path / "list.txt").write_bytes(text.lstrip("\ufeff" if encoding != "utf-8" else "").encode(encoding))
    listing = picture_files(Folder(tmp_path / "set"), read_labels(tmp_path / "list.txt"))
    assert sorted(found.label for found in listing) == ["Happy", "Neutral", "Surprise"]
    assert listing.remarks == []


def test_the_parts_that_a_list_names_are_kept(tmp_path: Path) -> None:
    """Else the test faces of RAF-DB would be learnt from."""
    raf(tmp_path / "set")
    (tmp_path / "set" / "list.txt").write_text(RAF)
    labels = str(tmp_path / "set" / "list.txt")
    assert table_of(tmp_path / "set" / "images", tmp_path / "faces.csv", "--labels", labels)[0] == 0
    faces = read_faces(tmp_path / "faces.csv")
    assert faces.parts is not None
    assert dict(zip(faces.parts.tolist(), faces.y.tolist(), strict=True)) == {"train": "Neutral", "test": "Surprise"}


def test_annotations_of_affectnet_are_read(tmp_path: Path) -> None:
    for number, expression in enumerate(["1", "7", "10"]):
        picture(tmp_path / "images" / f"{number}.jpg")
        (tmp_path / "annotations").mkdir(exist_ok=True)
        for kind, value in (("exp", expression), ("val", "0.3")):
            buffer = io.BytesIO()
            np.save(buffer, np.array(value))
            (tmp_path / "annotations" / f"{number}_{kind}.npy").write_bytes(buffer.getvalue())
    listing = picture_files(Folder(tmp_path), read_labels(tmp_path / "annotations"))
    assert [(found.name, found.label) for found in listing] == [("images/0.jpg", "Happy"), ("images/1.jpg", "Contempt")]
    assert str(listing.passed_over) == "7 files passed over: 6 .npy, 1 without a label."
    assert "add --labels SET/annotations" in refusal(tmp_path)


def as_npy(value: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array(value))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"0_val.npy": as_npy("0.3")},
            " is a folder without annotations (0_exp.npy ...): name the file with the labels",
        ),
        (
            {"0_exp.npy": as_npy("10")},
            " has no labels: those of all pictures that it names (1) are empty or stand for",
        ),
        *(
            ({"0_exp.npy": content}, "/0_exp.npy is not an annotation: it holds no number. Copy it anew, or remove it.")
            for content in (as_npy("happy"), as_npy(np.inf), as_npy([1, 2]), as_npy("1")[:-2], b"PK\3\4 no zip", b"")
        ),
    ],
)
def test_what_are_no_annotations_is_told(tmp_path: Path, files: dict[str, bytes], sentence: str) -> None:
    """Whatever NumPy makes of it: nobody would know which of thousands of files is the damaged one."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError) as refused:
        read_labels(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path}{sentence}")


@pytest.mark.parametrize("where", ["set", "set/images"])
def test_one_folder_of_all_pictures_leads_to_the_list_beside_it(tmp_path: Path, where: str) -> None:
    """Else a table of the one emotion "Images" comes out, and only training says that something is wrong."""
    raf(tmp_path / "set")
    (tmp_path / "set" / "list_patition_label.txt").write_text(RAF)
    told = refusal(tmp_path / where)
    assert (
        f"a list of labels seems to lie with them: add --labels {tmp_path}/set/list_patition_label.txt"
        in told.replace("SET", str(tmp_path / where))
    )


def test_a_folder_whose_name_is_no_emotion_is_named(tmp_path: Path) -> None:
    """Its pictures would get a label that cannot be shown."""
    picture(tmp_path / "set" / "happy" / "a.png")
    picture(tmp_path / "set" / "_" / "a.png")
    assert refusal(tmp_path / "set") == "The name of the folder SET/_ names no emotion: rename or remove it."


@pytest.mark.parametrize(
    ("names", "labels", "over"),
    [
        (["mine/a.png", "mine/happy/"], "", "1 at another depth"),
        (["a", "b"], "a.jpg,happy\nb.jpg,sad\n", "2 without ending"),
    ],
)
def test_pictures_that_lie_elsewhere_are_missed_with_what_lies_there(
    tmp_path: Path, names: list[str], labels: str, over: str
) -> None:
    """A folder too high; or landmarks lie where the list has pictures."""
    for name in names:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            (tmp_path / "set" / name).mkdir()
        else:
            (tmp_path / "set" / name).write_text("landmarks")
    (tmp_path / "list.csv").write_text(labels)
    named = tmp_path / "list.csv" if labels else None
    with pytest.raises(DatasetError) as refused:
        vectorize(tmp_path / "set", tmp_path / "faces.csv", labels=named, progress=False)
    told = f"{tmp_path}/set holds no pictures where they are looked for: check what lies there. "
    assert str(refused.value) == f"{told}{len(names) - (not labels)} file{'s' * bool(labels)} passed over: {over}."


def test_one_emotion_alone_is_said_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "happy" / "a.png")
    assert table_of(tmp_path, tmp_path / "faces.csv")[0] == 0
    assert capsys.readouterr().out.startswith("There is one emotion only, Happy: models learn from two or more")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("image,label\nx.jpg,happy\n", "has no labels for the pictures of"),
        ("image,label\na.jpg,3\nb.jpg,2\n", "has numbers as labels (3), and nobody said what they stand for"),
        ("a.jpg\nb.jpg\n", "is not a list of labels: it needs the name of a picture and a label in each line"),
        (
            "image,x,y\na.jpg,4,5\nb.jpg,6,7\n",
            "does not say which of its columns has the labels (image, x, y): call the columns image and label",
        ),
        (
            "image,label\na.jpg,\nb.jpg, \n",
            "has no labels: those of all pictures that it names (2) are empty or stand for no expression. Give",
        ),
        (
            f"image,label\na.jpg,{'x' * 200_000}\n",
            "has a line that is no row of a table. Write the name of a picture and a label in each.",
        ),
        ("\x89PNG\r\n\x1a\n" + "x" * 50, "is a PNG picture, not a list of labels"),
        (None, "--labels takes a CSV with the columns image and label"),
    ],
)
def test_a_list_that_is_none_is_refused_for_its_own_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, sentence: str
) -> None:
    picture(tmp_path / "set" / "a.jpg")
    if content is not None:
        (tmp_path / "list").write_bytes(content.encode("latin-1"))
    status, _ = table_of(tmp_path / "set", tmp_path / "faces.csv", "--labels", str(tmp_path / "list"))
    error = capsys.readouterr().err
    assert (status, error.count("\n")) == (1, 1)
    assert sentence in error


def test_lines_that_are_no_rows_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "set" / "a.jpg")
    (tmp_path / "list.csv").write_text("image,label\na.jpg,happy\nthe end\nb.jpg,sad,more\n")
    assert table_of(tmp_path / "set", tmp_path / "f.csv", "--labels", str(tmp_path / "list.csv"))[0] == 0
    assert f"2 lines of {tmp_path}/list.csv are no rows of its table and were passed over." in capsys.readouterr().out


def test_labels_without_pictures_are_counted_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "set" / "a.jpg")
    (tmp_path / "list.csv").write_text("image,label\na.jpg,happy\nb.jpg,sad\nc.jpg,sad\n")
    assert table_of(tmp_path / "set", tmp_path / "f.csv", "--labels", str(tmp_path / "list.csv")) == (0, {"Happy": 1})
    assert f"2 pictures that {tmp_path}/list.csv names are not there, such as b.jpg." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "fer2013.csv",
            b"emotion,pixels,Usage\n0,1 2 3,Training\n",
            "is FER2013's own table of faces, not a folder",
        ),
        ("set.zip", b"PK\x03\x04" + bytes(30), "is a zip archive, not a folder of pictures: unpack it"),
        (
            "me.jpg",
            b"\xff\xd8\xff\xe0",
            "is a JPEG picture, not a folder of pictures: name the folder that holds it",
        ),
    ],
)
def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert sentence in refusal(tmp_path / name)
