"""Tables as people have them: told by what is in them, and, where they are none, by what they are."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from numpy.typing import NDArray

from emotion.data.annotators import read_votes
from emotion.data.dataset import Faces, read_faces
from emotion.data.tables.boxes import read_boxes
from emotion.data.tables.rows import PARTS_FILE, PIXEL_COLUMNS
from emotion.data.tables.writing import check_output, face_writer
from emotion.errors import DatasetError
from tests.synthetic import VOTES_COLUMNS, write_table

PIXELS: NDArray[np.uint8] = np.random.default_rng(0).integers(2, 256, (4, 2304), np.uint8)
LABELS = ["Überrascht", "Happy", "Happy", "Sad"]
FACES = Faces(PIXELS, np.array(LABELS))


def as_text(
    delimiter: str = ",", pixel: Callable[[int], str] = str, end: str = "\n", head: Callable[[str], str] = str
) -> str:
    rows = [[*map(head, PIXEL_COLUMNS), head("emotion")]]
    rows += [[*map(pixel, face.tolist()), label] for face, label in zip(PIXELS, LABELS, strict=True)]
    return "".join(delimiter.join(row) + end for row in rows)


def indexed(name: str) -> str:
    """With the numbers of the rows before them, as pandas writes."""
    first, *rows = as_text().splitlines()
    return "\n".join([f"{name},{first}", *(f"{number},{row}" for number, row in enumerate(rows))])


def as_parquet(**columns: pa.Array) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def parquet(types: pa.DataType, **more: pa.Array) -> bytes:
    columns = {name: pa.array(PIXELS[:, place].tolist(), types) for place, name in enumerate(PIXEL_COLUMNS)}
    return as_parquet(**{**columns, "emotion": pa.array(LABELS), **more})


READ = {
    "commas": as_text().encode(),
    "semicolons": as_text(";").encode(),
    "tabs": as_text("\t").encode(),
    "CR LF": as_text(end="\r\n").encode(),
    "blank lines first": b"\n\n" + as_text().encode(),
    "UTF-8 with a mark": as_text().encode("utf-8-sig"),
    "UTF-16": as_text().encode("utf-16"),
    "UTF-16 without a mark": as_text().encode("utf-16-le"),
    "Windows-1252, semicolons": as_text(";", end="\r\n").encode("windows-1252"),
    "blanks round names": as_text(head=lambda name: f" {name} ").encode(),
    "quoted names": as_text(head=lambda name: f'"{name}"').encode(),
    "blanks before quoted names": as_text(head=lambda name: f' "{name}"').encode(),
    "capitals": as_text(head=str.upper).encode(),
    "whole numbers with a point": as_text(pixel=lambda value: f"{value}.0").encode(),
    "whole numbers with a comma": as_text(";", pixel=lambda value: f"{value},0").encode(),
    "an index": indexed("").encode(),
    "a named index": indexed("Unnamed: 0").encode(),
    "gzip": gzip.compress(as_text().encode()),
    "gzip in two pieces": gzip.compress(as_text().encode()[:30_000]) + gzip.compress(as_text().encode()[30_000:]),
    "Parquet": parquet(pa.uint8()),
    "Parquet of int64": parquet(pa.int64()),
    "Parquet of floats, with an index": parquet(pa.float64(), __index_level_0__=pa.array(range(4))),
}


@pytest.mark.parametrize("case", READ)
@pytest.mark.parametrize("name", ["faces.csv", "faces.PARQUET", "faces.csv.gz", "faces"])
def test_a_table_is_read_however_it_is_written_and_called(case: str, name: str, tmp_path: Path) -> None:
    """A spreadsheet, pandas or a download leaves it so; nobody should have to write it anew."""
    (tmp_path / name).write_bytes(READ[case])
    faces = read_faces(tmp_path / name)
    assert (faces.X == PIXELS).all()
    assert faces.y.tolist() == LABELS
    assert faces.files is None
    assert faces.parts is None


def test_letters_that_come_late_do_not_stop_the_reading(tmp_path: Path) -> None:
    """The beginning, by which a file is judged, may be of ASCII alone."""
    row = f"{'7,' * 2304}sad\n"
    text = ",".join([*PIXEL_COLUMNS, "emotion\n"]) + 20 * row + f"{'7,' * 2304}müde\n"
    (tmp_path / "faces.csv").write_bytes(text.encode("windows-1252"))
    assert read_faces(tmp_path / "faces.csv").counts() == {"Müde": 1, "Sad": 20}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (as_text(pixel=lambda value: f"{value / 255:.6f}").encode(), "look divided by 255: all are from 0 to 1"),
        (as_text(pixel=lambda value: f"{value}.5").encode(), r"has the pixel [\d.]+ in column 0_px, row 1: pixels are"),
    ],
)
def test_pixels_that_are_no_grey_values_are_told(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=told):
        read_faces(tmp_path / "faces.csv")


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.25, "look divided by 255"), (-1.0, "-1 in column 3_px, row 2"), (300.0, "300 in"), (float("nan"), "nan in")],
)
def test_wrong_numbers_in_parquet_are_told_with_their_row(value: float, told: str, tmp_path: Path) -> None:
    columns = {name: pa.array([0.0, 1.0]) for name in PIXEL_COLUMNS}
    columns |= {"3_px": pa.array([0.0, value]), "emotion": pa.array(["Sad", "Sad"])}
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "faces.parquet")
    with pytest.raises(DatasetError, match=told):
        read_faces(tmp_path / "faces.parquet")


FACE = " ".join(["7"] * 2304)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            parquet(pa.uint8(), emotion=pa.array([{"a": 1}] * 4)),
            "in its column emotion what is no text: write texts there.",
        ),
        (
            parquet(pa.uint8(), **{"7_px": pa.array(list("1x34"))}),
            "in its column 7_px what is no number: write whole numbers from 0 to 255 there.",
        ),
        (
            as_parquet(emotion=pa.array(["Sad"]), pixels=pa.array([[7] * 2304])),
            "in its column pixels what is no text: write the 2,304 numbers of each face as one text there.",
        ),
        (
            as_parquet(emotion=pa.array(["Sad"]), pixels=pa.array([FACE.encode() + b"\xff"]).view(pa.string())),
            "has pixels that are no text in UTF-8: copy, download or make it anew.",
        ),
        (
            as_parquet(emotion=pa.array(["Sad"]), age=pa.array([31])),
            "it lacks the columns 0_px to 2303_px, or pixels. It has emotion, age.",
        ),
        (
            as_parquet(label=pa.array(["Sad"]), pixels=pa.array([FACE])),
            "it lacks the column emotion. It has label, pixels.",
        ),
    ],
    ids=["labels", "a pixel", "lists", "no text", "no pixels", "no labels"],
)
@pytest.mark.hostile("which column of which file is wrong, and what belongs there")
def test_columns_of_parquet_that_hold_something_else_are_named(content: bytes, told: str, tmp_path: Path) -> None:
    """Else pyarrow's own words would be all that somebody gets to read."""
    (tmp_path / "faces.parquet").write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_faces(tmp_path / "faces.parquet")
    assert str(caught.value).startswith(f"{tmp_path}/faces.parquet ")
    assert str(caught.value).endswith(told)


def test_letters_of_no_encoding_are_told(tmp_path: Path) -> None:
    """As after two programs have each written their part of a table."""
    (tmp_path / "faces.csv").write_bytes(as_text().encode("windows-1252").replace(b"Sad", b"S\x81d"))
    with pytest.raises(DatasetError, match=r"faces\.csv has letters in no known encoding: save it as CSV in UTF-8\.$"):
        read_faces(tmp_path / "faces.csv")


# FER2013's own table


def fer2013(
    head: str = "emotion,pixels,Usage", codes: str = "0123456", parts: list[str] | None = None, pixels: int = 2304
) -> str:
    """As its authors wrote it: a face of one grey for each code."""
    lines = [head]
    for number, code in enumerate(codes):
        cells = {
            "emotion": code,
            "pixels": " ".join([str(10 * number)] * pixels),
            "Usage": (parts or ["Training"])[number % len(parts or [1])],
        }
        lines.append(",".join(cells[name.strip()] for name in head.split(",")))
    return "\n".join(lines) + "\n"


SEVEN = ["Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"]


@pytest.mark.parametrize("head", ["emotion,pixels,Usage", "emotion, Usage, pixels", "emotion,pixels", "pixels,emotion"])
@pytest.mark.parametrize("packed", [False, True])
def test_fer2013s_own_table_is_read_as_it_is(head: str, packed: bool, tmp_path: Path) -> None:
    """It is the best known file of the field, and its numbers stand for emotions in its authors' order."""
    content = fer2013(head).encode()
    (tmp_path / "fer2013.csv").write_bytes(gzip.compress(content) if packed else content)
    faces = read_faces(tmp_path / "fer2013.csv")
    assert faces.y.tolist() == SEVEN
    assert faces.X.shape == (7, 2304)
    assert faces.X[:, 5].tolist() == [0, 10, 20, 30, 40, 50, 60]
    if "Usage" in head:
        assert faces.parts is not None
        assert faces.parts.tolist() == ["Training"] * 7
    else:
        assert faces.parts is None


def test_the_eighth_code_is_ckpluss_contempt(tmp_path: Path) -> None:
    (tmp_path / "ckextended.csv").write_text(fer2013(codes="67"))
    assert read_faces(tmp_path / "ckextended.csv").y.tolist() == ["Neutral", "Contempt"]


def test_words_are_labels_in_fer2013s_form_too(tmp_path: Path) -> None:
    lines = fer2013(codes="67").replace("\n6,", "\nvery_sad,").replace("\n7,", "\n 3.0,")
    (tmp_path / "own.csv").write_text(lines)
    assert read_faces(tmp_path / "own.csv").y.tolist() == ["Very Sad", "Happy"]


def test_fer2013s_table_is_read_from_parquet_too(tmp_path: Path) -> None:
    table = pa.table(
        {"emotion": pa.array([3, 6]), "pixels": pa.array([" ".join(["7"] * 2304), " ".join(["8.0"] * 2304)])}
    )
    pyarrow.parquet.write_table(table, tmp_path / "fer.parquet")
    faces = read_faces(tmp_path / "fer.parquet")
    assert faces.y.tolist() == ["Happy", "Neutral"]
    assert faces.X[:, 0].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (fer2013(pixels=2303), r"has 2,303 pixels in row 1: 2,304 are needed, for 48x48"),
        (fer2013(codes="08"), r"whose emotion is 8, row 2; these are known: 0 Angry, 1 Disgust.* 7 Contempt"),
        (fer2013().replace("30 30", "300 30"), r"has the pixel 300, row 4: pixels are whole numbers"),
        (fer2013().replace("30 30", "x 30"), r"has the pixel 'x', row 4: pixels are whole numbers"),
        (fer2013().replace("30 30", "0.5 30"), r"has the pixel 0.5, row 4"),
        (fer2013().replace("3,30", "3,", 1).replace("3, 30", "3,30"), r"has 2,303 pixels in row 4"),
        ("emotion,pixels\n0,\n", r"has a face without pixels, row 1"),
        (f"emotion,pixels\n0,{' '.join(['0.5'] * 2304)}\n", r"look divided by 255"),
        (fer2013("Usage,pixels"), r"is not a table of faces: it lacks the column emotion\.$"),
        (fer2013(parts=["Training", ""]), r"names no part in its column Usage, row 2: fill it in"),
    ],
)
@pytest.mark.hostile("which row is wrong, and what is needed")
def test_wrong_rows_of_fer2013s_form_are_told(content: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").write_text(content)
    with pytest.raises(DatasetError, match=told):
        read_faces(tmp_path / "fer2013.csv")


# What is no table of faces


def packed_zip(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


def as_npy() -> bytes:
    file = io.BytesIO()
    np.save(file, PIXELS)
    return file.getvalue()


JPEG = cv2.imencode(".jpg", PIXELS[0].reshape(48, 48))[1].tobytes()
VOTES = f"file,{','.join(VOTES_COLUMNS)}\na.png{',1' * 8}\n"
MAKE = r"python image_to_vector\.py FOLDER --output data\.csv"

OTHERS = {
    "a picture": (JPEG, f"is a JPEG picture, not a table of faces: sort pictures into one folder.*then {MAKE}"),
    "a film": (b"\0\0\0\x18ftypisom" + bytes(40), f"is a film, not a table of faces: save pictures of it.*{MAKE}"),
    "a zip": (packed_zip("data.csv"), "is a zip archive, not a table of faces: unpack it"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(40), "is a 7z archive, not a table of faces: unpack it"),
    "Excel": (packed_zip("xl/workbook.xml"), "is an Excel table, not a table of faces: save it as CSV"),
    "NumPy": (as_npy(), "is a NumPy array, not a table of faces: write it as CSV with the columns 0_px to"),
    "JSON": (json.dumps([{"emotion": 1}]).encode(), "is a JSON text, not a table of faces: write it as CSV"),
    "a web page": (b"<!DOCTYPE html><html></html>", "is a web page, not a table of faces: download the file itself"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid", "is a Git LFS pointer, .*: get the file with: git lfs"),
    "votes": (VOTES.encode(), r"is FER\+'s table of votes, not a table of faces: give it with --votes"),
    "another CSV": (
        b"a,b\n1,2\n",
        "the columns 0_px to 2303_px and emotion, or emotion and pixels. It has a, b",
    ),
    "no pixels": (b"emotion,b\n1,2\n", "it lacks the columns 0_px to 2303_px, or pixels. It has emotion, b"),
    "one pixel less": (as_text().replace("7_px", "seven", 1).encode(), r"it lacks the column 7_px\.$"),
    "no names": (as_text().partition("\n")[2].encode(), "its first line must name its columns"),
    "prose": (b"Dear all,\nthis is no table.\n", "is not a table of faces: it lacks the columns"),
    "empty": (b"", r"is not a table of faces: the file is empty\. Make or download it anew"),
    "truncated Parquet": (parquet(pa.uint8())[:-900], "the Parquet file is damaged, or was not copied whole"),
    "truncated gzip": (gzip.compress(as_text().encode())[:-900], "is damaged, or was not copied whole"),
    "tar.gz": (gzip.compress(bytes(257) + b"ustar\x0000" + bytes(300)), "holds a tar archive: unpack it"),
    "noise": (bytes(range(128, 256)) * 9 + b"\0\1", "is not a table of faces in a known format: give CSV or Parquet"),
}


@pytest.mark.parametrize("case", OTHERS)
@pytest.mark.hostile("what the file is, and what to do")
def test_what_is_no_table_of_faces_is_named_for_what_it_is(case: str, tmp_path: Path) -> None:
    """Whatever its name: "make it anew" helps nobody whose file is a picture."""
    content, told = OTHERS[case]
    (tmp_path / "data.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=told) as caught:
        read_faces(tmp_path / "data.csv")
    assert str(caught.value).startswith(str(tmp_path))
    assert "CSV parse error" not in str(caught.value)


def test_a_column_that_is_there_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(as_text().replace(",7_px,", ",7_px,7_px,", 1))
    with pytest.raises(DatasetError, match="has 2 columns 7_px: leave one of them"):
        read_faces(tmp_path / "data.csv")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"happy/a.png": JPEG},
            r"is a folder of pictures; make a table of it first: python .*\.py .*/set ",
        ),
        ({"train/happy/a.png": JPEG, "labels.csv": b"a,b\n"}, "is a folder of pictures; make a table of it first"),
        ({"a.png": JPEG}, "is a folder of pictures; sort them into one folder for each emotion"),
        ({"fer2013.csv": fer2013().encode()}, r"is a folder; name the table in it: .*/set/fer2013\.csv"),
        ({"notes.txt": b"notes"}, f"is a folder in which there is no table of faces; make one with: {MAKE}"),
    ],
    ids=["emotions", "parts of emotions", "pictures", "a table", "something else"],
)
@pytest.mark.hostile("what the folder holds, and what to do")
def test_a_folder_that_is_no_table_is_named_for_what_it_holds(
    files: dict[str, bytes], told: str, tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(content)
    with pytest.raises(DatasetError, match=told):
        read_faces(tmp_path / "set")


def test_a_folder_in_place_of_votes_or_boxes_is_told(tmp_path: Path) -> None:
    for read in (lambda path: read_votes(path, ["a.png"]), read_boxes):
        with pytest.raises(DatasetError) as caught:
            read(tmp_path)
        assert str(caught.value) == f"{tmp_path} is a folder; name the file in it."


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    """As where a variable in a script held something else."""
    with pytest.raises(DatasetError, match=r"/xxx+\.csv cannot be read: File name too long\.$"):
        read_faces(tmp_path / f"{'x' * 300}.csv")


def test_a_list_of_parts_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """As on a disk that fails: the parts may be whole, and must not be taken for another folder."""
    (tmp_path / "set" / PARTS_FILE).mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"/set/_faces\.json cannot be read: Is a directory\.$"):
        read_faces(tmp_path / "set")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_votes_and_boxes_are_read_however_they_are_written(encoding: str, delimiter: str, tmp_path: Path) -> None:
    votes, boxes = tmp_path / "votes.txt", tmp_path / "boxes.txt"
    votes.write_text(VOTES.replace("a.png", "ä.png").replace(",", delimiter), encoding=encoding)
    boxes.write_text("file, x, y, w, h\nä.png,1,2,50,60\n".replace(",", delimiter), encoding=encoding)
    assert read_votes(votes, ["sad/ä.png"]).tolist() == [[1] * 8]
    [(box, invalid)] = read_boxes(boxes)["ä.png"]
    assert (box.x, box.y, box.w, box.h, invalid) == (1, 2, 50, 60, False)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (JPEG, "is a JPEG picture, not a table of votes"),
        (as_text().encode(), "is a table of faces, not a table of votes: give it with --data"),
        (fer2013().encode(), "is FER2013's own table of faces, not a table of votes: give it with --data"),
        (b"<html></html>", "is a web page, not a table of votes: download the file itself"),
        (packed_zip("xl/workbook.xml"), "is an Excel table, not a table of votes: save it as CSV"),
        (b"file,neutral\na.png,1\n", "is not a table of votes: it lacks the columns happiness, surprise"),
        (VOTES.replace("file", "name").encode(), r"it lacks the column file \(or Image name\)"),
        (VOTES.replace(",1,", ",1.5,", 1).encode(), "near its line 2 there are not 8 whole numbers"),
        (b"", "is not a table of votes: the file is empty"),
    ],
)
@pytest.mark.hostile("what the file is, and what to do")
def test_what_is_no_table_of_votes_is_named(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=told):
        read_votes(tmp_path / "votes.csv", ["a.png"])


# What is written


@pytest.mark.parametrize("name", ["data.csv", "DATA.CSV", "data.csv.gz", "data.CSV.GZ", "data.parquet", "data.Parquet"])
def test_the_ending_says_how_a_table_is_written(name: str, tmp_path: Path) -> None:
    content = write_table(tmp_path / name, FACES).read_bytes()
    begins = b"PAR1" if "parquet" in name.lower() else b"\x1f\x8b" if "gz" in name.lower() else b"0_px,1_px"
    assert content.startswith(begins)
    assert (read_faces(tmp_path / name).X == PIXELS).all()
    assert write_table(tmp_path / name, FACES).read_bytes() == content, "the same faces give the same bytes"


@pytest.mark.parametrize("name", ["faces.xlsx", "faces", "faces.csv.zip", "faces.gz", "faces.parquet.gz", "csv"])
@pytest.mark.hostile("which endings there are")
def test_another_ending_is_refused(name: str, tmp_path: Path) -> None:
    """Or CSV stood under the name of a spreadsheet, which then would not open it."""
    told = r"must end in \.csv, \.csv\.gz or \.parquet, or be a folder \(a slash at its end\)\."
    with pytest.raises(DatasetError, match=told):
        check_output(tmp_path / name)
    with pytest.raises(DatasetError, match=told), face_writer(tmp_path / name):
        pass
    assert not list(tmp_path.iterdir())


def test_folders_and_addresses_are_no_wrong_endings(tmp_path: Path) -> None:
    for output in (tmp_path, f"{tmp_path}/faces/", "s3://bucket/faces"):
        check_output(output)


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.parquet"])
@pytest.mark.parametrize("keep_names", [False, True])
def test_parts_that_were_written_come_back(name: str, keep_names: bool, tmp_path: Path) -> None:
    files, parts = ["a.png", "b.png", "c.png", "d.png"], ["Training", "Training", "PublicTest", "PrivateTest"]
    with face_writer(tmp_path / name, keep_names, keep_parts=True) as writer:
        writer.write(PIXELS[:3], LABELS[:3], files[:3], parts[:3])
        writer.write(PIXELS[3:], LABELS[3:], files[3:], parts[3:])
    faces = read_faces(tmp_path / name)
    assert faces.parts is not None
    assert faces.parts.tolist() == parts
    assert faces.y.tolist() == LABELS
    assert (None if faces.files is None else faces.files.tolist()) == (files if keep_names else None)
    if name == "data.csv":
        head = (tmp_path / name).read_text(encoding="utf-8").splitlines()[0]
        assert head.split(",")[2304:] == ["emotion", "Usage", *(["file"] if keep_names else [])]
