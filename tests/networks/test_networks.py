"""Training of the embedding networks, on made-up faces and a small scale. Needs requirements/train.txt."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from emotion import cli, config
from emotion.data.dataset import Faces
from emotion.data.embedding import OnnxEmbedding, network_file, read_network
from emotion.data.seen import known, read_seen
from emotion.data.splitting import split_faces
from emotion.errors import DatasetError, TrainingError
from tests.synthetic import VOTES_COLUMNS, synthetic_faces, write_table, write_votes

if os.environ.get("CI"):
    import torch
else:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -r requirements/train.txt")

from emotion.networks import exporting, network_training
from emotion.networks.augmentation import MIXING_DRAWS, VARIANT_DRAWS, Mixing, augmented, mixed
from emotion.networks.designs import DESIGNS, FAST_DESIGNS, FAST_TEACHERS, Cycle
from emotion.networks.exporting import export_network, restore_network, restored
from emotion.networks.modules import EmbeddingGraph, FaceNetwork
from emotion.networks.network_data import Lessons, NetworkData, network_data, read_lessons
from emotion.networks.network_training import label_probabilities, train_network, train_networks
from emotion.networks.teaching import lesson_draws, lessons_by

LEARNING = replace(FAST_DESIGNS[0], cycles=(Cycle(12, "none"),))


def striped_faces(per_class: int) -> Faces:
    """What tells the classes apart is a pattern and not a place, which augmentation shifts."""
    random = np.random.default_rng(0)
    pictures = []
    for label in range(3):
        for _ in range(per_class):
            stripes = (np.arange(48) // 3 % 2 * 120)[:, None] * np.ones((1, 48))
            pattern = (stripes, stripes.T, np.zeros((48, 48)))[label]
            blobs = cv2.resize(random.integers(0, 120, (6, 6)).astype(np.float32), (48, 48))
            pictures.append((pattern + blobs).astype(np.uint8).ravel())
    return Faces(np.stack(pictures), np.repeat(["Angry", "Happy", "Sad"], per_class))


@pytest.fixture(scope="module")
def data() -> NetworkData:
    return network_data(split_faces(striped_faces(200), all_parts=True))


def weights(network: FaceNetwork) -> np.ndarray:
    return torch.cat([value.float().ravel() for value in network.state_dict().values()]).numpy()


def test_a_network_learns_what_can_be_learnt(data: NetworkData, tmp_path: Path) -> None:
    network, history = train_network(LEARNING, data, tmp_path / "network.pt", progress=False)
    assert [entry["epoch"] for entry in history] == list(range(1, 13))
    assert history[-1]["loss"] < history[0]["loss"]
    assert (label_probabilities(network, data.watched).argmax(axis=1) == data.watched_codes).mean() > 0.8
    assert history[-1]["accuracy"] > 0.8


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(
    data: NetworkData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, history = train_network(FAST_DESIGNS[2], data, tmp_path / "whole.pt", progress=False)

    def stop_after_one(*arguments: object) -> None:
        raise KeyboardInterrupt

    train_epoch = "emotion.networks.network_training._train_epoch"
    original = network_training._train_epoch
    calls = iter([original, stop_after_one])
    monkeypatch.setattr(train_epoch, lambda *arguments: next(calls)(*arguments))
    with pytest.raises(KeyboardInterrupt):
        train_network(FAST_DESIGNS[2], data, tmp_path / "parts.pt", progress=False)
    monkeypatch.undo()
    resumed, resumed_history = train_network(FAST_DESIGNS[2], data, tmp_path / "parts.pt", progress=False)
    assert resumed_history == history
    assert (weights(resumed) == weights(whole)).all()


@pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
def test_targets_are_mixed_as_faces_are(mixing: Mixing) -> None:
    """A face that is nearly all another one's must not keep its own label: networks would learn wrong labels."""
    n = 40
    levels = torch.arange(n) / (n - 1)
    pixels, targets = levels.reshape(n, 1, 1, 1).expand(n, 1, 48, 48), torch.stack([1 - levels, levels], 1)
    draws = torch.rand(n, MIXING_DRAWS, generator=torch.Generator().manual_seed(1))
    faces, said, votes = mixed(mixing, draws, pixels, targets, targets)
    assert said.sum(1) == pytest.approx(1, abs=1e-6)
    assert (said == votes).all()
    assert faces.mean((1, 2, 3)) == pytest.approx(said[:, 1], abs=1e-5)
    kept = (said[:, 1] - levels.flip(0)) / (levels - levels.flip(0))
    assert kept.min() < 0.1
    assert kept.max() > 0.9


def test_a_cycle_that_mixes_leaves_half_of_the_batches_as_they_are(
    data: NetworkData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faces that networks meet later are not mixed."""
    seen = []
    monkeypatch.setattr("emotion.networks.network_training.BATCH_ROWS", 8)
    monkeypatch.setattr(
        "emotion.networks.network_training.mixed", lambda mixing, draws, *batch: seen.append(mixing) or batch
    )
    design = replace(FAST_DESIGNS[0], cycles=(Cycle(1, "cutmix"),))
    train_network(design, data, tmp_path / "network.pt", progress=False)
    assert len(seen) == len(data.X) // 8
    assert 0.3 < seen.count("none") / len(seen) < 0.7
    assert set(seen) == {"none", "cutmix"}


def test_without_mixing_a_batch_stays_as_it_is() -> None:
    pixels, targets = torch.rand(4, 1, 48, 48), torch.eye(4)
    faces, said, _ = mixed("none", torch.rand(4, MIXING_DRAWS), pixels, targets, targets)
    assert (faces == pixels).all()
    assert (said == targets).all()


def test_what_teachers_say_is_learnt_and_not_the_labels(data: NetworkData, tmp_path: Path) -> None:
    teacher, _ = train_network(LEARNING, data, tmp_path / "teacher.pt", progress=False)
    lessons = lessons_by([teacher], data, 3, progress=False)
    opposed = replace(lessons, targets=np.roll(lessons.targets, 1, axis=2))  # each label is taken for the next one
    taught = replace(data, lessons=opposed)
    network, _ = train_network(LEARNING, taught, tmp_path / "network.pt", progress=False)
    assert (label_probabilities(network, data.watched).argmax(axis=1) == (data.watched_codes + 1) % 3).mean() > 0.8
    with pytest.raises(TrainingError, match="by teachers; remove it"):
        train_network(LEARNING, data, tmp_path / "network.pt", progress=False)


def test_lessons_are_about_the_variants_that_are_learnt_from(data: NetworkData) -> None:
    """What was said of one variant of a face, where the mouth can be seen, is not true of another, where it cannot."""
    teachers = [FaceNetwork(FAST_TEACHERS[0], 3).eval(), FaceNetwork(FAST_TEACHERS[1], 3).eval()]
    for teacher in teachers:
        torch.nn.init.normal_(teacher.label_head.weight, std=3.0, generator=torch.Generator().manual_seed(1))
    votes = np.eye(8, dtype=np.float32)[data.targets.argmax(axis=1)]
    votes[::2] = 0  # nobody voted on these
    lessons = lessons_by(teachers, replace(data, votes=votes), 2, progress=False)
    pictures = augmented(torch.from_numpy(data.X), lesson_draws(1, len(data.X)))
    with torch.no_grad():
        said = [teacher(pictures) for teacher in teachers]
    expected = torch.stack([label.softmax(1) for label, _ in said]).mean(0).numpy()
    this, other = (np.abs(lessons.targets[lesson] - expected).mean() for lesson in (1, 0))
    assert this < 0.02  # half precision
    assert other > 2 * this
    assert (lessons.votes[1].any(axis=1) == votes.any(axis=1)).all()


def test_lessons_about_other_faces_or_damaged_ones_are_told(data: NetworkData, tmp_path: Path) -> None:
    path = tmp_path / "lessons.npz"
    given = lessons_by([FaceNetwork(FAST_TEACHERS[0], 3)], data, 2, progress=False)
    given.write(path)
    assert (read_lessons(path, data).targets == given.targets).all()
    for others in (slice(1, None), slice(None, None, -1)):  # fewer of them, or the same in another order
        other = replace(data, X=data.X[others], targets=data.targets[others], votes=data.votes[others])
        with pytest.raises(TrainingError, match="in another order; remove the file"):
            read_lessons(path, other)
    with pytest.raises(TrainingError, match="other faces, labels or votes"):  # teachers would not have said the same
        read_lessons(path, replace(data, votes=1 - data.votes))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(TrainingError, match="cannot be read; remove the file"):
        read_lessons(path, data)


def test_a_complete_checkpoint_is_not_trained_again(data: NetworkData, tmp_path: Path) -> None:
    first, _ = train_network(FAST_DESIGNS[0], data, tmp_path / "network.pt", progress=False)
    before = (tmp_path / "network.pt").read_bytes()
    second, _ = train_network(FAST_DESIGNS[0], data, tmp_path / "network.pt", progress=False)
    assert (weights(first) == weights(second)).all()
    assert (tmp_path / "network.pt").read_bytes() == before


def test_a_complete_network_goes_on_when_its_design_has_another_cycle(data: NetworkData, tmp_path: Path) -> None:
    """Later hours add to what was trained before; they do not begin again."""
    design = FAST_DESIGNS[1]
    whole, history = train_network(design, data, tmp_path / "whole.pt", progress=False)
    _, shorter = train_network(replace(design, cycles=design.cycles[:1]), data, tmp_path / "parts.pt", progress=False)
    longer, longer_history = train_network(design, data, tmp_path / "parts.pt", progress=False)
    assert longer_history[: len(shorter)] == shorter
    assert longer_history == history
    assert (weights(longer) == weights(whole)).all()
    with pytest.raises(TrainingError, match="another design"):
        train_network(replace(design, cycles=design.cycles[1:]), data, tmp_path / "parts.pt", progress=False)


def test_each_epoch_belongs_to_its_cycle() -> None:
    """The learning rate of a second cycle starts anew, and its pictures are mixed as it says."""
    design = replace(FAST_DESIGNS[0], cycles=(Cycle(3, "none"), Cycle(2, "mixup")))
    assert [design.at(epoch) for epoch in range(design.epochs)] == [
        *((design.cycles[0], epoch) for epoch in range(3)),
        *((design.cycles[1], epoch) for epoch in range(2)),
    ]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_network_that_ships_can_be_trained_further(number: int) -> None:
    """Checkpoints do not ship: what hours of training found must not have to be found again."""
    path, faces = network_file(config.MODELS, number), striped_faces(20).X
    network = FaceNetwork(DESIGNS[number - 1], 7)
    restore_network(network, path, faces)
    with torch.no_grad():
        floating = EmbeddingGraph(network.eval())(torch.from_numpy(faces).float()).numpy()
    shipped = OnnxEmbedding(path).fit(faces).transform(faces)
    # What ships computes in eight bits.
    assert np.corrcoef(floating.ravel(), shipped.ravel())[0, 1] > 0.99
    assert np.abs(floating - shipped).mean() < 0.05 * shipped.mean()


@pytest.fixture(scope="module")
def exported(data: NetworkData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    network, _ = train_network(LEARNING, data, folder / "network_1.pt", progress=False)
    export_network(network, folder / "network_1.onnx", data.X)
    return folder


def test_a_network_to_start_from_is_gone_on_with_in_the_last_cycle(
    data: NetworkData, exported: Path, tmp_path: Path
) -> None:
    design = replace(LEARNING, cycles=(Cycle(12, "none"), Cycle(1, "none")))
    _, history = train_network(LEARNING, data, exported / "network_1.pt", progress=False)
    start = restored(design, exported / "network_1.onnx", data)
    _, further = train_network(design, data, tmp_path / "after.pt", start=start, progress=False)
    assert [entry["epoch"] for entry in further] == [13]
    assert further[0]["loss"] < history[0]["loss"]
    with pytest.raises(TrainingError, match="another design"):
        restored(FAST_DESIGNS[1], exported / "network_1.onnx", data)


def test_a_restored_network_says_labels_and_votes_again(data: NetworkData, exported: Path) -> None:
    """Files have no heads: without new ones, further training would first forget what the embedding knows."""
    voted = replace(data, votes=np.eye(8, dtype=np.float32)[data.targets.argmax(axis=1) + 5])
    network = restored(LEARNING, exported / "network_1.onnx", voted)
    assert (label_probabilities(network, data.watched).argmax(axis=1) == data.watched_codes).mean() > 0.8
    with torch.no_grad():
        _, votes = network.eval()(torch.from_numpy(data.watched.reshape(-1, 1, 48, 48)).float())
    assert (votes.argmax(1).numpy() == data.watched_codes + 5).mean() > 0.8


@pytest.mark.parametrize("what", ["faces", "labels", "votes"])
def test_a_checkpoint_of_other_data_is_not_gone_on_with(data: NetworkData, tmp_path: Path, what: str) -> None:
    """The list of faces that a network knows would lack those of the first run; and new votes would change nothing."""
    train_network(FAST_DESIGNS[0], data, tmp_path / "network.pt", progress=False)
    noted = read_seen(tmp_path).networks
    others = {
        "faces": replace(data, X=data.X[:, ::-1].copy()),
        "labels": replace(data, targets=data.targets[::-1].copy()),
        "votes": replace(data, votes=data.votes + 1),
    }[what]
    with pytest.raises(TrainingError, match="was trained on other faces, labels or votes"):
        train_network(FAST_DESIGNS[0], others, tmp_path / "network.pt", progress=False)
    assert (read_seen(tmp_path).networks == noted).all()


def test_what_networks_are_about_to_learn_is_noted_before(
    data: NetworkData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may be broken off in its first epoch, and never gone on with."""

    def interrupted(*_: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("emotion.networks.network_training._train_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_network(FAST_DESIGNS[0], data, tmp_path / "network.pt", progress=False)
    assert known(data.X, read_seen(tmp_path).networks).all()


def test_a_checkpoint_of_another_design_or_a_damaged_one_is_told(data: NetworkData, tmp_path: Path) -> None:
    train_network(FAST_DESIGNS[0], data, tmp_path / "network.pt", progress=False)
    with pytest.raises(TrainingError, match="another design"):
        train_network(FAST_DESIGNS[1], data, tmp_path / "network.pt", progress=False)
    (tmp_path / "network.pt").write_bytes(b"no checkpoint")
    with pytest.raises(TrainingError, match="cannot be read; remove it"):
        train_network(FAST_DESIGNS[0], data, tmp_path / "network.pt", progress=False)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_the_file_computes_what_the_network_computes(tmp_path: Path, design: object) -> None:
    network = FaceNetwork(design, 7).eval()
    # The last shift of each residual block starts at nought: without some weights there is nothing to compare.
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05, generator=torch.Generator().manual_seed(parameter.numel()))
    X = synthetic_faces((3, 2, 0)).X
    export_network(network, tmp_path / "network_1.onnx", X)
    with torch.no_grad():
        expected = EmbeddingGraph(network)(torch.from_numpy(X).float()).numpy()
    embedded = OnnxEmbedding(tmp_path / "network_1.onnx").fit(X).transform(X)
    assert embedded == pytest.approx(expected, rel=0.02, abs=float(0.02 * np.abs(expected).max()))
    assert embedded.std() > 0


def test_lessons_hold_as_much_of_peoples_own_opinion_as_is_asked(data: NetworkData) -> None:
    """Networks that are gone on with would otherwise learn nothing but what they say already."""
    teacher = FaceNetwork(FAST_DESIGNS[0], data.n_classes).eval()
    taught, mixed_in, own = (lessons_by([teacher], data, 1, own_share=s, progress=False) for s in (0.0, 0.4, 1.0))
    assert own.targets[0] == pytest.approx(data.targets, abs=1e-3)
    assert own.votes[0] == pytest.approx(data.votes, abs=1e-3)
    assert mixed_in.targets[0] == pytest.approx(0.4 * data.targets + 0.6 * taught.targets[0], abs=2e-3)


def test_variants_are_faces_and_differ() -> None:
    rows = torch.from_numpy(np.repeat(synthetic_faces((1, 0, 0)).X, 64, axis=0))
    draws = torch.rand(64, VARIANT_DRAWS, generator=torch.Generator().manual_seed(1))
    variants = augmented(rows, draws)
    assert variants.shape == (64, 1, 48, 48)
    assert variants.min() >= 0
    assert variants.max() <= 255
    assert len(torch.unique(variants.reshape(64, -1), dim=0)) == 64
    assert torch.equal(variants, augmented(rows, draws))


def test_votes_reach_the_faces_they_belong_to(tmp_path: Path) -> None:
    faces = synthetic_faces((40, 40, 40))
    names = [f"{label}/{i}.png" for i, label in enumerate(faces.y)]
    read = replace(faces, files=np.array(names))
    happy = {**dict.fromkeys(VOTES_COLUMNS, 0), "happiness": 10}
    votes = write_votes(tmp_path / "votes.csv", [{"file": n.split("/")[1], **happy} for n in names if "Happy" in n])
    data = network_data(split_faces(read, all_parts=True), votes)
    assert (data.votes.sum(axis=1) == (data.targets.argmax(axis=1) == 1)).all()
    with pytest.raises(DatasetError, match="--keep-names"):
        network_data(split_faces(faces, all_parts=True), votes)


def test_the_command_trains_networks_that_the_models_can_stand_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("emotion.networks.network_training.DESIGNS", FAST_DESIGNS)
    monkeypatch.setattr("emotion.networks.designs.TEACHERS", FAST_TEACHERS[:2])
    monkeypatch.setattr(network_training, "lessons_by", lambda by, data, _, **others: lessons_by(by, data, 2, **others))
    table = write_table(tmp_path / "train.csv", synthetic_faces((150, 120, 60)))
    out = tmp_path / "networks"
    assert cli.main(["train-networks", "--data", str(table), "--out", str(out)]) == 0
    assert ("add --without-teachers" in capsys.readouterr().out) == (not torch.cuda.is_available())
    networks = {f"network_{n}{end}" for n in (1, 2, 3) for end in (".pt", ".onnx")}
    teachers = {f"teacher_{n}.pt" for n in (1, 2)}
    assert {file.name for file in out.iterdir()} == {*networks, *teachers, "lessons.npz", "seen_faces.npz"}
    assert len(read_seen(out).networks) > 200
    test = write_table(tmp_path / "test.csv", synthetic_faces((20, 20, 20), seed=1))
    options = ["--data", str(table), "--test", str(test), "--networks", str(out), "--out", str(tmp_path / "models")]
    assert cli.main(["train", *options, "--fast"]) == 0

    monkeypatch.setattr("emotion.networks.network_training.DESIGNS", FAST_DESIGNS[:1])
    monkeypatch.setattr(network_training, "export_network", no_export)
    others = write_table(tmp_path / "others.csv", synthetic_faces((140, 130, 70), seed=7))
    further = tmp_path / "further"
    started = ["--data", str(others), "--start", str(tmp_path / "models"), "--out", str(further)]
    assert cli.main(["train-networks", *started]) == 0
    # What the networks saw before is not forgotten with their checkpoints.
    before, noted = (set(map(bytes, read_seen(folder).networks)) for folder in (out, further))
    assert before < noted
    assert len(noted) > len(before) + 200
    assert cli.main(["train-networks", *started]) == 0  # complete: read back
    assert set(map(bytes, read_seen(further).networks)) == noted


def no_export(_: object, path: Path, *__: object) -> None:
    """In place of an export, which takes seconds; the file is not read."""
    path.touch()


def test_lessons_that_were_given_are_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graphics card may be at hand for the teachers only; what they said is enough for the rest."""
    monkeypatch.setattr(network_training, "export_network", no_export)
    table, out = write_table(tmp_path / "train.csv", synthetic_faces((60, 60, 60))), tmp_path / "networks"
    designs, teachers = FAST_DESIGNS[:1], FAST_TEACHERS[:1]
    train_networks(table, None, out, designs=designs, teachers=teachers, n_lessons=2, progress=False)
    given = (out / "lessons.npz").read_bytes()
    for name in ("teacher_1.pt", "network_1.pt"):
        (out / name).unlink()
    train_networks(table, None, out, designs=designs, teachers=teachers, n_lessons=2, progress=False)
    assert (out / "network_1.pt").exists()
    assert not (out / "teacher_1.pt").exists()
    assert (out / "lessons.npz").read_bytes() == given


def test_networks_can_learn_without_teachers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a computer without a graphics card, large networks would take days."""
    monkeypatch.setattr("emotion.networks.network_training.DESIGNS", FAST_DESIGNS[:1])
    monkeypatch.setattr(network_training, "export_network", no_export)
    table = write_table(tmp_path / "train.csv", synthetic_faces((60, 60, 60)))
    out = tmp_path / "networks"
    assert cli.main(["train-networks", "--data", str(table), "--out", str(out), "--without-teachers"]) == 0
    assert {file.name for file in out.iterdir()} == {"network_1.pt", "network_1.onnx", "seen_faces.npz"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no sizes of files")
def test_a_checkpoint_that_the_disk_has_no_room_for_is_told_and_the_one_before_stays(
    data: NetworkData, tmp_path: Path
) -> None:
    import resource
    import signal

    path = tmp_path / "network.pt"
    train_network(FAST_DESIGNS[0], data, path, progress=False)
    before = path.read_bytes()
    longer = replace(FAST_DESIGNS[0], cycles=(*FAST_DESIGNS[0].cycles, Cycle(1, "none")))
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(TrainingError, match=r"network\.pt cannot be written: .*[Ff]ile too large"):
            train_network(longer, data, path, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before


def test_lessons_and_networks_that_cannot_be_written_are_told(
    data: NetworkData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days of training may lie before them: somebody has to know what to make room for."""
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    lessons = Lessons(data.digest, np.zeros((1, 1, 3), np.float16), np.zeros((1, 1, 8), np.float16))
    monkeypatch.setattr(network_training, "lessons_by", lambda *_, **__: lessons)
    with pytest.raises(
        TrainingError, match=r"^The lessons .*/file/lessons\.npz cannot be written: (File exists|Not a d)"
    ):
        network_training._read_or_give([], 1, data, tmp_path / "file", 0.0, progress=False)
    graph = read_network(config.MODELS / "network_1.onnx")
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: SimpleNamespace(model_proto=graph))
    monkeypatch.setattr(exporting, "quantized", lambda graph, _: graph)
    network = FaceNetwork(FAST_DESIGNS[0], 3)
    with pytest.raises(
        TrainingError, match=r"^The network .*/file/network_1\.onnx cannot be written: Not a directory\."
    ):
        export_network(network, tmp_path / "file" / "network_1.onnx", data.X)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "networks").write_text("a file", encoding="utf-8")
    table = write_table(tmp_path / "train.csv", synthetic_faces((60, 60, 60)))
    with pytest.raises(TrainingError, match="cannot be written"):
        train_networks(table, None, tmp_path / "networks", designs=FAST_DESIGNS, progress=False)
