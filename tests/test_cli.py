"""``python -m emotion predict``: what scripts and people read from it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from emotion import cli, config
from emotion.errors import FetchError
from emotion.faces.fetch import LOOPBACK_SWITCH, Answer
from tests.loopback import http_answer, serving
from tests.tiny_models import CLASSES, write_tiny_models

PORTRAIT = cv2.imencode(".png", data.astronaut()[:, :, ::-1])[1].tobytes()


@pytest.fixture
def models(tmp_path: Path) -> str:
    return str(write_tiny_models(tmp_path / "models"))


@pytest.fixture
def portrait(tmp_path: Path) -> str:
    (tmp_path / "portrait.png").write_bytes(PORTRAIT)
    return str(tmp_path / "portrait.png")


def test_json_has_the_box_and_all_that_was_voted(
    models: str, portrait: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["predict", portrait, "--models", models, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["picture"] == portrait
    (face,) = result["faces"]
    x, y, w, h = face["box"]
    assert x < 225 < x + w
    assert y < 115 < y + h
    assert face["label"] in CLASSES
    assert list(face["ballots"]) == list(config.MODEL_NAMES)
    assert list(face["probabilities"]) == list(CLASSES)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert face["tie"] is False


def test_people_get_a_line_a_face(models: str, portrait: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predict", portrait, "--models", models]) == 0
    assert capsys.readouterr().out == f"{portrait}: Happy 5/5, 100%, by models\n"


def test_a_picture_without_a_face_is_no_error(models: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((99, 99, 3), 200, np.uint8))
    assert cli.main(["predict", str(tmp_path / "wall.png"), "--models", models]) == 0
    assert "no face found" in capsys.readouterr().out


def test_one_bad_picture_does_not_cost_the_others(
    models: str, portrait: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "missing.png")
    assert cli.main(["predict", missing, portrait, "--models", models, "--json"]) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    error = f"There is no file {missing}; check its folder and its name."
    assert first == {"picture": missing, "models": "models", "error": error}
    assert len(second["faces"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.hostile("the name, with what is no text spelled out")
def test_names_that_are_no_text_are_told_all_the_same(
    models: str, portrait: str, tmp_path: Path, as_json: bool
) -> None:
    picture = tmp_path / os.fsdecode(b"caf\xe9\n.png")
    picture.write_bytes(Path(portrait).read_bytes())
    command = [sys.executable, "-m", "emotion", "predict", picture, f"{picture}.missing", "--models", models]
    done = subprocess.run([*command, *(["--json"] if as_json else [])], cwd=config.ROOT, capture_output=True)
    assert done.returncode == 1, "the second one is missing"
    assert done.stderr == b""
    first, second = done.stdout.decode().splitlines()
    shown = r"caf\udce9\n.png"
    assert (json.loads(first)["picture"] if as_json else first.partition(": ")[0]).endswith(shown)
    assert (json.loads(second)["picture"] if as_json else second.partition(": ")[0]).endswith(f"{shown}.missing")


def test_addresses_go_through_the_guarded_fetch(
    models: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch(address: str, _: float) -> Answer:
        if address == "HTTPS://example.org/a.png":
            return Answer(PORTRAIT, address, "")
        raise FetchError("No.")

    monkeypatch.setattr("emotion.page.addresses.fetch", fetch)
    assert cli.main(["predict", "HTTPS://example.org/a.png", "http://10.0.0.1/", "--models", models]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert "Happy" in first
    assert second == "http://10.0.0.1/: No."


def test_addresses_are_taken_out_of_what_stands_around_them(
    models: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(LOOPBACK_SWITCH, "1")
    with serving({"/a.png": http_answer(PORTRAIT)}) as server:
        pasted = [f"![me]({server.url('/a.png')})", f"<{server.url('/a.png')}>, {server.url('/gone.png')} (me)"]
        assert cli.main(["predict", *pasted, "--models", models]) == 1
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == second == f"{server.url('/a.png')}: Happy 5/5, 100%, by models"
    assert third.startswith(f"{server.url('/gone.png')}: There is nothing at this address (status 404)")


def test_a_page_in_place_of_a_picture_names_its_main_picture(
    models: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(LOOPBACK_SWITCH, "1")
    page = b'<!doctype html><meta property="og:image" content="/a.png?x=1&amp;y=2">'
    with serving({"/page": http_answer(page)}) as server:
        assert cli.main(["predict", server.url("/page"), "--models", models]) == 1
    said = capsys.readouterr().out
    assert "leads to a web page, not to a picture" in said
    assert said.endswith(f" The page's main picture: {server.url('/a.png?x=1&y=2')}\n")


@pytest.mark.parametrize("pattern", ["~/pictures/*.png", "~/pictures/b[1]*", "~/pictures/?[1].png", "~/**/*.png"])
def test_patterns_in_quotes_mean_what_they_mean_to_a_shell(
    models: str,
    portrait: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pattern: str,
) -> None:
    """Windows' shells put no names in, and none does within quotes."""
    (tmp_path / "home" / "pictures" / "folder.png").mkdir(parents=True)
    pictures = [tmp_path / "home" / "pictures" / name for name in ("a[1].png", "b[1].png")]
    for picture in pictures:
        picture.write_bytes(PORTRAIT)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    assert cli.main(["predict", pattern, "--models", models]) == 0
    expected = pictures[1:] if pattern.endswith("b[1]*") else pictures
    said = capsys.readouterr().out.splitlines()
    assert said == [f"{picture}: Happy 5/5, 100%, by models" for picture in expected]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere/x.jpg", "There is no file nowhere/x.jpg; check its folder and its name."),
        ("x.jpg", "There is no file x.jpg; check its folder and its name."),
        ("~nobody-has-this-name/x.jpg", "There is no file ~nobody-has-this-name/x.jpg; check its folder and its name."),
        ("*.jpg", "There is no file that matches *.jpg; check the folder, and * and ? in the name."),
        ("no?here/x.jpg", "There is no file that matches no?here/x.jpg; check the folder, and * and ? in the name."),
    ],
)
def test_a_file_that_is_not_there_is_told_by_its_name(
    models: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    sentence: str,
) -> None:
    """Not as a folder that others are to find."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert cli.main(["predict", name, "--models", models]) == 1
    assert capsys.readouterr().out == f"{name}: {sentence}\n"


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_names_that_the_terminal_has_no_letters_for_are_spelled_out(
    models: str, portrait: str, tmp_path: Path, form: list[str]
) -> None:
    """As where Windows hands on what is printed. JSON has to stay JSON."""
    picture = Path(portrait).rename(tmp_path / "高兴😀.png")
    command = [sys.executable, "-m", "emotion", "predict", str(picture), "--models", models, *form]
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, cwd=config.ROOT, capture_output=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode("cp1252")
    if form:
        assert json.loads(said)["picture"] == str(picture)
    else:
        assert r"\u9ad8\u5174\U0001f600.png: Happy" in said


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_fault(models: str, portrait: str) -> None:
    """As ``| head -1`` does."""
    command = [sys.executable, "-m", "emotion", "predict", *[portrait] * 40, "--models", models]
    with subprocess.Popen(command, cwd=config.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert said == b""
    assert process.returncode == 141


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has a disk that is always full")
def test_a_full_disk_behind_the_output_is_told(models: str, portrait: str) -> None:
    command = [sys.executable, "-m", "emotion", "predict", portrait, "--models", models]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, cwd=config.ROOT, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert done.stderr == b"Standard output cannot be written: No space left on device.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has a disk that is always full")
def test_what_could_not_be_written_fails_the_command(
    models: str, portrait: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that goes on would take a file that lacks its end for all the votes."""
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", full)
        assert cli.main(["predict", portrait, "--models", models]) == 1
    assert capsys.readouterr().err == "Standard output cannot be written: No space left on device.\n"


def test_training_networks_without_pytorch_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in an environment of requirements.txt alone."""
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "emotion.networks.network_training", raising=False)
    assert cli.main(["train-networks", "--data", "data.csv", "--out", "networks"]) == 1
    assert capsys.readouterr().err == (
        "Training networks needs torch: pip install -r requirements/train.txt, or install the package with its extra "
        "train.\n"
    )


def test_missing_models_are_told(portrait: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["predict", portrait, "--models", str(tmp_path)]) == 1
    assert "There are no trained models" in capsys.readouterr().err


@pytest.mark.slow
def test_predicting_loads_nothing_of_training(models: str, portrait: str) -> None:
    """In a process of its own: a command that people call in a loop must start at once, and open no pickle."""
    program = (
        "import sys; from emotion.cli import main; status = main(sys.argv[1:]); "
        "heavy = {'sklearn', 'xgboost', 'imblearn', 'matplotlib', 'joblib', 'pyarrow', 'streamlit'}; "
        "assert not heavy & set(sys.modules); sys.exit(status)"
    )
    command = [sys.executable, "-c", program, "predict", portrait, "--models", models]
    result = subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
