"""A Kaggle data set gets into Assets whole or not at all, through the real kagglehub client: its cache, a local server.

The client takes no other address than port 7777 for its tests; where that port is taken, these tests fail.
"""

import builtins
import errno
import fcntl
import gzip
import io
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, ClassVar

import kagglehub  # here, so that its log does not write to what one test has captured
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import kaggle_handler
from emotion import config
from emotion.errors import DownloadError
from emotion.runtime.terminal import typed
from kaggle_handler import handler

PORT = 7777
SET = "someone/faces"
VERSION = f"{SET}/versions/3"


def picture(content: str) -> bytes:
    """What begins as a PNG does: no more is looked at."""
    return b"\x89PNG\r\n\x1a\n" + content.encode()


FILES = {
    f"Data/{part}/{emotion}/{i}.png": picture(f"{part} {emotion} {i}")
    for part, count in (("train", 3), ("test", 1))
    for emotion in ("Angry", "Happy")
    for i in range(count)
}
PLACED = {name.removeprefix("Data/"): content for name, content in FILES.items()}

Tree = dict[str, bytes | None]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, nobody's credentials, and Kaggle at localhost; subprocesses inherit it."""
    for name in list(os.environ):
        if name.startswith("KAGGLE") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "home" / ".kaggle"))
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    # For its user agent kagglehub looks who called it, among all modules: thousands, after other tests.
    monkeypatch.setattr(kagglehub.clients, "search_lib_in_call_stack", lambda library: None)
    return tmp_path / "cache"


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    return tmp_path / "work" / "Assets"


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def seed(cache: Path, files: dict[str, bytes]) -> Path:
    """Fill the cache as kagglehub does: the files, and beside `versions` the marker that they are complete."""
    folder = cache / "datasets" / SET / "versions" / "3"
    folder.mkdir(parents=True)
    write(folder, files)
    (cache / "datasets" / SET / "3.complete").touch()
    return folder


def tree(folder: Path) -> Tree:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def files_in(folder: Path) -> Tree:
    return {name: content for name, content in tree(folder).items() if content is not None}


FILM = b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomavc1"
NUMPY = b"\x93NUMPY\x01\x00"
FER2013 = b"emotion,pixels,Usage\n0,70 80 82,Training\n"
OF_FACES = b",".join(b"%d_px" % i for i in range(2304)) + b",emotion\n"


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class Kaggle(ThreadingHTTPServer):
    """What kagglehub asks of Kaggle for a data set: its newest version, then its archive, at another address."""

    archive = zipped(FILES)
    status = 200
    archive_headers: ClassVar = {"Content-Type": "application/zip"}
    missing_bytes = 0

    def __init__(self) -> None:
        super().__init__(("localhost", PORT), KaggleRequest)
        self.asked: list[str] = []
        self.archive_asked_for = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()


class KaggleRequest(BaseHTTPRequestHandler):
    server: Kaggle

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        call = self.path.rsplit("/", 1)[-1]
        self.server.asked.append(call)
        if self.server.status != 200:
            body = json.dumps({"code": self.server.status, "message": "No."}).encode()
            self.answer(self.server.status, body, {"Content-Type": "application/json"})
        elif call == "GetDataset":
            self.answer(200, b'{"currentVersionNumber": 3}', {"Content-Type": "application/json"})
        else:
            self.answer(302, b"", {"Location": f"http://localhost:{PORT}/archive"})

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.archive_asked_for.set()
        assert self.server.may_answer.wait(30)
        self.answer(200, self.server.archive, self.server.archive_headers, self.server.missing_bytes)

    def answer(self, status: int, body: bytes, headers: dict[str, str], missing_bytes: int = 0) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + missing_bytes))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def port_alone() -> Iterator[None]:
    """Tests that run side by side take turns on the only port that there is."""
    with (Path(gettempdir()) / f"port-{PORT}-of-tests").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


@pytest.fixture
def kaggle(port_alone: None) -> Iterator[Kaggle]:
    try:
        server = Kaggle()
    except OSError as error:
        pytest.fail(f"Port {PORT}, the only one that kagglehub takes for tests, cannot be had: {error}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """The command itself, in a copy of the project, since it always writes to the Assets beside it."""
    project = tmp_path / "project"
    shutil.copytree(config.ROOT / "emotion", project / "emotion", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(config.ROOT / "kaggle_handler.py", project)

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "kaggle_handler.py", *arguments],
            cwd=project,
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )

    return start


# The command


def test_a_cached_version_needs_no_network_and_the_cache_stays(
    cache: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    seed(cache, FILES)
    before = tree(cache)
    process = start(VERSION, "--folder", "my faces")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert output.splitlines()[-7:] == [
        "Assets/my faces: 8 files added, 0 were there already.",
        "  test/Angry           1",
        "  test/Happy           1",
        "  train/Angry          3",
        "  train/Happy          3",
        "For --test, make another table in the same way, with --output test.csv, of Assets/my faces/test.",
        "Next: python image_to_vector.py 'Assets/my faces/train'",
    ]
    assert files_in(tmp_path / "project" / "Assets" / "my faces") == PLACED
    assert tree(cache) == before


def test_download_contacts_nobody_else_and_a_second_run_nobody_at_all(
    kaggle: Kaggle, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start(SET)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert kaggle.asked == ["GetDataset", "DownloadDataset", "/archive"]
    assert "100%" in errors, "kagglehub's progress bar"
    placed = tree(tmp_path / "project" / "Assets")
    assert files_in(tmp_path / "project" / "Assets" / "faces") == PLACED
    assert [name for name in placed if "/" not in name] == ["faces"], "nothing else is left in Assets"

    again = start(SET)
    output, errors = again.communicate(timeout=60)
    assert (again.returncode, errors) == (0, "")
    assert output == "Assets already holds something and is left alone; use --add-more to add to it.\n"
    assert len(kaggle.asked) == 3
    assert tree(tmp_path / "project" / "Assets") == placed


def test_a_refusal_is_one_sentence_and_status_1(
    kaggle: Kaggle, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    kaggle.status = 404
    process = start(SET)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == "Kaggle has no data set someone/faces, or not that version of it; check the spelling.\n"
    assert not (tmp_path / "project" / "Assets").exists()


def test_ctrl_c_while_downloading_leaves_no_assets_and_says_one_line(
    kaggle: Kaggle, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    kaggle.may_answer.clear()
    # A test run that was started in the background ignores Ctrl-C and so would its children.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = start(SET)
        assert kaggle.archive_asked_for.wait(60)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        signal.signal(signal.SIGINT, ours)
        kaggle.may_answer.set()
    assert (process.returncode, errors) == (130, "Stopped; Assets is as it was before.\n")
    assert not (tmp_path / "project" / "Assets").exists()


def test_a_misspelt_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        kaggle_handler.main(["--add-mroe"])
    assert stopped.value.code == 2
    assert "unrecognized arguments: --add-mroe" in capsys.readouterr().err


# What Kaggle and the network can do


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "refuses someone/faces: No."),
        (401, "KAGGLE_API_TOKEN"),
        (403, "https://www.kaggle.com/datasets/someone/faces"),
        (404, "check the spelling"),
        (429, "status 429"),
        (500, "later"),
        (503, "later"),
    ],
)
@pytest.mark.parametrize("handle", [SET, VERSION])
def test_each_refusal_says_what_to_do(kaggle: Kaggle, assets: Path, handle: str, status: int, words: str) -> None:
    kaggle.status = status
    with pytest.raises(DownloadError) as told:
        handler(handle, assets=assets)
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert not assets.parent.exists()


@pytest.mark.parametrize(
    "credentials",
    [{"KAGGLE_API_TOKEN": "token"}, {"KAGGLE_USERNAME": "me", "KAGGLE_KEY": "key"}, "access_token", "kaggle.json"],
)
def test_the_credentials_that_the_refusal_names_are_sent(
    kaggle: Kaggle, assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: dict[str, str] | str
) -> None:
    """Otherwise the advice would lead nowhere."""
    sent: list[str | None] = []
    monkeypatch.setattr(KaggleRequest, "parse_request", parse_and_note(sent))
    if isinstance(credentials, dict):
        for name, value in credentials.items():
            monkeypatch.setenv(name, value)
    else:
        content = json.dumps({"username": "me", "key": "key"}) if credentials == "kaggle.json" else "token"
        write(tmp_path / "home" / ".kaggle", {credentials: content.encode()})
    handler(SET, assets=assets)
    assert sent[0] in ("Bearer token", "Basic bWU6a2V5")


def parse_and_note(sent: list[str | None]) -> Callable[[KaggleRequest], bool]:
    def parse_request(self: KaggleRequest) -> bool:
        understood = BaseHTTPRequestHandler.parse_request(self)
        sent.append(self.headers["Authorization"])
        return understood

    return parse_request


def test_no_network_is_told(assets: Path) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("localhost", PORT)) != 0, f"something listens on port {PORT}"
    with pytest.raises(DownloadError, match="cannot be reached; check the network"):
        handler(SET, assets=assets)
    assert not assets.parent.exists()


def test_a_connection_that_breaks_off_is_told_and_the_next_run_works(kaggle: Kaggle, assets: Path) -> None:
    kaggle.missing_bytes = 1000
    with pytest.raises(DownloadError, match="cannot be reached"):
        handler(SET, assets=assets)
    assert not assets.parent.exists()
    kaggle.missing_bytes = 0
    assert files_in(handler(SET, assets=assets)) == PLACED


def test_a_damaged_archive_is_told_with_what_to_delete(kaggle: Kaggle, assets: Path, cache: Path) -> None:
    sound = zipped({"Angry/1.png": picture("") + bytes(range(256)) * 50}, zipfile.ZIP_DEFLATED)
    wrong_checksum = zipped({"Angry/1.png": picture("some bytes")}).replace(b"some bytes", b"other ones", 1)
    for archive in (b"not an archive", sound[:-60], sound[:60] + bytes(60) + sound[120:], wrong_checksum):
        kaggle.archive = archive
        with pytest.raises(DownloadError, match="damaged; delete") as told:
            handler(SET, assets=assets)
        assert str(cache / "datasets" / SET) in str(told.value)
        assert not assets.parent.exists()
    shutil.rmtree(cache / "datasets" / SET)
    kaggle.archive = sound
    handler(SET, assets=assets)


def test_an_archive_that_changed_on_its_way_is_told(
    kaggle: Kaggle, assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kaggle, "archive_headers", {"X-Goog-Hash": "md5=AAAAAAAAAAAAAAAAAAAAAA=="})
    with pytest.raises(DownloadError, match="damaged"):
        handler(SET, assets=assets)
    assert not assets.parent.exists()


def test_a_broken_credentials_file_is_told_by_name(assets: Path, tmp_path: Path) -> None:
    write(tmp_path / "home" / ".kaggle", {"kaggle.json": b"{"})
    with pytest.raises(DownloadError, match=r"kaggle\.json; mend or delete"):
        handler(SET, assets=assets)


def test_a_disk_that_fills_up_while_unpacking_is_told_as_the_cache(
    kaggle: Kaggle, assets: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile.ZipFile, "extractall", raising(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(DownloadError, match="is full") as told:
        handler(SET, assets=assets)
    assert f"{cache} " in str(told.value)
    assert not assets.parent.exists()


@pytest.mark.parametrize("fault", [RuntimeError("a bug"), ValueError("a bug"), OSError(errno.EIO, "I/O error")])
def test_a_fault_of_the_program_is_not_dressed_up(
    assets: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """It would be hidden from whoever could mend it."""
    monkeypatch.setattr(kagglehub, "dataset_download", raising(fault))
    with pytest.raises(type(fault)) as raised:
        handler(SET, assets=assets)
    assert raised.value is fault
    assert not assets.parent.exists()


def raising(fault: BaseException) -> Callable[..., None]:
    def fail(*arguments: Any, **options: Any) -> None:
        raise fault

    return fail


# What users can mistype


@pytest.mark.parametrize(
    "handle",
    [
        "",
        "faces",
        "someone/",
        "/faces",
        "someone//faces",
        "someone/faces/3",
        "someone/faces/versions",
        "someone/faces/versions/",
        "someone/faces/versions/0",
        "someone/faces/versions/-1",
        "someone/faces/versions/latest",
        "someone/faces/versions/3/more",
        "some one/faces",
        "../faces",  # would lead out of the cache
        "someone/..",
        "someone\\faces",
        "someone/gesichter-ü",
        "https://kaggle.com@example.org/datasets/someone/faces",
        "kaggle datasets download",
        "kaggle datasets list -s faces",
        "/home/me/faces.zip",
        "https://www.kaggle.com",
    ],
)
def test_a_malformed_handle_is_refused_with_an_example(assets: Path, handle: str) -> None:
    with pytest.raises(DownloadError, match=r"write owner/name or owner/name/versions/N, as in .*, or its"):
        handler(handle, folder="faces", assets=assets)
    assert not assets.parent.exists()


@pytest.mark.parametrize("handle", ["a/b", "some_one/faces.v2", "someone/faces/versions/12", config.DEFAULT_DATASET])
def test_a_wellformed_handle_is_asked_for(kaggle: Kaggle, assets: Path, handle: str) -> None:
    assert handler(handle, assets=assets) == assets / handle.split("/")[1]


@pytest.mark.parametrize(
    "pasted",
    [
        "https://www.kaggle.com/datasets/someone/faces/versions/3",
        "http://kaggle.com/datasets/someone/faces/versions/3/data",
        "HTTPS://WWW.Kaggle.com/datasets/someone/faces/versions/3/",
        "www.kaggle.com/datasets/someone/faces/versions/3?select=train",
        "kaggle.com/datasets/someone/faces/versions/3#readme",
        "//www.kaggle.com/datasets/someone/faces/versions/3",
        "https://www.kaggle.com/api/v1/datasets/download/someone/faces?datasetVersionNumber=3",
        "https://www.kaggle.com:443/datasets/someone/faces/versions/3",
        "kaggle.com/someone/faces/versions/3",
        "https://www.kaggle.com/someone/faces/version/3",
        "datasets/someone/faces/versions/3",
        "someone/faces/versions/3/",
        " someone/faces/versions/3\n",
        "'someone/faces/versions/3'",
        "“someone/faces/versions/3”",
        "<https://www.kaggle.com/datasets/someone/faces/versions/3>",
        "[Faces dataset](https://www.kaggle.com/datasets/someone/faces/versions/3).",
        "Faces, https://www.kaggle.com/datasets/someone/faces/versions/3, of somebody",
        "kaggle datasets download -d someone/faces/versions/3",
        "!kaggle datasets download someone/faces/versions/3 -p other/place --unzip",
        "$ kaggle datasets download -p other/place --unzip --dataset=someone/faces/versions/3",
        "kaggle datasets download -d https://www.kaggle.com/datasets/someone/faces/versions/3",
        'kagglehub.dataset_download("someone/faces/versions/3")',
        "import kagglehub\n\n# newest\npath = kagglehub.dataset_download('someone/faces/versions/3')\nprint(path)",
        'df = kagglehub.load_dataset(KaggleDatasetAdapter.PANDAS, "someone/faces/versions/3", "a/b.csv")',
    ],
)
def test_what_people_paste_is_taken_for_the_data_set_in_it(cache: Path, assets: Path, pasted: str) -> None:
    """The cache has this version, and nobody answers who is asked for another."""
    seed(cache, FILES)
    assert files_in(handler(pasted, assets=assets)) == PLACED
    assert [path.name for path in assets.iterdir()] == ["faces"]


@pytest.mark.parametrize(
    "pasted",
    [
        "https://www.kaggle.com/datasets/someone/faces",
        "https://www.kaggle.com/datasets/someone/faces/data?select=train.csv",
        "https://www.kaggle.com/datasets/someone/faces/discussion/1234",
        "https://www.kaggle.com/datasets/someone/faces/versions",
        "https://www.kaggle.com/someone/faces/home",
        "curl -L -o ~/Downloads/faces.zip\\\n  https://www.kaggle.com/api/v1/datasets/download/someone/faces",
        "kaggle datasets download someone/faces -f other/file.csv",
    ],
)
def test_an_address_without_version_asks_for_the_newest(kaggle: Kaggle, assets: Path, pasted: str) -> None:
    assert files_in(handler(pasted, assets=assets)) == PLACED


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("https://www.kaggle.com/competitions/faces/data", "is a competition on Kaggle and not a data set: its files"),
        ("kaggle.com/c/faces", "is a competition on Kaggle"),
        ("kaggle.com/t/0123abcd", "is a competition on Kaggle"),
        ("c/faces", "is a competition on Kaggle"),
        ("kaggle competitions download -c faces", "is a competition on Kaggle"),
        ("kagglehub.competition_download('faces')", "is a competition on Kaggle"),
        ("https://www.kaggle.com/code/someone/look", "is a notebook on Kaggle and not a data set: take the data set"),
        ("https://www.kaggle.com/someone/look/notebook", "is a notebook on Kaggle"),
        ("kaggle kernels pull someone/look", "is a notebook on Kaggle"),
        ('kagglehub.notebook_output_download("someone/look")', "is a notebook on Kaggle"),
        ("https://www.kaggle.com/models/someone/net/onnx", "is a model on Kaggle and not a data set: look for"),
        ('kagglehub.model_download("someone/net/onnx/1")', "is a model on Kaggle"),
        ("https://www.kaggle.com/datasets", "is a page of Kaggle, but not that of a data set"),
        ("https://www.kaggle.com/datasets?search=faces", "is a page of Kaggle"),
        ("https://www.kaggle.com/datasets/someone", "is a page of Kaggle"),
        ("https://www.kaggle.com/someone/", "is a page of Kaggle"),
        ("https://www.kaggle.com/someone/datasets", "is a page of Kaggle"),
        ("https://www.kaggle.com/discussions/general/1", "is a page of Kaggle"),
        ("https://www.kaggle.com/datasets/../faces", "is a page of Kaggle"),
        ("https://huggingface.co/datasets/someone/faces", r"^huggingface\.co is not Kaggle; give the address"),
        ("github.com/someone/faces", r"^github\.com is not Kaggle"),
        ("https://www.kaggle.com.example.org/datasets/someone/faces", r"^kaggle\.com\.example\.org is not Kaggle"),
    ],
)
def test_what_is_no_data_set_is_told_for_what_it_is(assets: Path, pasted: str, told: str) -> None:
    """Kaggle would only say that there is no such data set."""
    with pytest.raises(DownloadError, match=told) as refused:
        handler(pasted, assets=assets)
    assert "\n" not in str(refused.value)
    assert not assets.parent.exists()


@pytest.mark.parametrize(
    "folder",
    ["", " ", ".", "..", "a/b", "a/", "/a", "/", "a\\b", "..\\a", "C:", "C:a", "a\0b", ".hidden", ".partial-1"],
)
def test_a_folder_is_one_plain_name(assets: Path, folder: str) -> None:
    with pytest.raises(DownloadError, match="give one plain name"):
        handler(VERSION, folder=folder, assets=assets)
    assert not assets.parent.exists()


@pytest.mark.parametrize("folder", ["fer2013", "my faces", "Gesichter-ü", "v1.2"])
def test_a_plain_name_is_taken(cache: Path, assets: Path, folder: str) -> None:
    seed(cache, FILES)
    assert handler(VERSION, folder=folder, assets=assets) == assets / folder
    assert files_in(assets / folder) == PLACED


# What data sets look like


@pytest.mark.parametrize(
    ("downloaded", "placed"),
    [
        (["Angry/1.png", "Happy/1.png"], ["Angry/1.png", "Happy/1.png"]),
        (["train/Angry/1.png", "test/Angry/1.png"], ["test/Angry/1.png", "train/Angry/1.png"]),
        (["Data/Angry/1.png", "Data/Happy/1.png"], ["Angry/1.png", "Happy/1.png"]),
        (["a/b c/train/Angry/1.png", "a/b c/test/Angry/1.png"], ["test/Angry/1.png", "train/Angry/1.png"]),
        (["Data/Angry/1.png"], ["Angry/1.png"]),  # one emotion
        (["Angry/1.png"], ["Angry/1.png"]),
        (["Data/Angry/1.png", "cover.jpg", "readme.txt"], ["Angry/1.png"]),  # beside the wrapping folder
        (["Data/Angry/1.png", "Data/cover.jpg"], ["Data/Angry/1.png", "Data/cover.jpg"]),  # Data may be an emotion
        (
            ["Angry/1.JPG", "Angry/2.jfif", "Angry/3", "Angry/4.txt"],
            ["Angry/1.JPG", "Angry/2.jfif", "Angry/3", "Angry/4.txt"],
        ),
        (["__MACOSX/Data/Angry/._1.png", "Data/Angry/1.png", "Data/Angry/._1.png"], ["Angry/1.png"]),
        ([".git/Angry/1.png", "Angry/1.png"], ["Angry/1.png"]),
    ],
)
def test_wrapping_folders_go_and_the_rest_stays(
    cache: Path, assets: Path, downloaded: list[str], placed: list[str]
) -> None:
    seed(cache, {name: b"Of us." if "readme" in name else picture(name) for name in downloaded})
    assert sorted(files_in(handler(VERSION, assets=assets))) == placed


@pytest.mark.parametrize(
    ("downloaded", "told"),
    [
        ({}, "it holds no files"),
        ({"1.png": picture("1"), "2.png": picture("2")}, r"it holds 2 \.png"),
        ({"Angry/notes.txt": b"None yet."}, r"it holds 1 \.txt"),
        ({"faces.csv": b"name,age\nAda,36\n"}, r"it holds 1 \.csv"),
        (
            {
                "a.mp4": FILM,
                "b/c.mp4": FILM,
                "Angry/1.jpg": b"<!doctype html>",
                "Angry/2.jpg": b"",
                "x": b"\x80\x04\x95",
            },
            r"it holds 2 \.mp4, 1 \.jpg without a picture in it, 1 empty, 1 without ending: choose another data set",
        ),
        (
            {"aligned.zip": zipped({"1.png": b""}), "labels.txt": b"1.png 5"},
            r"it holds 1 \.txt, 1 \.zip: unpack its archives in .*versions.3 and",
        ),
    ],
)
def test_a_data_set_of_which_nothing_can_be_made_is_told_with_what_it_holds(
    cache: Path, assets: Path, downloaded: dict[str, bytes], told: str
) -> None:
    seed(cache, downloaded)
    with pytest.raises(DownloadError, match=f"has no pictures in emotion folders and no table of faces; {told}"):
        handler(VERSION, assets=assets)
    assert not assets.parent.exists()


def test_links_are_not_followed_out_of_the_cache(cache: Path, assets: Path, tmp_path: Path) -> None:
    """A malicious archive could otherwise have private files copied."""
    write(tmp_path / "private", {"1.png": b"secret"})
    downloaded = seed(cache, {"Angry/1.png": picture("face")})
    (downloaded / "Happy").symlink_to(tmp_path / "private")
    (downloaded / "Angry" / "2.png").symlink_to(tmp_path / "private" / "1.png")
    assert tree(handler(VERSION, assets=assets)) == {"Angry": None, "Angry/1.png": picture("face")}


def test_next_command_names_the_folder_above_the_emotions(
    cache: Path, assets: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(cache, {"Angry/1.png": picture("face")})
    monkeypatch.chdir(config.ROOT)
    handler(VERSION, assets=assets)
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == f"Next: {typed('image_to_vector.py', str(assets / 'faces'))}"
    assert told[-2] == "All pictures lie in one folder, Angry: only one emotion comes out of it."


def report_on(
    cache: Path,
    assets: Path,
    files: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """What is said of a data set by somebody who works in the folder that holds Assets."""
    seed(cache, files)
    assets.parent.mkdir()
    monkeypatch.chdir(assets.parent)
    handler(VERSION, folder="raf", assets=assets)
    script = str(config.ROOT / "image_to_vector.py")
    return capsys.readouterr().out.replace(script, "image_to_vector.py").splitlines()


def pictures(*folders: str, count: int = 3) -> dict[str, bytes]:
    return {f"{folder}/{i}.jpg".lstrip("/"): picture(f"{folder} {i}") for folder in folders for i in range(count)}


def test_content_decides_what_is_a_picture_and_the_rest_is_counted(
    cache: Path, assets: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Phones, browsers and archives name pictures as they like."""
    heic = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
    brought = {
        "Angry/1.jfif": b"\xff\xd8\xff\xe0",
        "Angry/2.jpe": b"\xff\xd8\xff\xe1",
        "Angry/IMG_3.HEIC": heic,
        "Happy/4": picture("4"),
        "Happy/5.dat": b"GIF89a",
        "Happy/6.psd": b"8BPS\x00\x01",
        "classes.txt": b"angry\nhappy\n",
        "more.parquet": b"PAR1",
        "points.npy": NUMPY,
        "votes.csv.gz": gzip.compress(b"file,votes\n1,2\n"),
    }
    passed = {
        "a.mp4": FILM,
        "Angry/b.MP4": FILM,
        "Angry/saved.jpg": b"<!doctype html><title>Sign in</title>",
        "Angry/half.png": b"",
        "cover.jpg": b"\xff\xd8\xff\xe0",
        "model": b"\x80\x04\x95",
        "README": b"Read this.",
        "LICENSE": b"MIT License",
        "notebook.ipynb": b'{"cells": []}',
    }
    litter = dict.fromkeys(["Thumbs.db", "Angry/desktop.ini", ".DS_Store", "__MACOSX/Angry/1.jfif", ".git/x.png"], heic)
    told = report_on(cache, assets, brought | passed | litter, capsys, monkeypatch)
    assert files_in(assets / "raf") == brought
    assert told == [
        "Assets/raf: 10 files added, 0 were there already.",
        "  Angry                     3",
        "  Happy                     3",
        "  tables and lists          4",
        "9 files passed over: 3 without ending, 2 .mp4, 1 .ipynb, 1 .jpg, 1 .jpg without a picture in it, 1 empty.",
        "Next: python image_to_vector.py Assets/raf",
    ]


def test_of_many_endings_the_commonest_are_named(
    cache: Path, assets: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    films = {f"{i}.x{min(i, 12)}": FILM for i in range(14)}
    told = report_on(cache, assets, films | pictures("Angry", "Sad"), capsys, monkeypatch)
    assert told[-2] == ("14 files passed over: 2 .x12, 1 .x0, 1 .x1, 1 .x10, 1 .x11, 1 .x2, 1 .x3, 1 .x4, 5 others.")


def test_of_many_folders_the_first_are_shown(
    cache: Path, assets: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = report_on(cache, assets, pictures(*(f"S{i:03}" for i in range(100)), count=1), capsys, monkeypatch)
    assert told[40:] == [
        "  S039          1",
        "  and 60 folders more",
        "No folder is named after an expression that is known here: each becomes an emotion of its name.",
        "Next: python image_to_vector.py Assets/raf",
    ]


@pytest.mark.parametrize(
    ("tables", "next_lines"),
    [
        ({"fer2013.csv": FER2013}, ["Next: python -m emotion train --data Assets/raf/fer2013.csv"]),
        (
            {"a/b/fer2013.csv": FER2013, "cover.jpg": picture("")},
            ["Next: python -m emotion train --data Assets/raf/a/b/fer2013.csv"],
        ),
        (
            {"a/b/faces.csv": OF_FACES, "a/README": b"Mine."},
            ["Next: python -m emotion train --data Assets/raf/faces.csv"],
        ),
        ({"fer 1.csv.gz": gzip.compress(FER2013)}, ["Next: python -m emotion train --data 'Assets/raf/fer 1.csv.gz'"]),
        ({"a.parquet": b"PAR1", "b.csv": b"a,b\n1,2\n"}, ["Next: python -m emotion train --data Assets/raf/a.parquet"]),
        ({"a.parquet": b"PAR1" * 99, "b.csv": FER2013}, ["Next: python -m emotion train --data Assets/raf/b.csv"]),
        ({"a.csv": FER2013, "plots/1.png": picture("")}, ["Next: python -m emotion train --data Assets/raf/a.csv"]),
        (
            {"test.csv": FER2013 * 2, "train.csv": FER2013, "icml_face_data.csv": FER2013 * 3},
            ["For --test, there is Assets/raf/test.csv.", "Next: python -m emotion train --data Assets/raf/train.csv"],
        ),
    ],
)
def test_a_table_of_faces_without_pictures_is_brought_for_training(
    cache: Path,
    assets: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tables: dict[str, bytes],
    next_lines: list[str],
) -> None:
    """FER2013, the best known set of this field, comes so."""
    told = report_on(cache, assets, tables, capsys, monkeypatch)
    assert told[-len(next_lines) :] == next_lines
    table = shlex.split(told[-1])[-1]
    assert (assets.parent / table).is_file()


RAF = b"".join(b"%s_%05d.jpg %d\n" % (part, i, i % 7 + 1) for part in (b"train", b"test") for i in range(9))
ALIGNED = {f"{part}_{i:05}_aligned.jpg": picture(f"{part}{i}") for part in ("train", "test") for i in range(9)}


@pytest.mark.parametrize(
    ("files", "last_lines"),
    [
        pytest.param(
            {f"basic/aligned/{name}": content for name, content in ALIGNED.items()}
            | {
                "basic/list_patition_label.txt": RAF,
                "basic/landmarks.csv": b"x,y\n" + b"1.5,2.5\n" * 99,
                "readme.txt": b"-",
            },
            [
                "All pictures lie in one folder, aligned; their labels seem to be in list_patition_label.txt.",
                "Next: python image_to_vector.py Assets/raf/aligned --labels Assets/raf/list_patition_label.txt",
            ],
            id="RAF-DB",
        ),
        pytest.param(
            {
                f"DATASET/{name.split('_')[0]}/{i % 7}/{name}": content
                for i, (name, content) in enumerate(ALIGNED.items())
            }
            | {
                f"{part}_labels.csv": f"image,label\n{part}_00001_aligned.jpg,5\n".encode()
                for part in ("train", "test")
            },
            [
                "No folder is named after an expression; their labels seem to be in train_labels.csv.",
                "For --test, make another table in the same way, with --output test.csv, of Assets/raf/DATASET/test.",
                "Next: python image_to_vector.py Assets/raf/DATASET/train --labels Assets/raf/train_labels.csv",
            ],
            id="RAF-DB by numbers",
        ),
        pytest.param(
            pictures("affectnet/images")
            | {f"affectnet/annotations/{i}_{what}.npy": NUMPY for i in range(3) for what in ("exp", "lnd")},
            [
                "All pictures lie in one folder, images; their labels seem to be in annotations.",
                "Next: python image_to_vector.py Assets/raf/images --labels Assets/raf/annotations",
            ],
            id="AffectNet",
        ),
        pytest.param(
            pictures("train_set/images", "val_set/images")
            | {f"{part}_set/annotations/{i}_exp.npy": NUMPY for i in range(3) for part in ("train", "val")},
            [
                "No folder is named after an expression; their labels seem to be in train_set/annotations.",
                "For --test, make another table in the same way, with --output test.csv, of Assets/raf/val_set/images.",
                "Next: python image_to_vector.py Assets/raf/train_set/images --labels Assets/raf/train_set/annotations",
            ],
            id="AffectNet in parts that share names",
        ),
        pytest.param(
            pictures("train", "test")
            | {
                f"{part}.csv": b"id;emotion\n" + b"".join(b"%d;sad\n" % i for i in range(3))
                for part in ("train", "test")
            },
            [
                "No folder is named after an expression; their labels seem to be in train.csv.",
                "For --test, make another table in the same way, with --output test.csv, of Assets/raf/test.",
                "Next: python image_to_vector.py Assets/raf/train --labels Assets/raf/train.csv",
            ],
            id="a list for each part",
        ),
        pytest.param(
            pictures("")
            | {
                "legend.csv": b"user,image,emotion\n" + b"".join(b"me,%d.jpg,anger\n" % i for i in range(3)),
                "note.txt": b"By me.",
            },
            [
                "All pictures lie in one folder, raf; their labels seem to be in legend.csv.",
                "Next: python image_to_vector.py Assets/raf --labels Assets/raf/legend.csv",
            ],
            id="no folder at all",
        ),
        pytest.param(
            pictures("images/anna", "images/ben") | {"labels.tsv": "images/anna/0.jpg\tfröhlich\n".encode("utf-16")},
            [
                "No folder is named after an expression; their labels seem to be in labels.tsv.",
                "Next: python image_to_vector.py Assets/raf/images --labels Assets/raf/labels.tsv",
            ],
            id="folders by person",
        ),
        pytest.param(
            pictures("faces") | {"ages.csv": b"name,age\nanna,20\nben,30\n", "hint.txt": b"See 1."},
            [
                "All pictures lie in one folder, faces: only one emotion comes out of it.",
                "Next: python image_to_vector.py Assets/raf",
            ],
            id="no labels",
        ),
        pytest.param(
            pictures("angry", "happy") | {"labels.csv": b"image,label\n0.jpg,angry\n"},
            ["  tables and lists          1", "Next: python image_to_vector.py Assets/raf"],
            id="folders that say it",
        ),
    ],
)
def test_labels_that_lie_in_a_list_are_named_at_once(
    cache: Path,
    assets: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, bytes],
    last_lines: list[str],
) -> None:
    """RAF-DB and AffectNet come so; else one would wait for a table of a single emotion, called Aligned."""
    told = report_on(cache, assets, files, capsys, monkeypatch)
    assert told[-len(last_lines) :] == last_lines


@pytest.mark.parametrize(
    ("folders", "training", "others"),
    [
        (["Test/sad", "train/sad", "validation/sad"], "train", ["Test", "validation"]),
        (["FER2013Train/sad", "FER2013Valid/sad", "FER2013Test/sad"], "FER2013Train", ["FER2013Test", "FER2013Valid"]),
        (["Training/sad", "PublicTest/sad", "PrivateTest/sad"], "Training", ["PrivateTest", "PublicTest"]),
        (["sad", "happy", "test/sad"], ".", ["test"]),
        (["street/sad", "attic/sad"], "street", []),
        (["archive/train/sad", "archive/test/sad", "train/happy/more"], "archive/train", ["archive/test"]),
    ],
)
def test_the_part_for_training_comes_first_and_the_others_make_test_tables(
    cache: Path,
    assets: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    folders: list[str],
    training: str,
    others: list[str],
) -> None:
    """Who is sent to the test part trains on it. Here the parts are equally large, but for one picture."""
    told = report_on(cache, assets, pictures(*folders) | pictures(folders[0], count=4), capsys, monkeypatch)
    assert told[-1] == f"Next: python image_to_vector.py {Path('Assets/raf') / training}"
    named = " or ".join(f"Assets/raf/{other}" for other in others)
    assert (told[-2] == f"For --test, make another table in the same way, with --output test.csv, of {named}.") == bool(
        others
    )


# What is in Assets already


def test_assets_that_hold_something_are_left_alone(
    cache: Path, assets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed(cache, FILES)
    write(assets, {"other/Angry/1.png": b"mine"})
    assert handler(VERSION, assets=assets) == assets
    assert tree(assets) == {"other": None, "other/Angry": None, "other/Angry/1.png": b"mine"}
    assert "use --add-more to add to it" in capsys.readouterr().out


def test_hidden_files_and_leftovers_of_a_killed_run_do_not_count(cache: Path, assets: Path) -> None:
    seed(cache, FILES)
    write(assets, {".gitkeep": b"", ".DS_Store": b"", ".partial-x1/faces/Angry/1.png": b"half"})
    handler(VERSION, assets=assets)
    assert sorted(path.name for path in assets.iterdir()) == [".DS_Store", ".gitkeep", "faces"]


def test_add_more_never_overwrites_and_is_idempotent(
    cache: Path, assets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = {"Angry/1.png": "new 1", "Angry/2.png": "same", "Angry/3.png": "new 3", "Sad/1.png": "sad"}
    seed(cache, {name: picture(content) for name, content in theirs.items()})
    mine = {
        "Angry/1.png": b"mine",
        "Angry/1-2.png": b"mine too",
        "Angry/2.png": picture("same"),
        "Happy/1.png": b"happy",
    }
    write(assets / "faces", mine)
    for added, skipped in ((3, 1), (0, 4)):
        handler(VERSION, add_more=True, assets=assets)
        added_files = {"Angry/1-3.png": picture("new 1"), "Angry/3.png": picture("new 3"), "Sad/1.png": picture("sad")}
        expected = mine | added_files
        assert files_in(assets / "faces") == expected
        output = capsys.readouterr().out
        assert f"{added} files added, {skipped} were there already" in output
        assert ("1 of them got a new name" in output) == (added == 3)
    assert [path.name for path in assets.iterdir()] == ["faces"]


def test_a_different_picture_of_the_same_size_and_time_is_added(cache: Path, assets: Path) -> None:
    """Pictures of one size, unpacked together, would pass for the same if only size and time were looked at."""
    downloaded = seed(cache, {"Angry/1.png": picture("new!")})
    write(assets / "faces", {"Angry/1.png": picture("mine")})
    for folder in (downloaded, assets / "faces"):
        os.utime(folder / "Angry" / "1.png", (0, 0))
    handler(VERSION, add_more=True, assets=assets)
    assert files_in(assets / "faces") == {"Angry/1.png": picture("mine"), "Angry/1-2.png": picture("new!")}


NAMES = st.sampled_from([f"{emotion}/{stem}.png" for emotion in "AB" for stem in ("1", "1-2", "1-2-2", "1-3")])
X, Y, Z = map(picture, "xyz")
TREES = st.dictionaries(NAMES, st.sampled_from([X, Y, Z]))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(mine=TREES, theirs=TREES.filter(bool))
@example(mine={"A/1.png": X}, theirs={"A/1.png": Y, "A/1-2.png": Z})  # the new name is wanted by another
def test_whatever_is_added_to_nothing_is_lost(mine: dict[str, bytes], theirs: dict[str, bytes]) -> None:
    """Every file of both sides is there afterwards, by name or under a suffix, and a second run adds nothing."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environment:
        cache, assets = Path(folder, "cache"), Path(folder, "Assets")
        environment.setenv("KAGGLEHUB_CACHE", str(cache))
        seed(cache, theirs)
        write(assets / "faces", mine)
        placed = files_in(handler(VERSION, add_more=True, assets=assets))
        assert placed.items() >= mine.items()
        for name, content in theirs.items():
            stem = name.removesuffix(".png")
            assert content in [placed[other] for other in placed if other.startswith(stem)]
        assert files_in(handler(VERSION, add_more=True, assets=assets)) == placed


# Faults half-way

FAULTS = [
    (OSError(errno.ENOSPC, "No space left on device"), DownloadError, "is full; free some space"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), DownloadError, "is full; free some space"),
    (OSError(errno.EACCES, "Permission denied"), DownloadError, "There is no permission for"),
    (OSError(errno.EROFS, "Read-only file system"), DownloadError, "There is no permission for"),
    (OSError(errno.EIO, "Input/output error"), OSError, "Input/output error"),
    (KeyboardInterrupt(), KeyboardInterrupt, None),
]
MINE = {"train/Angry/0.png": b"mine", "test/Angry/0.png": PLACED["test/Angry/0.png"]}


@pytest.mark.parametrize(("fault", "raised", "words"), FAULTS)
@pytest.mark.parametrize("nth", [1, 2, 8])
@pytest.mark.parametrize("mine", [{}, {"faces/train/Angry/0.png": b"mine"}])
def test_a_fault_while_copying_leaves_everything_as_it_was(
    cache: Path,
    assets: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    raised: type[BaseException],
    words: str | None,
    nth: int,
    mine: dict[str, bytes],
) -> None:
    seed(cache, FILES)
    write(assets, mine)
    before = tree(assets.parent.parent)
    monkeypatch.setattr(shutil, "copyfile", failing_after(nth, shutil.copyfile, fault))
    with pytest.raises(raised, match=words) as told:
        handler(VERSION, add_more=True, assets=assets)
    if raised is DownloadError:
        assert str(assets) in str(told.value)
    assert tree(assets.parent.parent) == before


@pytest.mark.parametrize(("fault", "raised", "words"), FAULTS)
@pytest.mark.parametrize(("nth", "mine"), [(1, {}), (1, MINE), (2, MINE), (5, MINE)])
def test_a_fault_while_moving_into_place_undoes_what_was_moved(
    cache: Path,
    assets: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    raised: type[BaseException],
    words: str | None,
    nth: int,
    mine: dict[str, bytes],
) -> None:
    """One move where there is no such folder; else five: test/Happy, train/Happy, three new pictures in train/Angry."""
    seed(cache, FILES)
    write(assets / "faces", mine)
    before = tree(assets.parent.parent)
    monkeypatch.setattr(Path, "rename", failing_after(nth, Path.rename, fault))
    with pytest.raises(raised, match=words):
        handler(VERSION, add_more=True, assets=assets)
    assert tree(assets.parent.parent) == before


def failing_after(nth: int, function: Callable[..., Any], fault: BaseException) -> Callable[..., Any]:
    """Do what the function does, but raise once it is done for the n-th time."""
    calls = 0

    def fail(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        result = function(*arguments, **options)
        calls += 1
        if calls == nth:
            raise fault
        return result

    return fail


def test_assets_that_cannot_be_written_are_told_before_the_download(
    kaggle: Kaggle, assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one would wait for the whole download in vain."""
    fault = PermissionError(errno.EACCES, "Permission denied", str(assets.parent))
    monkeypatch.setattr(Path, "mkdir", raising(fault))
    with pytest.raises(DownloadError) as told:
        handler(SET, assets=assets)
    assert f"There is no permission for {assets.parent};" in str(told.value)
    assert kaggle.asked == []


@pytest.mark.parametrize("file", ["Assets", "Assets/faces", "Assets/faces/train", "Assets/faces/train/Angry"])
def test_a_file_in_the_way_is_told_and_kept(cache: Path, assets: Path, file: str) -> None:
    seed(cache, FILES)
    write(assets.parent, {file: b"mine"})
    before = tree(assets.parent)
    with pytest.raises(DownloadError, match="a file is in the way"):
        handler(VERSION, add_more=True, assets=assets)
    assert tree(assets.parent) == before


def test_help_does_not_wait_for_kagglehub(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real_import = builtins.__import__

    def importing(name: str, *arguments: Any, **options: Any) -> Any:
        assert not name.startswith("kagglehub")
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(SystemExit):
        kaggle_handler.main(["--help"])
    assert config.DEFAULT_DATASET in capsys.readouterr().out
