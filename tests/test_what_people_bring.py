"""Every kind of file in every place that takes files: it is read, or named for what it is, with what to do."""

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import image_to_vector
from emotion import cli
from emotion.page.pictures.asking import _look_at_next
from emotion.page.state import Request
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import load_models
from tests.brought import brought
from tests.loopback import LoopbackServer, http_answer, serving
from tests.tiny_models import write_tiny_models

READ = ("JPEG", "JPEG that lacks its end", "PNG", "GIF", "WebP", "BMP", "TIFF", "PNM", "AVIF", "HEIC")
TABLES = ("table of faces", "table of faces, semicolons, UTF-16", "table of faces, packed")
FILMS = ("film, MP4", "film, QuickTime", "film, WebM", "film, AVI", "film, MPEG-TS")
FER2013 = ("FER2013's table", "FER2013's table, blank-led")

NAMES = {
    **{kind: f"a{'n' * (kind[0] == 'A')} {kind} picture" for kind in READ},
    "JPEG that lacks its end": "a JPEG picture",
    "JPEG XL": "a JPEG XL picture",
    "JPEG XL in boxes": "a JPEG XL picture",
    "JPEG 2000": "a JPEG 2000 picture",
    **dict.fromkeys(("RAW", "RAW of Canon", "RAW of Canon, newer", "RAW of Fujifilm"), "a RAW picture of a camera"),
    "SVG": "an SVG drawing",
    "Photoshop": "a Photoshop picture",
    "icon": "an icon (ICO)",
    "DICOM": "a DICOM picture",
    "PDF": "a PDF document",
    **dict.fromkeys(("film, MP4", "film, QuickTime", "film, WebM", "film, AVI", "film, MPEG-TS"), "a film"),
    "playlist": "a playlist of a film",
    "sound": "a sound",
    "web page": "a web page",
    "web page of Windows": "a web page",
    "JSON": "a JSON text",
    "XML": "an XML text",
    "text": "a text",
    "picture as a text": "a picture written as a text (data:image/...)",
    **dict.fromkeys(("CSV", "CSV of Windows", "CSV in UTF-16"), "a table as text (CSV)"),
    **dict.fromkeys(TABLES, "a table of faces"),
    **dict.fromkeys(FER2013, "FER2013's own table of faces"),
    "FER+'s votes": "FER+'s table of votes",
    "Parquet": "a Parquet table",
    "Excel": "an Excel table",
    "Office of before 2007": "an Office document of before 2007",
    "Word": "a Word document",
    "zip": "a zip archive",
    "gzip": "a gzip archive",
    "7z": "a 7z archive",
    "RAR": "a RAR archive",
    "NumPy": "a NumPy array",
    "NumPy archive": "a NumPy archive",
    "HDF5": "an HDF5 file",
    "ONNX": "an ONNX model",
    "pickle": "a Python pickle",
    "Git LFS pointer": "a Git LFS pointer, which stands for a file that was not downloaded",
    "program": "a program",
    "nothing": "",
    "noughts": "",
    "noise": "",
}

OTHER_PICTURES = (
    *("JPEG XL", "JPEG XL in boxes", "JPEG 2000", "RAW", "RAW of Canon", "RAW of Canon, newer", "RAW of Fujifilm"),
    *("SVG", "Photoshop", "icon", "DICOM", "picture as a text"),
)

INSTEAD = {
    **dict.fromkeys(OTHER_PICTURES, "save it as JPEG or PNG."),
    "SVG": "save it as PNG.",
    **dict.fromkeys(("RAW", "RAW of Canon", "RAW of Canon, newer", "RAW of Fujifilm"), "export it as JPEG from the"),
    **dict.fromkeys(
        (kind for kind in NAMES if kind.startswith("film") or kind == "playlist"), "stop it where the face shows"
    ),
    "web page": "copy the picture's own address, or save the picture",
    "web page of Windows": "copy the picture's own address, or save the picture",
    **dict.fromkeys(("zip", "gzip", "7z", "RAR", "table of faces, packed"), "unpack it, and use the pictures in it."),
    **dict.fromkeys((*TABLES[:2], *FER2013, "Parquet"), "train and evaluate take it with --data."),
    "FER+'s votes": "train and evaluate take it with --votes.",
    **dict.fromkeys(
        ("PDF", "Excel", "Office of before 2007", "Word", "NumPy", "NumPy archive", "HDF5"), "have to be saved as JPEG"
    ),
    "Git LFS pointer": "get the file with: git lfs pull.",
}
"""What to do where a picture was asked for; elsewhere, to choose one."""

FACES_LACK = "it lacks the columns 0_px to 2303_px and emotion, or emotion and pixels"
AS_TABLE = {
    **dict.fromkeys((*READ, *OTHER_PICTURES), "sort pictures into one folder for each emotion, then python image_to"),
    **dict.fromkeys(
        (kind for kind in NAMES if kind.startswith("film") or kind == "playlist"), "save pictures of it into one fol"
    ),
    "web page": "download the file itself.",
    "web page of Windows": "download the file itself.",
    **dict.fromkeys(("zip", "7z", "RAR"), "unpack it, and give what is in it."),
    "Excel": "save it as CSV and give that.",
    "Office of before 2007": "save a spreadsheet as CSV and give that.",
    **dict.fromkeys(("JSON", "NumPy", "NumPy archive", "HDF5"), "write it as CSV with the columns 0_px to 2303_px and"),
    "FER+'s votes": "give it with --votes.",
    "ONNX": "models are named with --models.",
    "Git LFS pointer": "get the file with: git lfs pull.",
}
"""What to do where a table of faces was asked for; elsewhere, to give one."""


def as_picture(kind: str) -> str:
    """What is said where a picture was asked for."""
    if kind == "nothing":
        return "The file is empty: make or download it anew."
    if not NAMES[kind]:
        return "This is not a picture in a known format: use JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF."
    name = "a gzip archive" if kind == "table of faces, packed" else NAMES[kind]
    instead = INSTEAD.get(kind, "choose a picture file, such as JPEG or PNG.")
    if kind in OTHER_PICTURES:
        return f"This is {name}, which is not read: {instead}"
    return f"This is {name}, not a picture: {'pictures in it ' * instead.startswith('have')}{instead}"


def of_an_address(kind: str) -> str:
    """What is said of what an address leads to."""
    if kind.startswith("web page"):
        return "The address leads to a web page, not to a picture: copy the picture's own address (right click on it)"
    return "The server sent an empty file: check the address." if kind == "nothing" else as_picture(kind)


def as_faces(kind: str) -> str:
    """What is said where a table of faces was asked for."""
    if kind in (*TABLES, *FER2013):
        return "all Happy"
    if kind == "nothing":
        return "is not a table of faces: the file is empty. Make or download it anew."
    if not NAMES[kind]:
        return "is not a table of faces in a known format: give CSV or Parquet."
    if kind in ("text", "CSV", "CSV of Windows", "CSV in UTF-16", "Parquet", "gzip"):
        return f"is not a table of faces: {FACES_LACK}"
    return f"is {NAMES[kind]}, not a table of faces: {AS_TABLE.get(kind, 'give a table of faces.')}"


def as_labels(kind: str) -> str:
    """What is said where a list of labels was asked for."""
    if kind == "nothing":
        return "is not a list of labels: the file is empty. Make or download it anew."
    if not NAMES[kind]:
        return "is not a list of labels in a known format: give CSV or Parquet."
    if kind in ("text", "gzip"):
        return "does not say which of its columns has the labels"
    if kind.startswith("CSV"):
        return "has no labels for the pictures of" if "Windows" in kind else "has numbers as labels (31), and nobody"
    instead = AS_TABLE.get(kind, "give a list of labels.").replace("0_px to 2303_px and", "image and label.")
    if kind in (*TABLES, *FER2013):
        instead = "give it with --data."
    if kind == "Parquet":
        instead = "save it as CSV and give that."
    return f"is {NAMES[kind]}, not a list of labels: {instead}"


def as_votes(kind: str) -> str:
    """What is said where FER+'s votes were asked for."""
    if kind == "FER+'s votes":
        return "has no votes on these faces: it names files like a.png, and not like 1.png."
    if kind in ("text", "CSV", "CSV of Windows", "CSV in UTF-16", "gzip"):
        return "is not a table of votes: it lacks the columns"
    return re.sub(
        "columns image and label.",
        "columns file (or Image name)",
        as_labels(kind).replace("a list of labels", "a table of votes"),
    )


def as_folder(kind: str) -> str:
    """What is said where a folder was asked for."""
    what = NAMES[kind] or "a file"
    instead = "name a folder."
    if kind in (*READ, *OTHER_PICTURES):
        instead = "name the folder that holds it."
    elif kind.startswith("web page"):
        instead = "name a folder on this computer."
    elif kind in ("zip", "gzip", "7z", "RAR", "table of faces, packed"):
        what, instead = (
            what if kind in ("zip", "7z", "RAR") else "a gzip archive",
            "unpack it, and name what comes out.",
        )
    elif kind in (*TABLES, *FER2013, "Parquet", "FER+'s votes"):
        instead = INSTEAD[kind]
    return f"is {what}, not a folder of pictures: {instead}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all kinds under names that say nothing, models, and a folder of good pictures."""
    folder = tmp_path_factory.mktemp("brought")
    write_tiny_models(folder / "models")
    (folder / "good" / "happy").mkdir(parents=True)
    (folder / "good" / "happy" / "a.png").write_bytes(brought()["PNG"])
    rows = brought()["table of faces"].decode().splitlines()
    named = [f"{row},{'file' if number == 0 else f'{number}.png'}" for number, row in enumerate(rows)]
    (folder / "faces.csv").write_text("\n".join(named) + "\n")
    for number, content in enumerate(brought().values()):
        (folder / f"thing{number}").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def models(place: Path) -> Ensemble:
    return load_models(place / "models")


@pytest.fixture
def said(
    place: Path, models: Ensemble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs a command in that folder; gives its status and all that it has written, at most a line of it an error."""
    monkeypatch.setattr(cli, "load_models", lambda path: models)
    monkeypatch.chdir(place)

    def run(main: Callable[[list[str]], int], *arguments: str) -> tuple[int, str]:
        status = main([*arguments])
        told = capsys.readouterr()
        assert told.err.count("\n") <= 1
        assert "Traceback" not in told.err
        return status, told.out + told.err

    return run


def thing(kind: str) -> str:
    return f"thing{list(brought()).index(kind)}"


KINDS = pytest.mark.parametrize("kind", list(brought()))


def test_each_kind_is_brought() -> None:
    assert set(NAMES) == set(brought())


@KINDS
def test_on_the_command_line(said: Any, kind: str) -> None:
    status, told = said(cli.main, "predict", thing(kind), "--models", "models")
    if kind in READ:
        assert (status, told.startswith(f"{thing(kind)}: Happy 5/5")) == (0, True)
    elif kind in FILMS:
        assert (status, told.startswith(f"{thing(kind)}: no face found at 5 moments.")) == (0, True)
    else:
        assert status == 1
        assert told.startswith(f"{thing(kind)}: {as_picture(kind)}")


def looked_at(name: str, read: Callable[[], bytes], models: Ensemble) -> Request:
    request = Request([(name, read)], prefixed=True)
    _look_at_next(request, models)
    return request


@KINDS
def test_as_an_upload(models: Ensemble, kind: str) -> None:
    request = looked_at("IMG_0001.HEIC", lambda: brought()[kind], models)
    if kind in READ:
        [picture] = request.pictures
        assert len(picture.faces) == 1
    else:
        [problem] = request.problems
        assert problem.told.startswith(f"IMG_0001.HEIC: {as_picture(kind)}")


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with serving({f"/{thing(kind)}.jpg": http_answer(content) for kind, content in brought().items()}) as loopback:
        yield loopback


@KINDS
def test_behind_an_address(said: Any, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("EMOTION_TEST_ALLOW_LOOPBACK", "1")
    address = server.url(f"/{thing(kind)}.jpg")
    status, told = said(cli.main, "predict", address, "--models", "models")
    assert status == (kind not in READ and kind not in FILMS)
    seen = "Happy 5/5" if kind in READ else "no face found at 5 moments." if kind in FILMS else of_an_address(kind)
    assert told.startswith(f"{address}: {seen}")


@KINDS
def test_as_a_table_of_faces(said: Any, kind: str) -> None:
    status, told = said(cli.main, "evaluate", "--data", thing(kind), "--models", "models")
    assert status == (kind not in (*TABLES, *FER2013))
    assert as_faces(kind) in told


@KINDS
def test_as_a_list_of_labels(said: Any, kind: str) -> None:
    status, told = said(image_to_vector.main, "good", "--labels", thing(kind), "--output", "o.csv")
    assert status == 1
    assert told.startswith(thing(kind))
    assert as_labels(kind) in told


@KINDS
def test_as_votes(said: Any, kind: str) -> None:
    status, told = said(cli.main, "evaluate", "--data", "faces.csv", "--votes", thing(kind), "--models", "models")
    assert status == 1
    assert as_votes(kind) in told


@KINDS
def test_in_place_of_a_folder(said: Any, kind: str) -> None:
    for main, arguments in (
        (image_to_vector.main, [thing(kind), "--output", "o.csv"]),
        (cli.main, ["predict", thing(kind), "--csv", f"{thing(kind)}.csv", "--models", "models"]),
        (cli.main, ["evaluate", "--pictures", thing(kind), "--models", "models"]),
    ):
        status, told = said(main, *arguments)
        if kind in FILMS and arguments[0] == "predict":
            assert (status, told.startswith("5 moments looked at.")) == (0, True)
            continue
        assert status == 1
        assert told.strip().splitlines()[-1].startswith(f"{thing(kind)} {as_folder(kind)}")


@KINDS
def test_in_place_of_a_folder_of_models(place: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predict", "a.png", "--models", str(place / thing(kind))]) == 1
    assert capsys.readouterr().err == (
        f"{place / thing(kind)} is a file, and not a folder of models: name the folder that holds it.\n"
    )


@pytest.fixture(scope="module", params=["", ".jpg"], ids=["without ending", "named .jpg"])
def walked(
    request: pytest.FixtureRequest, place: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, str], str, str]:
    """All kinds in one folder of an emotion, gone through once: the ending, what is listed of each, what is said."""
    folder = tmp_path_factory.mktemp("walked")
    (folder / "set" / "happy").mkdir(parents=True)
    for kind, content in brought().items():
        (folder / "set" / "happy" / f"{thing(kind)}{request.param}").write_bytes(content)
    capture = request.getfixturevalue("capture")
    said = capture(lambda: image_to_vector.main([str(folder / "set"), "--output", str(folder / "faces.csv")]))
    votes = capture(
        lambda: cli.main(
            ["predict", str(folder / "set"), "--csv", str(folder / "votes.csv"), "--models", str(place / "models")]
        )
    )
    lines = (folder / "faces.unreadable.txt").read_text(encoding="utf-8").splitlines()
    listed = dict(line.removeprefix("happy/").split("\t") for line in lines)
    rows = (folder / "votes.csv").read_text(encoding="utf-8")
    return request.param, {name.partition(".")[0]: why for name, why in listed.items()}, said + "\0" + votes, rows


@pytest.fixture(scope="module")
def capture() -> Callable[[Callable[[], int]], str]:
    """Gives what a command prints."""

    def captured(run: Callable[[], int]) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            run()
        return out.getvalue()

    return captured


@pytest.mark.slow
@KINDS
def test_in_a_folder_of_pictures(walked: tuple[str, dict[str, str], str, str], kind: str) -> None:
    ending, listed, _, rows = walked
    if kind in READ:
        assert thing(kind) not in listed
        assert re.search(rf"happy/{thing(kind)}{re.escape(ending)},,,1,0,0,48,48,Happy", rows)
    elif kind in FILMS:
        assert (thing(kind) in listed) == bool(ending)
        assert len(re.findall(rf"happy/{thing(kind)}{re.escape(ending)},[\d.]+,\d,,", rows)) == 5
    elif ending or kind in OTHER_PICTURES:
        assert listed[thing(kind)].startswith(as_picture(kind))
        assert as_picture(kind)[:40] in next(row for row in rows.splitlines() if f"/{thing(kind)}{ending}," in row)
    else:
        assert thing(kind) not in listed
        assert f"/{thing(kind)}," not in rows


@pytest.mark.slow
def test_what_is_passed_over_in_a_folder_is_counted(walked: tuple[str, dict[str, str], str, str]) -> None:
    ending, _, said, _ = walked
    others = 0 if ending else len(brought()) - len(READ) - len(OTHER_PICTURES)
    for told, over in zip(said.split("\0"), (others, max(0, others - len(FILMS))), strict=True):
        assert (f"{over} files passed over: {over} without ending." in told) == bool(over)
        assert ("passed over" in told) == bool(over)


@pytest.mark.parametrize("name", ["faces.xlsx", "faces", "faces.txt", "faces.csv.zip", "faces.json", "faces.csv.bz2"])
def test_an_output_of_another_ending_is_refused_before_the_work(said: Any, name: str) -> None:
    assert said(image_to_vector.main, "good", "--output", name) == (
        1,
        f"{name} must end in .csv, .csv.gz or .parquet, or be a folder (a slash at its end).\n",
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.CSV", "a.csv.gz", "a.CSV.GZ", "a.PARQUET", "a.parquet", "parts/"])
def test_an_output_is_written_as_its_name_says(said: Any, place: Path, name: str) -> None:
    assert said(image_to_vector.main, "good", "--output", name)[0] == 0
    start = b"" if name == "parts/" else (place / name).read_bytes()[:4]
    assert start[:2] == {"z": b"\x1f\x8b", "t": b"PA", "v": b"0_", "/": b""}[name[-1].lower()]
    assert "1 face" in said(cli.main, "evaluate", "--data", name, "--models", "models")[1]
