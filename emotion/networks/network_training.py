"""Trains the embedding networks: schedule, weight averaging, teachers, checkpoints to go on from."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm import tqdm

from emotion import config
from emotion.data.dataset import read_faces
from emotion.data.embedding import network_file
from emotion.data.seen import face_codes, read_seen
from emotion.data.splitting import split_faces
from emotion.errors import TrainingError
from emotion.faces.crop import FaceVectors
from emotion.networks.augmentation import MIXING_DRAWS, VARIANT_DRAWS, as_pictures, augmented, mixed
from emotion.networks.checkpoints import TrainingState, note_seen, read_checkpoint, write_checkpoint
from emotion.networks.designs import DESIGNS, NetworkDesign
from emotion.networks.exporting import export_network, restored
from emotion.networks.modules import (
    FaceNetwork,
    best_device,
    half_precision,
    to_device,
)
from emotion.networks.network_data import Lessons, NetworkData, network_data, read_lessons
from emotion.networks.teaching import N_LESSONS, OWN_SHARE, lesson_draws, lessons_by
from emotion.runtime.terminal import say

BATCH_ROWS: Final = 256

WEIGHT_DECAY: Final = 5e-4

WARM_UP_SHARE: Final = 0.1

MIXED_BATCHES: Final = 0.5
"""Share of the batches whose faces are mixed, in a cycle that mixes: the others look like what is met later."""

AVERAGING: Final = 0.998
"""Share of the average that stays at each step: it spans the last five hundred steps or so."""

LESSONS_FILE: Final = "lessons.npz"


def train_networks(
    data: Path | str,
    test: Path | str | None,
    out: Path | str,
    votes: Path | str | None = None,
    designs: Sequence[NetworkDesign] | None = None,
    seed: int = config.SEED,
    *,
    teachers: Sequence[NetworkDesign] = (),
    n_lessons: int = N_LESSONS,
    start: Path | str | None = None,
    progress: bool = True,
) -> dict[str, list[dict[str, float]]]:
    """Train the embedding networks from tables of faces, or go on with what an interrupted run left.

    Parameters
    ----------
    data, test : paths or addresses of tables, as `emotion.training.training.train` takes them
    out : path of a folder: for each network a checkpoint, ``network_N.pt``, and the result, ``network_N.onnx``; with
        them, `emotion.data.seen.SEEN_FILE`, and with teachers their checkpoints and `LESSONS_FILE`
    votes : path of FER+'s table of votes, optional
    designs : sequence of NetworkDesign, by default `DESIGNS`
    seed : int
    teachers : sequence of NetworkDesign
        Are trained first, unless their lessons are there, and the networks then learn what they say; without any,
        networks learn labels and votes.
    n_lessons : int, how many lessons teachers give
    start : path of a folder of networks or models, optional
        Its networks are gone on with, in the last cycle of each design, where there is no checkpoint: each learns what
        people said of the faces and what these networks together say of them.
    progress : bool
        Whether to draw progress bars and print the course of the scores.

    Returns
    -------
    dict of design name to its history, as `train_network` gives it, of all that were trained or read back

    Raises
    ------
    DatasetError
        If a table cannot be read or does not hold what training needs.
    ModelsError
        If a network to start from is missing or damaged.
    TrainingError
        If a checkpoint or the lessons do not fit, or the folder cannot be written.
    """
    split = split_faces(read_faces(data), read_faces(test) if test else None, seed, all_parts=True, progress=progress)
    if progress and split.told:
        say(split.told)
    faces = network_data(split, votes)
    histories: dict[str, list[dict[str, float]]] = {}
    if teachers:
        lessons, teacher_histories = _lessons(teachers, n_lessons, faces, Path(out), seed, progress)
        histories |= teacher_histories
        faces = replace(faces, lessons=lessons)
    chosen = designs or DESIGNS
    given: list[FaceNetwork | None] = [None] * len(chosen)
    if start is not None:
        networks = [restored(design, network_file(start, n), faces) for n, design in enumerate(chosen, start=1)]
        given = [*networks]
        n_lessons = max(design.cycles[-1].epochs for design in chosen)
        taught = _read_or_give(networks, n_lessons, faces, Path(out), OWN_SHARE, progress)
        faces = replace(faces, lessons=taught)
    for number, design in enumerate(chosen, start=1):
        checkpoint = Path(out) / f"{design.name}.pt"
        if start is not None and not checkpoint.exists():
            note_seen(checkpoint, read_seen(start).networks)
        network, histories[design.name] = train_network(
            design, faces, checkpoint, seed + number, start=given[number - 1], progress=progress
        )
        export_network(network, Path(out) / f"{design.name}.onnx", faces.X)
    return histories


def _lessons(
    teachers: Sequence[NetworkDesign], n_lessons: int, data: NetworkData, out: Path, seed: int, progress: bool
) -> tuple[Lessons, dict[str, list[dict[str, float]]]]:
    """Train teachers and let them give lessons, unless they have been given; also the teachers' histories."""
    path = out / LESSONS_FILE
    if path.exists():
        return read_lessons(path, data), {}
    if progress and best_device().type == "cpu":
        say(
            "There is no graphics card: teachers take days to train on a data set such as FER2013. To do without them, "
            "press Ctrl-C and add --without-teachers."
        )
    trained, histories = [], {}
    for number, design in enumerate(teachers, start=1):
        checkpoint = out / f"{design.name}.pt"
        teacher, histories[design.name] = train_network(design, data, checkpoint, seed - number, progress=progress)
        trained.append(teacher)
    lessons = _read_or_give(trained, n_lessons, data, out, 0.0, progress)
    return lessons, histories


def _read_or_give(
    teachers: Sequence[FaceNetwork], n_lessons: int, data: NetworkData, out: Path, own_share: float, progress: bool
) -> Lessons:
    path = out / LESSONS_FILE
    if path.exists():
        return read_lessons(path, data)
    lessons: Lessons = lessons_by(teachers, data, n_lessons, own_share=own_share, progress=progress)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lessons.write(path)
    except OSError as error:
        raise TrainingError(f"The lessons {path} cannot be written: {error.strerror or error}.") from error
    return lessons


def train_network(
    design: NetworkDesign,
    data: NetworkData,
    checkpoint: Path,
    seed: int = config.SEED,
    *,
    start: FaceNetwork | None = None,
    progress: bool = True,
) -> tuple[FaceNetwork, list[dict[str, float]]]:
    """Train a network, or go on with it where a checkpoint was left.

    Stochastic gradient descent with Nesterov momentum, the learning rate rising for a tenth of each cycle and falling
    as a cosine to nought; what comes back is the moving average of the weights. Each epoch draws from a generator of
    its own, so a run that was interrupted goes on as if it had not been.

    Parameters
    ----------
    design : NetworkDesign
    data : NetworkData
    checkpoint : Path
        Written after each epoch; beside it, before the first one, `emotion.data.seen.SEEN_FILE`. One of the same design
        and data that is there is gone on with, also where the design has had cycles added since; when it is complete,
        nothing is trained.
    seed : int
    start : FaceNetwork of this design, optional
        Gone on with, in the design's last cycle, if there is no checkpoint yet; it is changed.
    progress : bool
        Whether to draw a progress bar and print the course of the scores.

    Returns
    -------
    network : FaceNetwork, on the processor, ready to embed
    history : list of dict: `epoch`, `loss` and `accuracy` on the faces to watch, 0-1, of each epoch

    Raises
    ------
    TrainingError
        If the checkpoint is of another design, was trained on other faces, labels or votes, or by teachers where these
        are not to be listened to (or the other way round), or cannot be read or written.
    ModelsError
        If the list of faces that networks in this folder have learnt from is damaged.
    """
    device = best_device()
    torch.backends.cudnn.benchmark = True  # all batches are of one size: the way that is fastest for it is looked for
    torch.manual_seed(seed)
    network = to_device(FaceNetwork(design, data.n_classes) if start is None else start, device)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    # Decay is for weights that multiply; on shifts and scales of a normalisation it only costs accuracy.
    others = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.SGD(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
        lr=0.0,  # each step sets its own
        momentum=0.9,
        nesterov=True,
    )
    state = TrainingState(network, copy.deepcopy(network), optimizer, data.lessons is not None)
    if start is not None:
        state.epoch = design.epochs - design.cycles[-1].epochs
    digest = data.digest
    read_checkpoint(checkpoint, design, digest, state)
    note_seen(checkpoint, face_codes(data.X))
    steps = _steps(data)
    with tqdm(
        total=design.epochs * steps,
        initial=state.epoch * steps,
        desc=design.name,
        disable=None if progress else True,
        mininterval=2,
    ) as bar:
        while state.epoch < design.epochs:
            loss = _train_epoch(design, data, state, seed, bar)
            accuracy = float(
                (label_probabilities(state.averaged, data.watched).argmax(axis=1) == data.watched_codes).mean()
            )
            state.epoch += 1
            state.history.append({"epoch": state.epoch, "loss": loss, "accuracy": accuracy})
            write_checkpoint(checkpoint, design, digest, state)
            if progress:
                with tqdm.external_write_mode():
                    say(f"{design.name} epoch {state.epoch}: loss {loss:.3f}, watched faces {accuracy:.1%}")
    return state.averaged.eval().to("cpu"), state.history


def _train_epoch(design: NetworkDesign, data: NetworkData, state: TrainingState, seed: int, bar: "tqdm[Any]") -> float:
    device = next(state.network.parameters()).device
    epoch_seed = seed + 1000 * state.epoch
    generator = torch.Generator().manual_seed(epoch_seed)
    torch.manual_seed(epoch_seed)  # of dropout
    n, steps = len(data.X), _steps(data)
    order = torch.randperm(n, generator=generator)
    # All that an epoch needs is put onto the device at once: a graphics card would wait for each batch otherwise.
    mixing_draws = torch.rand(n, MIXING_DRAWS, generator=generator).to(device)
    batches_mixed = (torch.rand(steps, generator=generator) < MIXED_BATCHES).tolist()
    if data.lessons is None:
        aims = data.targets, data.votes
        draws = torch.rand(n, VARIANT_DRAWS, generator=generator)
    else:
        lesson = state.epoch % len(data.lessons)
        aims = data.lessons.targets[lesson], data.lessons.votes[lesson]
        draws = lesson_draws(lesson, n)
    rows, draws, order = (tensor.to(device) for tensor in (torch.from_numpy(data.X), draws, order))
    targets, votes = (torch.from_numpy(aim).to(device).float() for aim in aims)
    cycle, epoch = design.at(state.epoch)
    state.network.train()
    losses = []
    for step, batch in enumerate(order[: steps * BATCH_ROWS].split(BATCH_ROWS)):
        done = (epoch * steps + step) / (cycle.epochs * steps)
        for group in state.optimizer.param_groups:
            group["lr"] = cycle.peak_rate * _rate(done)
        pixels, batch_targets, batch_votes = mixed(
            cycle.mixing if batches_mixed[step] else "none",
            mixing_draws[step * BATCH_ROWS :][: len(batch)],
            augmented(rows[batch], draws[batch]),
            targets[batch],
            votes[batch],
        )
        with half_precision(device):
            label_logits, vote_logits = state.network(pixels.to(memory_format=torch.channels_last))
        loss = functional.cross_entropy(label_logits, batch_targets)
        # Rows of noughts, where nobody voted, add nothing.
        loss = loss - (batch_votes * vote_logits.log_softmax(1)).sum(1).mean()
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        _average(state, state.epoch * steps + step)
        losses.append(loss.detach())
        bar.update()
    return float(torch.stack(losses).mean())


def _steps(data: NetworkData) -> int:
    return max(1, len(data.X) // BATCH_ROWS)


def _rate(done: float) -> float:
    if done < WARM_UP_SHARE:
        return done / WARM_UP_SHARE
    return float(0.5 * (1 + np.cos(np.pi * (done - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))))


@torch.no_grad()  # type: ignore[untyped-decorator]
def _average(state: TrainingState, step: int) -> None:
    # Early on, the weights of the start must not linger.
    kept = min(AVERAGING, (1 + step) / (10 + step))
    pairs = zip(state.averaged.state_dict().values(), state.network.state_dict().values(), strict=True)
    floating = [pair for pair in pairs if pair[0].is_floating_point()]  # the others count batches
    torch._foreach_lerp_([averaged for averaged, _ in floating], [current for _, current in floating], 1 - kept)


@torch.no_grad()  # type: ignore[untyped-decorator]
def label_probabilities(network: FaceNetwork, X: FaceVectors) -> NDArray[np.float32]:
    """Let the first head label faces.

    Parameters
    ----------
    network : FaceNetwork
    X : ndarray of shape (n, 2304), uint8, 0-255

    Returns
    -------
    ndarray of shape (n, n_classes), float32, rows sum to 1
    """
    device = next(network.parameters()).device
    network.eval()
    parts = []
    for start in range(0, len(X), 512):
        pixels = as_pictures(torch.from_numpy(X[start : start + 512])).to(device)
        with half_precision(device):
            logits, _ = network(pixels.to(memory_format=torch.channels_last))
        parts.append(logits.softmax(1).cpu().numpy())
    return np.concatenate(parts)
