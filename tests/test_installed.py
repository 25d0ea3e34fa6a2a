"""A wheel is enough: what was installed from it works in any folder, with its own models, and asks nobody."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import psutil
import pytest

from emotion import config
from tests.browser.live import running
from tests.loopback import free_port

# Libraries come from the environment that runs the tests, which has this project in no other way than by its folder.
LIBRARIES = sysconfig.get_path("purelib")
# Nothing may be asked of anybody outside.
ALONE = """
import ipaddress, socket
connect = socket.socket.connect
def guarded(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
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
    (own / "libraries.pth").write_text(LIBRARIES, encoding="utf-8")
    (own / "sitecustomize.py").write_text(ALONE, encoding="utf-8")
    return bin_folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


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
    assert done.stdout.split() == [str(elsewhere / "models"), str(elsewhere / "Assets")]
    for script in ("image_to_vector", "kaggle_handler"):
        done = subprocess.run([commands / "python", "-m", script, "--help"], cwd=elsewhere, capture_output=True)
        assert done.returncode == 0, done.stderr


def test_the_page_is_served_to_this_computer_alone(commands: Path, elsewhere: Path, tmp_path: Path) -> None:
    """By the settings that come with it, though it is started in a folder without them."""
    port = free_port()
    command = [str(commands / "emotion"), "app", "--port", str(port), "--", "--server.headless=true"]
    with running(command, port, tmp_path / "log.txt", os.environ, elsewhere):
        places = psutil.net_connections("tcp")
        listening = {place.laddr.ip for place in places if place.status == "LISTEN" and place.laddr.port == port}
    assert listening == {"127.0.0.1"}
