"""The table of faces: what was written must come back, and a wrong table must be named as such."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from numpy.typing import NDArray

from emotion.data.dataset import Faces, read_faces
from emotion.data.tables.rows import LABEL_COLUMN, PIXEL_COLUMNS
from emotion.data.tables.writing import face_writer
from emotion.errors import DatasetError

RANDOM = np.random.default_rng(0)
PIXELS: NDArray[np.uint8] = RANDOM.integers(0, 256, (5, 2304), np.uint8)
LABELS = ["Angry", "Happy", "Happy", 'a "quoted", name', "Überrascht"]
FILES = [f"Happy/{i}.png" for i in range(5)]


def write(path: Path, keep_names: bool = False) -> Path:
    with face_writer(path, keep_names) as writer:
        writer.write(PIXELS[:2], LABELS[:2], FILES[:2])
        writer.write(PIXELS[2:], LABELS[2:], FILES[2:])
    return path


def csv_with(path: Path, *rows: str, header: str | None = None) -> Path:
    lines = [header or ",".join([*PIXEL_COLUMNS, "emotion"]), *rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def row(pixel: str = "7", emotion: str = "happy") -> str:
    return ",".join([pixel, *["0"] * 2303, emotion])


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
@pytest.mark.parametrize("keep_names", [False, True])
def test_what_was_written_comes_back(tmp_path: Path, name: str, keep_names: bool) -> None:
    faces = read_faces(write(tmp_path / name, keep_names))
    assert (faces.X == PIXELS).all()
    assert faces.y.tolist() == ["Angry", "Happy", "Happy", 'A "quoted", Name', "Überrascht"]


def test_the_csv_has_the_columns_that_other_programs_expect(tmp_path: Path) -> None:
    lines = write(tmp_path / "data.csv", keep_names=True).read_text(encoding="utf-8").splitlines()
    assert lines[0].split(",")[:2] == ["0_px", "1_px"]
    assert lines[0].split(",")[2303:] == ["2303_px", "emotion", "file"]
    assert lines[1].split(",") == [*map(str, PIXELS[0]), "Angry", "Happy/0.png"]


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_the_same_faces_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "again").mkdir()
    assert write(tmp_path / name).read_bytes() == write(tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
@pytest.mark.hostile("nothing; the old table stays")
def test_an_interrupted_writer_leaves_the_old_table(tmp_path: Path, name: str, fault: type[BaseException]) -> None:
    before = write(tmp_path / name).read_bytes()

    def write_half() -> None:
        with face_writer(tmp_path / name) as writer:
            writer.write(PIXELS[:1], LABELS[:1], FILES[:1])
            raise fault

    with pytest.raises(fault):
        write_half()
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(name, before)]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere/data\.csv cannot be written: No such file"):
        write(tmp_path / "nowhere" / "data.csv")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([row(), row(pixel="256")], "256.*, row 2"),
        ([row(), row(), row(pixel="-1")], "-1.*, row 3"),
        ([row(pixel="dark")], "dark.*, row 1"),
        ([*[row()] * 5000, row(pixel="7.5")], "7.5.*, row 5001"),  # not in the first part that is read
        ([row(), row(pixel="")], "empty pixel in column 0_px, row 2"),
        ([row(), row(emotion="")], "without an emotion, row 2"),
        ([row(), row() + ",more"], "2306.*, row 2"),  # a value more than there are columns
        ([row(), row(emotion=" ")], "whose emotion is ' ', row 2"),
        ([row(), row(emotion="_")], "whose emotion is '_', row 2"),
        ([row(), row(emotion='"happy'), row(), row()], r"whose emotion is 'happy\\n.*, row 2"),  # swallows the others
        ([], "holds no faces"),
        ([row(pixel="9" * 5000)], "999.*, row 1"),  # more digits than Python reads
        ([row(emotion="x" * 200_000), row(pixel="256")], "256"),  # a longer text than Python's csv reads
    ],
)
@pytest.mark.hostile("which row of which file is wrong")
def test_wrong_rows_are_told_with_the_file_and_the_place(tmp_path: Path, rows: list[str], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence) as caught:
        read_faces(csv_with(tmp_path / "data.csv", *rows))
    assert "data.csv" in str(caught.value)


@pytest.mark.hostile("which columns are missing")
def test_a_table_without_the_pixel_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"data\.csv is not a table of faces"):
        read_faces(csv_with(tmp_path / "data.csv", "1,2", header="a,b"))


@pytest.mark.hostile("that it is no table of faces")
@pytest.mark.parametrize("content", [b"", b"\n", (row() + "\n" + row() + "\n").encode()])
def test_a_table_without_a_header_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"data\.csv (is not a table of faces|holds no faces)"):
        read_faces(tmp_path / "data.csv")


@pytest.mark.hostile("that an emotion, or a file name, is no text in UTF-8")
@pytest.mark.parametrize(("column", "told"), [("emotion", "an emotion"), ("file", "a file name")])
def test_a_parquet_file_whose_texts_are_no_text_is_refused(tmp_path: Path, column: str, told: str) -> None:
    columns = {name: pa.array([0], pa.uint8()) for name in PIXEL_COLUMNS}
    columns |= {"emotion": pa.array(["happy"]), "file": pa.array(["a.png"])}
    columns[column] = pa.array([b"\xff"]).view(pa.string())
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "data.parquet")
    with pytest.raises(DatasetError, match=f"{told} that is no text in UTF-8"):
        read_faces(tmp_path / "data.parquet")


@pytest.mark.hostile("which columns are missing")
def test_a_parquet_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DatasetError, match="not a table of faces"):
        read_faces(tmp_path / "data.parquet")


def test_a_missing_table_is_told_with_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"image_to_vector\.py FOLDER"):
        read_faces(tmp_path / "data.csv")


def test_other_columns_and_their_order_do_not_matter(tmp_path: Path) -> None:
    header = ",".join(["note", "emotion", *reversed(PIXEL_COLUMNS)])
    table = csv_with(tmp_path / "data.csv", ",".join(["x", "sad", *["0"] * 2303, "9"]), header=header)
    faces = read_faces(table)
    assert faces.X[0, 0] == 9
    assert faces.y.tolist() == ["Sad"]


@pytest.mark.parametrize(("mark", "head"), [(b"\xef\xbb\xbf", '"file",'), (b"", '"file",'), (b"\xef\xbb\xbf", "file,")])
def test_names_of_files_are_found_as_spreadsheets_write_them(tmp_path: Path, mark: bytes, head: str) -> None:
    """Without, votes on these faces would not be found."""
    header = head + ",".join([*PIXEL_COLUMNS, LABEL_COLUMN])
    row = ",".join(["a.png", *["7"] * 2304, "Happy"])
    (tmp_path / "data.csv").write_bytes(mark + f"{header}\r\n{row}\r\n".encode())
    files = read_faces(tmp_path / "data.csv").files
    assert files is not None
    assert files.tolist() == ["a.png"]


def test_faces_that_are_no_face_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        Faces(PIXELS.astype(np.float32), np.array(LABELS))
    with pytest.raises(ValueError, match="one label a row"):
        Faces(PIXELS, np.array(LABELS[:3]))
