"""The processes of this machine that pictures are spread over: their ends, wanted or not."""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from emotion import config
from emotion.data import vectorize
from emotion.errors import ClusterError
from emotion.runtime.cluster import Stopping, workers
from emotion.runtime.storage import Folder

SECONDS = 30.0


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in range(200):
        file = tmp_path / "pictures" / "happy" / f"{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((48, 48), number, np.uint8))
    return tmp_path / "pictures"


def killed_at_a_picture(folder: Folder, name: str, _: vectorize.Way) -> tuple[list[np.ndarray], bool]:
    if name == "happy/150.png":
        os.kill(os.getpid(), signal.SIGKILL)
    return [np.zeros(config.N_PIXELS, np.uint8)], True


@pytest.mark.hostile("that a process was killed, for want of memory perhaps, and what to do")
def test_a_process_that_is_killed_leaves_the_old_table(pictures, tmp_path, monkeypatch) -> None:
    """As Linux does when memory runs out."""
    monkeypatch.setattr(vectorize, "faces_of_file", killed_at_a_picture)
    (tmp_path / "data.csv").write_text("old", encoding="utf-8")
    with pytest.raises(ClusterError, match="was killed; the computer may lack memory"):
        vectorize.vectorize(pictures, tmp_path / "data.csv", progress=False)
    assert (tmp_path / "data.csv").read_text(encoding="utf-8") == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data.csv", "pictures"]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def fail_or_wait(stopping: Stopping, folder: Path, number: int) -> None:
    if number == 0:
        wait_until((folder / "begun").exists)
        raise ValueError("the first piece fails")
    (folder / "begun").touch()
    wait_until(stopping.is_set)
    (folder / "stopped").touch()


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="takes two processes")
def test_other_processes_learn_that_the_rest_is_not_wanted(tmp_path) -> None:
    """Else whoever presses Ctrl-C waits until large pictures in other processes are done."""
    with pytest.raises(ValueError, match="first piece"), workers(processes=True) as pool:
        list(pool.map(functools.partial(fail_or_wait, pool.stopping, tmp_path), [0, 1]))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["begun", "stopped"]


INTERRUPTED_TWICE = """
import sys, time
from functools import partial
from pathlib import Path
from emotion.runtime.cluster import workers

def long_piece(stopping, folder, number):
    (folder / "begun").touch()
    while not stopping.is_set():
        time.sleep(0.01)
    (folder / "ending").touch()
    while not (folder / "over").exists():
        time.sleep(0.01)

try:
    with workers(processes=True) as pool:
        list(pool.map(partial(long_piece, pool.stopping, Path(sys.argv[1])), range(2)))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_a_second_ctrl_c_does_not_keep_the_program_from_ending(tmp_path: Path) -> None:
    """Whoever presses it again, while the pieces that were begun end, would wait for ever."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED_TWICE, tmp_path],
        cwd=config.ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # A test run that was started in the background ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:
        program = psutil.Process(run.pid)
        for seen in ("begun", "ending"):
            wait_until((tmp_path / seen).exists)
            run.send_signal(signal.SIGINT)
        started = program.children()
        (tmp_path / "over").touch()
        try:
            _, errors = run.communicate(timeout=SECONDS)
        finally:
            for process in (*started, program):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
    assert (run.returncode, errors) == (130, "")


def is_stopped(stopping: Stopping, _: int) -> bool:
    return stopping.is_set()


def test_a_later_run_is_not_stopped_by_an_earlier_one() -> None:
    for _ in range(2):
        with workers(processes=True) as pool:
            assert not any(pool.map(functools.partial(is_stopped, pool.stopping), range(5)))
        assert pool.stopping.is_set()


def test_opencv_has_its_threads_again_afterwards() -> None:
    before = cv2.getNumThreads()
    with workers(processes=True) as pool:
        assert list(pool.map(_threads_of_opencv, range(2))) == [1, 1]
    assert cv2.getNumThreads() == before


def _threads_of_opencv(_: int) -> int:
    return cv2.getNumThreads()


@pytest.mark.slow
def test_processes_do_not_outlive_a_run_that_is_killed(tmp_path) -> None:
    """They would hold their memory, and nobody would know what for."""
    pictures = tmp_path / "pictures" / "happy"
    pictures.mkdir(parents=True)
    for number in range(20):  # large ones: the run lasts
        cv2.imwrite(str(pictures / f"{number}.bmp"), np.full((3000, 4000, 3), number, np.uint8))
    command = [sys.executable, "image_to_vector.py", pictures.parent, "--output", tmp_path / "data.csv"]
    with subprocess.Popen(command, cwd=config.ROOT, stderr=subprocess.DEVNULL) as run:
        started = psutil.Process(run.pid)
        while len(children := started.children()) < (os.cpu_count() or 1):
            assert run.poll() is None, "no processes were started"
            time.sleep(0.01)
        run.kill()
    _, left = psutil.wait_procs(children, timeout=SECONDS)
    assert not left
