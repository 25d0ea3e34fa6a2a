"""A wheel is enough: what was installed from it works in any folder, with its own models, and asks nobody."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from emotion import config
from tests.browser.live import running
from tests.loopback import free_port

# Libraries come from the environment that runs the tests, which has this project in no other way than by its folder.
LIBRARIES = sysconfig.get_path("purelib")
# Nothing may be asked of anybody outside: what is asked all the same is refused, and noted in the file ASKED.
ALONE = """
import ipaddress, os, socket
connect = socket.socket.connect
def guarded(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
        with open(os.environ["ASKED"], "a") as asked:
            print(address, file=asked)
        raise ConnectionRefusedError(f"no network: {address}")
    return connect(self, address)
socket.socket.connect = guarded
"""


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment into which a wheel was installed."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    building = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(config.ROOT)]
    done = subprocess.run(building, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    bin_folder = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    [wheel] = folder.glob("*.whl")
    installing = [*pip, "--python", str(bin_folder / "python"), "install", "--no-deps", "--no-index", str(wheel)]
    done = subprocess.run(installing, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(subprocess.run([bin_folder / "python", "-c", where], capture_output=True, text=True).stdout.strip())
    (own / "libraries.pth").write_text(f"{LIBRARIES}\nimport emotion_test_alone\n", encoding="utf-8")
    (own / "emotion_test_alone.py").write_text(ALONE, encoding="utf-8")
    return bin_folder


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in; whatever works there asks nobody."""
    folder, asked = tmp_path / "elsewhere", tmp_path / "asked"
    folder.mkdir()
    monkeypatch.setenv("ASKED", str(asked))
    yield folder
    assert not asked.exists(), asked.read_text(encoding="utf-8")


def test_the_guard_of_these_tests_is_there(commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"  # a documentation's address (RFC 5737)
    assert subprocess.run([commands / "python", "-c", code], capture_output=True).returncode == 1
    assert "192.0.2.1" in (tmp_path / "asked").read_text(encoding="utf-8")


def test_pictures_are_recognised_by_the_models_within(commands: Path, elsewhere: Path) -> None:
    picture = config.EXAMPLES / "Grace-Hopper.jpg"
    done = subprocess.run([commands / "emotion", "predict", picture], cwd=elsewhere, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert any(label in done.stdout for label in config.EMOTIONS)
    code = "import emotion; print(emotion.__file__, len(emotion.load_models().classes))"
    done = subprocess.run([commands / "python", "-c", code], cwd=elsewhere, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    file, classes = done.stdout.split()
    assert Path(file).is_relative_to(commands.parent)
    assert int(classes) == len(config.EMOTIONS)
    assert not list(elsewhere.iterdir())


def test_what_is_made_goes_into_the_folder_that_one_works_in(commands: Path, elsewhere: Path) -> None:
    """And not among the installed files, where the next update would remove it."""
    code = "from emotion import config; print(config.OWN_MODELS.resolve(), config.ASSETS.resolve())"
    done = subprocess.run([commands / "python", "-c", code], cwd=elsewhere, capture_output=True, text=True)
    assert done.stdout.split() == [str(elsewhere / "my-models"), str(elsewhere / "Assets")]
    for script in ("image_to_vector", "kaggle_handler"):
        done = subprocess.run([commands / "python", "-m", script, "--help"], cwd=elsewhere, capture_output=True)
        assert done.returncode == 0, done.stderr


def test_the_page_is_served_to_this_computer_alone(commands: Path, elsewhere: Path, tmp_path: Path) -> None:
    """By the settings that come with it, though it is started in a folder without them."""
    port = free_port()
    # As somebody without a home of Streamlit's, who would be asked for an e-mail address at the first start.
    environment = os.environ | {"HOME": str(tmp_path), "BROWSER": "true"}
    command = [str(commands / "emotion"), "app", "--port", str(port)]
    with running(command, port, tmp_path / "log.txt", environment, elsewhere):
        [server] = [p for p in psutil.Process().children() if str(port) in p.cmdline()]
        connections = [c for process in (server, *server.children(True)) for c in process.net_connections("inet")]
        assert {c.laddr.ip for c in connections if c.status == "LISTEN"} == {"127.0.0.1"}


def test_tiny_models_do_not_replace_those_that_were_trained_before(commands: Path, elsewhere: Path) -> None:
    command = [commands / "emotion", "train", "--data", "data.csv", "--fast"]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True)
    assert done.returncode == 1
    assert "name another folder with --out" in done.stderr
