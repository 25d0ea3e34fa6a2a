"""A Dask cluster of real processes does what this machine does alone, also when a part of it dies."""

import contextlib
import gc
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import distributed
import numpy as np
import pytest
from skimage import data
from sklearn.ensemble import StackingClassifier

import image_to_vector
from emotion import cli, config
from emotion.bulk import folders as bulk
from emotion.data import vectorize
from emotion.data.dataset import read_faces
from emotion.errors import ClusterError, DatasetError, ModelsError, StorageError
from emotion.runtime import cluster
from emotion.runtime.storage import Folder
from emotion.training import fitting
from emotion.training.evaluation import predictions
from emotion.training.recipes import Experiment
from emotion.vote.loading import load_models
from tests.films import film
from tests.loopback import free_port
from tests.synthetic import synthetic_faces, write_table
from tests.tiny_models import write_tiny_models, write_tiny_networks

START_SECONDS = 60.0
DYING = str(config.ROOT / "tests" / "dying_worker.py")
Start = Callable[..., subprocess.Popen[bytes]]


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not true():
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.02)


@contextlib.contextmanager
def processes() -> Iterator[Start]:
    """Start programs of Dask that end with the block."""
    started = []

    def start(program: str, *arguments: str, folder: Path = config.ROOT) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{program}", "--host", "127.0.0.1", "--no-dashboard"]
        process = subprocess.Popen([*command, *arguments], cwd=folder, stderr=subprocess.DEVNULL)
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


def scheduler(start: Start, folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    file = folder / "scheduler.json"
    process = start("scheduler", "--port", "0", "--scheduler-file", str(file))
    wait_until(lambda: file.is_file() and file.read_text().endswith("}"))
    return json.loads(file.read_text())["address"], process


def worker(start: Start, address: str, *options: str, folder: Path = config.ROOT) -> subprocess.Popen[bytes]:
    return start("worker", address, "--nthreads", "1", "--no-nanny", *options, folder=folder)


@contextlib.contextmanager
def killed_in_the_middle(
    monkeypatch: pytest.MonkeyPatch, process: subprocess.Popen[bytes], folder: Path
) -> Iterator[dict[str, int]]:
    """Kill a process without warning before the fifth result of its cluster is taken; give the parts that had been
    written by then, with their times of writing.
    """
    written: dict[str, int] = {}
    taken = itertools.count(1)
    outcome = cluster.outcome

    def late_outcome(client: distributed.Client, future: distributed.Future) -> object:
        if next(taken) == 5:
            process.kill()
            process.wait()
            written.update({part.name: part.stat().st_mtime_ns for part in folder.glob("part-*")})
        return outcome(client, future)

    monkeypatch.setattr(cluster, "outcome", late_outcome)
    yield written
    assert process.poll() == -signal.SIGKILL, "nobody was killed"


@pytest.fixture(autouse=True)
def _no_client_is_left() -> Iterator[None]:
    """A Dask client that found no scheduler is closed when it is collected. In the thread of the next client, which
    Python may choose for that, it would wait for that one for ever.
    """
    yield
    gc.collect()


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers."""
    with processes() as start:
        address, _ = scheduler(start, tmp_path_factory.mktemp("dask"))
        for _ in range(2):
            worker(start, address)
        wait_for_workers(address, 2)
        yield address


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Cut-out faces, portraits in which faces are sought, one file that is damaged."""
    random = np.random.default_rng(0)
    portrait = cv2.resize(np.ascontiguousarray(data.astronaut()[:, :, ::-1]), (256, 256))
    for number in range(150):
        file = tmp_path / "pictures" / ("happy", "sad")[number % 2] / f"{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        image = portrait if number % 10 == 0 else random.integers(0, 256, (48, 48), np.uint8)
        cv2.imwrite(str(file), image)
    (tmp_path / "pictures" / "sad" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path / "pictures"


def contents(path: Path) -> dict[str, bytes]:
    """What a visitor of the folder sees; whoever is killed while writing may leave a hidden file."""
    files = path.iterdir() if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files if not file.name.startswith(".")}


def wait_for_workers(address: str, count: int) -> None:
    with distributed.Client(address) as client:
        client.wait_for_workers(count, timeout=START_SECONDS)


@pytest.mark.parametrize("name", ["data.csv", "data.parquet", "parts/"])
def test_a_cluster_writes_the_bytes_that_this_machine_writes(pictures, tmp_path, dask, monkeypatch, name) -> None:
    monkeypatch.setattr(vectorize, "_PART_PICTURES", 40)
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    assert image_to_vector.main([str(pictures), "--output", f"{tmp_path}/here/{name}"]) == 0
    assert image_to_vector.main([str(pictures), "--output", f"{tmp_path}/there/{name}", "--dask", dask]) == 0
    assert contents(tmp_path / "here" / name) == contents(tmp_path / "there" / name)


@pytest.mark.parametrize(("option", "name"), [("--csv", "votes.csv"), ("--json", "votes.json")])
def test_votes_of_a_cluster_are_the_votes_of_this_machine(pictures, tmp_path, dask, option, name) -> None:
    write_tiny_models(tmp_path / "models")
    told = ["predict", str(pictures), "--models", str(tmp_path / "models"), option]
    assert cli.main([*told, str(tmp_path / name)]) == 1, "one file is unreadable"
    assert cli.main([*told, str(tmp_path / f"dask_{name}"), "--dask", dask]) == 1
    assert (tmp_path / name).read_bytes() == (tmp_path / f"dask_{name}").read_bytes()


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is typed to train on a small table, up to the folder of models."""
    folder = tmp_path_factory.mktemp("training")
    table = write_table(folder / "data.parquet", synthetic_faces((120, 110, 40)))
    test = write_table(folder / "test.parquet", synthetic_faces((10, 10, 10), seed=1))
    write_tiny_networks(folder / "networks")
    tables = ["--data", str(table), "--test", str(test)]
    return ["train", *tables, "--fast", "--networks", str(folder / "networks"), "--out"]


@pytest.fixture(scope="module")
def trained_here(training: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models that this machine trains alone."""
    out = tmp_path_factory.mktemp("here") / "models"
    assert cli.main([*training, str(out)]) == 0
    return out


def test_a_cluster_trains_the_models_that_this_machine_trains(training, trained_here, tmp_path, dask) -> None:
    assert cli.main([*training, str(tmp_path / "there"), "--dask", dask]) == 0
    assert_same_votes(training, trained_here, tmp_path / "there")


def assert_same_votes(training: list[str], *folders: Path) -> None:
    faces = read_faces(training[training.index("--data") + 1])
    here, there = (predictions(load_models(folder), faces) for folder in folders)
    for name, labels in here.items():
        assert (labels == there[name]).all(), name


@pytest.mark.parametrize("piece", [1, 6, 18])
def test_a_worker_that_dies_ends_no_training_and_no_stack_is_begun_again(
    training, trained_here, tmp_path, monkeypatch, piece
) -> None:
    """Whatever it held: arrays, or what it had been asked for by the other. Data were with one worker alone before."""
    begun = []
    fit = StackingClassifier.fit
    monkeypatch.setattr(StackingClassifier, "fit", lambda self, *rows: begun.append(self) or fit(self, *rows))
    monkeypatch.setenv("DIES_AT", str(piece))
    with processes() as start:
        address, _ = scheduler(start, tmp_path)
        dying = worker(start, address, "--preload", DYING)
        worker(start, address)
        wait_for_workers(address, 2)
        assert cli.main([*training, str(tmp_path / "there"), "--dask", address]) == 0
        assert dying.wait(timeout=START_SECONDS) == 1, "it was to die"
    assert len(begun) == 3
    assert_same_votes(training, trained_here, tmp_path / "there")


@pytest.mark.hostile("that no worker is left, or that workers die at the same piece of work")
@pytest.mark.parametrize(
    ("allowed", "told"), [(3, "has lost all its workers"), (0, "died at the same piece of work again and again")]
)
def test_a_training_that_nobody_is_left_to_do_is_not_waited_for(
    training, tmp_path, monkeypatch, capsys, allowed, told
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE_SECONDS", 1.0)
    monkeypatch.setenv("DIES_AT", "4")
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", str(allowed))
    with processes() as start:
        address, _ = scheduler(start, tmp_path)
        worker(start, address, "--preload", DYING)
        wait_for_workers(address, 1)
        assert cli.main([*training, str(tmp_path / "there"), "--dask", address]) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "there" / "manifest.json").exists()


def test_a_worker_that_is_killed_costs_nothing_and_nothing_is_done_twice(pictures, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(vectorize, "_PART_PICTURES", 5)
    vectorize.vectorize(pictures, f"{tmp_path}/here/", progress=False)
    with processes() as start:
        address, _ = scheduler(start, tmp_path)
        victim = worker(start, address)
        worker(start, address)
        wait_for_workers(address, 2)
        there = tmp_path / "there"
        with killed_in_the_middle(monkeypatch, victim, there) as written:
            vectorize.vectorize(pictures, f"{there}/", dask=address, progress=False)
    assert 4 <= len(written) < len(contents(tmp_path / "here")) - 2, "it was to be killed in the middle"
    assert contents(there) == contents(tmp_path / "here")
    assert written == {name: (there / name).stat().st_mtime_ns for name in written}


@pytest.mark.parametrize("name", ["data.csv", "votes.jsonl"])
def test_a_worker_that_is_killed_costs_no_row_of_a_file(pictures, tmp_path, monkeypatch, name) -> None:
    monkeypatch.setattr(vectorize, "_BATCH_PICTURES", 4)
    monkeypatch.setattr(bulk, "_BATCH_PICTURES", 4)
    models = load_models(write_tiny_models(tmp_path / "models"))
    grey = (np.full((96, 128, 3), 12 * n, np.uint8) for n in range(8))
    (pictures / "a-film.mp4").write_bytes(film(grey, rate=10))  # which is a piece of work of its own
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()

    def run(folder: Path, dask: str | None) -> None:
        if name == "data.csv":
            vectorize.vectorize(pictures, folder / name, dask=dask, progress=False)
        else:
            bulk.recognize_folder(pictures, folder / name, models, dask=dask, progress=False)

    run(here, None)
    with processes() as start:
        address, _ = scheduler(start, tmp_path)
        victim = worker(start, address)
        worker(start, address)
        wait_for_workers(address, 2)
        with killed_in_the_middle(monkeypatch, victim, there):
            run(there, address)
    assert contents(there) == contents(here)


@pytest.mark.hostile("that the cluster was lost; what is there is gone on with")
def test_a_scheduler_that_dies_ends_the_run_and_a_rerun_goes_on(pictures, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(vectorize, "_PART_PICTURES", 5)
    there = tmp_path / "there"
    with processes() as start:
        address, process = scheduler(start, tmp_path)
        worker(start, address)
        with killed_in_the_middle(monkeypatch, process, there):
            assert image_to_vector.main([str(pictures), "--output", f"{there}/", "--dask", address]) == 1
    assert f"The cluster at {address} was lost." in capsys.readouterr().err
    before = set(contents(there))
    assert image_to_vector.main([str(pictures), "--output", str(there)]) == 0
    assert before < set(contents(there))


@pytest.mark.hostile("that the cluster was lost")
@pytest.mark.parametrize("is_noticed", [False, True], ids=["just now", "before"])
def test_a_scheduler_that_dies_between_two_stacks_ends_the_training(
    training, tmp_path, monkeypatch, capsys, is_noticed
) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 3.0)
    build = fitting.build_stack
    with processes() as start:
        address, process = scheduler(start, tmp_path)
        worker(start, address)
        wait_for_workers(address, 1)

        def build_late(experiment: Experiment, *rest: Any) -> StackingClassifier:
            if experiment.number == 2:
                process.kill()
                process.wait()
                if is_noticed:
                    wait_until(lambda: distributed.get_client().status == "closed")
            return build(experiment, *rest)

        monkeypatch.setattr(fitting, "build_stack", build_late)
        assert cli.main([*training, str(tmp_path / "there"), "--dask", address]) == 1
    assert capsys.readouterr().err.endswith(
        f"The cluster at {address} was lost. Start it, and the same command again.\n"
    )


@pytest.mark.hostile("that the cluster was lost")
@pytest.mark.parametrize("call", ["submit", "nthreads"])
@pytest.mark.parametrize("name", ["data.csv", "data.parquet", "votes.csv"])
def test_a_lost_connection_is_not_taken_for_a_full_disk(pictures, tmp_path, monkeypatch, capsys, call, name) -> None:
    """It is an error of the system to Python, as a disk's is."""

    def lost(*_: object, **__: object) -> None:
        raise distributed.comm.CommClosedError("ConnectionPool closing.")

    future = SimpleNamespace(cancel=lambda: None)
    working = {"status": "running", "submit": lambda *_, **__: future, "nthreads": lambda: {"a": 1}}
    client = SimpleNamespace(**{**working, call: lost})
    monkeypatch.setattr(cluster, "connected", lambda _: contextlib.nullcontext(client))
    monkeypatch.setattr(vectorize, "_BATCH_PICTURES", 4)
    monkeypatch.setattr(bulk, "_BATCH_PICTURES", 4)
    if name == "votes.csv":
        models = str(write_tiny_models(tmp_path / "models"))
        told = ["predict", str(pictures), "--models", models, "--csv", str(tmp_path / name), "--dask", "tcp://there"]
        assert cli.main(told) == 1
    else:
        assert image_to_vector.main([str(pictures), "--output", str(tmp_path / name), "--dask", "tcp://there"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("The cluster at tcp://there was lost.")


@pytest.mark.hostile("that no scheduler answers at the address, and how to start one")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "127.0.0.1:{port}", "nonsense://x", "tcp://"])
def test_a_scheduler_that_is_not_there_is_one_sentence(tmp_path, monkeypatch, capsys, address) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
    write_tiny_models(tmp_path / "models")
    address = address.format(port=free_port())
    told = ["predict", str(tmp_path), "--csv", str(tmp_path / "v.csv"), "--models", str(tmp_path / "models")]
    assert cli.main([*told, "--dask", address]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"No Dask scheduler answers at {address}. Start one with")
    assert error.count("\n") == 1


@pytest.mark.hostile("that there are no workers, or that they lack the project, and how to start them")
def test_a_cluster_that_cannot_work_is_one_sentence(pictures, tmp_path, monkeypatch, capfd) -> None:
    told = [str(pictures), "--output", str(tmp_path / "data.csv"), "--dask"]
    with processes() as start:
        address, _ = scheduler(start, tmp_path)
        with distributed.Client(address):  # it answers: what follows is not about the connection
            pass
        monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 3.0)
        assert image_to_vector.main([*told, address]) == 1
        assert f"The scheduler at {address} has no workers." in capfd.readouterr().err
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.setattr(cluster, "_CONNECT_SECONDS", START_SECONDS)
        worker(start, address, folder=tmp_path / "elsewhere")
        assert image_to_vector.main([*told, address]) == 1
        told_us = capfd.readouterr().err
        assert f"The machines of {address} cannot import this project" in told_us
        assert "No module named 'emotion'" in told_us
        assert told_us.count("\n") == 1
    assert not (tmp_path / "data.csv").exists()


@pytest.mark.hostile("that Dask is missing, and how to install it")
def test_without_dask_everything_else_works(pictures, tmp_path) -> None:
    """As in an environment of requirements.txt alone."""
    lacking = "import sys; sys.modules['distributed'] = None; import image_to_vector; sys.exit(image_to_vector.main())"
    command = [sys.executable, "-c", lacking, str(pictures), "--output", str(tmp_path / "data.csv")]
    environment = os.environ | {"PYTHONPATH": str(config.ROOT)}
    assert subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60).returncode == 0
    done = subprocess.run([*command, "--dask", "tcp://127.0.0.1:1"], cwd=tmp_path, env=environment, capture_output=True)
    assert b"pip install -r requirements/cluster.txt" in done.stderr
    assert b"Traceback" not in done.stderr


def test_dask_that_is_not_installed_and_a_scheduler_without_address_are_told(monkeypatch) -> None:
    """Of an empty address, as of a variable that a script has not set, Dask would start a cluster of its own."""
    with pytest.raises(ClusterError, match=r"^Name the address of a Dask scheduler, such as tcp://10\.0\.0\.1:8786\.$"):
        cluster.connected("").__enter__()
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        ClusterError, match=r"^A cluster needs distributed, .* -r requirements/cluster\.txt, or install "
    ):
        cluster.connected("tcp://10.0.0.1:8786").__enter__()


@pytest.mark.hostile("that a worker has other models")
def test_a_worker_with_other_models_does_not_vote(pictures, tmp_path, dask) -> None:
    """The folder's have changed since this process has loaded its own: the worker says so, and lives on."""
    models = load_models(write_tiny_models(tmp_path / "models"))
    write_tiny_models(tmp_path / "models", ("Angry", "Sad"))
    with pytest.raises(ModelsError, match="holds other models than here"):
        bulk.recognize_folder(pictures, tmp_path / "votes.csv", models, dask=dask, progress=False)
    wait_for_workers(dask, 2)


@pytest.mark.hostile("that no worker is left")
def test_work_that_nobody_is_left_to_do_is_not_waited_for(pictures, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(vectorize, "_PART_PICTURES", 5)
    with processes() as start:
        address, _ = scheduler(start, tmp_path)
        with killed_in_the_middle(monkeypatch, worker(start, address), tmp_path / "there"):
            assert image_to_vector.main([str(pictures), "--output", f"{tmp_path}/there/", "--dask", address]) == 1
    assert f"The scheduler at {address} has lost all its workers." in capsys.readouterr().err


@pytest.mark.hostile("that the parts are not in one folder")
def test_parts_on_disks_that_are_not_shared_are_no_table(pictures, tmp_path, monkeypatch) -> None:
    """As where each machine has a folder of that name of its own."""
    elsewhere = vectorize.write_part
    monkeypatch.setattr(vectorize, "_PART_PICTURES", 40)
    monkeypatch.setattr(
        vectorize,
        "write_part",
        lambda folder, *rest: elsewhere(Folder(tmp_path / "other") if rest[0] > "part-000002" else folder, *rest),
    )
    with pytest.raises(StorageError, match="it must be one folder for all machines"):
        vectorize.vectorize(pictures, f"{tmp_path}/here/", progress=False)
    with pytest.raises(DatasetError, match="no finished table"):
        read_faces(tmp_path / "here")
