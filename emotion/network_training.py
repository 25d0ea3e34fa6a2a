"""Trains the embedding networks: augmentation, schedule, weight averaging, checkpoints to go on from."""

import copy
import functools
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from emotion import config
from emotion.annotators import VOTED_LABELS, read_votes, vote_shares
from emotion.dataset import read_faces
from emotion.embedding import network_file
from emotion.errors import DatasetError, TrainingError
from emotion.faces import FaceVectors
from emotion.files import replacing
from emotion.networks import (
    DESIGNS,
    Cycle,
    EmbeddingGraph,
    FaceNetwork,
    Mixing,
    NetworkDesign,
    export_network,
    restore_network,
    to_device,
)
from emotion.seen import SEEN_FILE, SeenFaces, fingerprints, read_seen
from emotion.splitting import Split, split_faces

BATCH_ROWS: Final = 128
WEIGHT_DECAY: Final = 5e-4
LABEL_SMOOTHING: Final = 0.1
MIXUP_ALPHA: Final = 0.4
"""Parameter of the Beta distribution that shares are drawn from; 0.1 to 0.4 are usual (Zhang et al., 2017)."""
WARM_UP_SHARE: Final = 0.1
AVERAGING: Final = 0.998
"""Share of the average that stays at each step: it spans the last five hundred steps or so."""

RESTORING_FACES: Final = 2000
"""Training faces, at most, that the normalisations of an exported network are found again by."""

HEADS_DECAY: Final = 1e-4
"""Of the squared weights of heads that are fitted to a network that was exported without."""


@dataclass(frozen=True)
class NetworkData:
    """Faces to train networks on, and faces to watch them by.

    Attributes
    ----------
    X : ndarray of shape (n, 2304), uint8, 0-255
    targets : ndarray of shape (n, n_classes), float32, what the first head is to say; rows sum to 1
    votes : ndarray of shape (n, 8), float32, shares of people's votes that sum to 1; noughts where nobody voted
    watched : ndarray of shape (m, 2304), uint8, faces that are not trained on and share no picture with them
    watched_codes : ndarray of shape (m,), int64, their class codes
    """

    X: FaceVectors
    targets: NDArray[np.float32]
    votes: NDArray[np.float32]
    watched: FaceVectors
    watched_codes: NDArray[np.int64]

    @property
    def n_classes(self) -> int:
        """How many labels there are."""
        return int(self.targets.shape[1])


@dataclass
class _State:
    """All that a run goes on from."""

    network: FaceNetwork
    averaged: FaceNetwork
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def network_data(split: Split, votes: Path | str | None = None) -> NetworkData:
    """Take the parts of a split that networks may see.

    Parameters
    ----------
    split : Split
    votes : path of FER+'s table of votes, optional
        Used for the faces whose file names it has.

    Returns
    -------
    NetworkData

    Raises
    ------
    DatasetError
        If the table of votes cannot be read, or is given for faces whose file names were not kept.
    """
    classes = np.array(split.train.classes)
    if votes is None:
        shares = np.zeros((len(split.train), len(VOTED_LABELS)), dtype=np.float32)
    elif split.train.files is None:
        raise DatasetError("Votes belong to files: make the table of faces with image_to_vector.py --keep-names.")
    else:
        shares = vote_shares(read_votes(votes, split.train.files.tolist()))
    return NetworkData(
        split.train.X,
        _smoothed(np.searchsorted(classes, split.train.y), len(classes)),
        shares,
        split.validation.X,
        np.searchsorted(classes, split.validation.y),
    )


def _smoothed(codes: NDArray[np.intp], n_classes: int) -> NDArray[np.float32]:
    certain = np.eye(n_classes, dtype=np.float32)[codes]
    return np.asarray((1 - LABEL_SMOOTHING) * certain + LABEL_SMOOTHING / n_classes, dtype=np.float32)


def train_networks(
    data: Path | str,
    test: Path | str | None,
    out: Path | str,
    votes: Path | str | None = None,
    designs: Sequence[NetworkDesign] | None = None,
    seed: int = config.SEED,
    *,
    start: Path | str | None = None,
    progress: bool = True,
) -> dict[str, list[dict[str, float]]]:
    """Train the embedding networks from tables of faces, or go on with what an interrupted run left.

    Parameters
    ----------
    data, test : paths of CSV or Parquet files, as `emotion.training.train` takes them
    out : path of a folder: for each network a checkpoint, ``network_N.pt``, and the result, ``network_N.onnx``; with
        them, `emotion.seen.SEEN_FILE`
    votes : path of FER+'s table of votes, optional
    designs : sequence of NetworkDesign, by default `DESIGNS`
    seed : int
    start : path of a folder of networks or models, optional
        Its networks are gone on with, in the last cycle of each design, where there is no checkpoint.
    progress : bool
        Whether to draw progress bars and print the course of the scores.

    Returns
    -------
    dict of design name to its history, as `train_network` gives it

    Raises
    ------
    DatasetError
        If a table cannot be read or does not hold what training needs.
    ModelsError
        If a network to start from is missing or damaged.
    TrainingError
        If a checkpoint does not fit or the folder cannot be written.
    """
    split = split_faces(read_faces(data), read_faces(test) if test else None, seed, progress=progress)
    faces = network_data(split, votes)
    histories: dict[str, list[dict[str, float]]] = {}
    for number, design in enumerate(designs or DESIGNS, start=1):
        checkpoint = Path(out) / f"{design.name}.pt"
        given = None
        if start is not None and not checkpoint.exists():
            given = restored(design, network_file(start, number), faces)
        network, histories[design.name] = train_network(
            design, faces, checkpoint, seed + number, start=given, progress=progress
        )
        export_network(network, Path(out) / f"{design.name}.onnx", faces.X)
    known = [read_seen(folder).networks for folder in (start, out) if folder is not None]
    seen = functools.reduce(np.union1d, known, fingerprints(faces.X))
    try:
        SeenFaces(seen, np.zeros(0, dtype=np.uint64)).write(Path(out))
    except OSError as error:
        raise TrainingError(f"{Path(out) / SEEN_FILE} cannot be written: {error.strerror or error}.") from error
    return histories


def best_device() -> torch.device:
    """Choose where to compute.

    Returns
    -------
    torch.device: the graphics card if PyTorch can use one, else the processor
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


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
        Written after each epoch. One of the same design that is there is gone on with, also where the design has had
        cycles added since; when it is complete, nothing is trained.
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
        If the checkpoint is of another design, or cannot be read or written.
    """
    device = best_device()
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
    state = _State(network, copy.deepcopy(network), optimizer)
    if start is not None:
        state.epoch = design.epochs - design.cycles[-1].epochs
    _read_checkpoint(checkpoint, design, state, device)
    steps = _steps(data)
    with tqdm(
        total=design.epochs * steps, initial=state.epoch * steps, desc=design.name, disable=not progress, mininterval=2
    ) as bar:
        while state.epoch < design.epochs:
            loss = _train_epoch(design, data, state, seed, device, bar)
            accuracy = float(
                (label_probabilities(state.averaged, data.watched).argmax(axis=1) == data.watched_codes).mean()
            )
            state.epoch += 1
            state.history.append({"epoch": state.epoch, "loss": loss, "accuracy": accuracy})
            _write_checkpoint(checkpoint, design, state)
            if progress:
                bar.write(f"{design.name} epoch {state.epoch}: loss {loss:.3f}, watched faces {accuracy:.1%}")
    return state.averaged.eval().to("cpu"), state.history


def restored(design: NetworkDesign, path: Path | str, data: NetworkData) -> FaceNetwork:
    """Make a network out of an exported one, with heads that say what people said of the training faces.

    Parameters
    ----------
    design : NetworkDesign
    path : path of a network or of a pipeline that begins with one
    data : NetworkData
        Its training faces, with labels and votes, are what the heads are fitted to; no watched face is.

    Returns
    -------
    FaceNetwork, on the processor or the graphics card, whichever is the best

    Raises
    ------
    ModelsError
        If the file is missing, damaged, or holds no network.
    TrainingError
        If the file holds a network of another design.
    """
    network = FaceNetwork(design, data.n_classes)
    restore_network(network, path, data.X[:: len(data.X) // RESTORING_FACES + 1])
    device = best_device()
    to_device(network, device)
    embedded = _embedded(network, data.X)
    heads = {network.label_head: data.targets, network.vote_head: data.votes}
    weights = [weight for head in heads for weight in head.parameters()]
    optimizer = torch.optim.LBFGS(weights, max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        said = sum(
            functional.cross_entropy(head(embedded), torch.from_numpy(aim).to(device)) for head, aim in heads.items()
        )
        total: Tensor = said + HEADS_DECAY * sum(weight.square().sum() for weight in weights)
        total.backward()
        return total

    optimizer.step(loss)
    return network


@torch.no_grad()  # type: ignore[untyped-decorator]
def _embedded(network: FaceNetwork, X: FaceVectors) -> Tensor:
    """Compute what ships of a network: (n, 2304) uint8 -> (n, n_features) float32, on the network's device."""
    device = next(network.parameters()).device
    graph = EmbeddingGraph(network).eval()
    parts = []
    for start in range(0, len(X), 256):
        with _half_precision(device):
            parts.append(graph(torch.from_numpy(X[start : start + 256]).to(device).float()).float())
    return torch.cat(parts)


def _train_epoch(
    design: NetworkDesign, data: NetworkData, state: _State, seed: int, device: torch.device, bar: "tqdm[Any]"
) -> float:
    epoch_seed = seed + 1000 * state.epoch
    generator = torch.Generator().manual_seed(epoch_seed)
    torch.manual_seed(epoch_seed)  # of dropout
    order = torch.randperm(len(data.X), generator=generator).numpy()
    steps = _steps(data)
    cycle, epoch = design.at(state.epoch)
    state.network.train()
    losses = []
    for step in range(steps):
        rows = order[step * BATCH_ROWS : (step + 1) * BATCH_ROWS]
        done = (epoch * steps + step) / (cycle.epochs * steps)
        for group in state.optimizer.param_groups:
            group["lr"] = cycle.peak_rate * _rate(done)
        pixels = augmented(torch.from_numpy(data.X[rows]), generator).to(device)
        targets = torch.from_numpy(data.targets[rows]).to(device)
        votes = torch.from_numpy(data.votes[rows]).to(device)
        draws = np.random.default_rng(seed + state.epoch * steps + step)
        pixels, targets, votes = mixed(cycle.mixing, draws, pixels, targets, votes)
        with _half_precision(device):
            label_logits, vote_logits = state.network(pixels.to(memory_format=torch.channels_last))
        loss = functional.cross_entropy(label_logits, targets)
        # Rows of noughts, where nobody voted, add nothing.
        loss = loss - (votes * vote_logits.log_softmax(1)).sum(1).mean()
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        _average(state, state.epoch * steps + step)
        losses.append(loss.item())
        bar.update()
    return float(np.mean(losses))


def _half_precision(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 where the hardware does; emulated, it takes more than twice the time of single precision."""
    if device.type == "cuda":
        supported = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # PyTorch's own test of its library says yes to any processor with AVX-512.
        supported = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=supported)


def _steps(data: NetworkData) -> int:
    return max(1, len(data.X) // BATCH_ROWS)


def _rate(done: float) -> float:
    if done < WARM_UP_SHARE:
        return done / WARM_UP_SHARE
    return float(0.5 * (1 + np.cos(np.pi * (done - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))))


@torch.no_grad()  # type: ignore[untyped-decorator]
def _average(state: _State, step: int) -> None:
    # Early on, the weights of the start must not linger.
    kept = min(AVERAGING, (1 + step) / (10 + step))
    pairs = zip(state.averaged.state_dict().values(), state.network.state_dict().values(), strict=True)
    for averaged, current in pairs:
        if averaged.is_floating_point():
            averaged.lerp_(current, 1 - kept)
        else:
            averaged.copy_(current)


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
        pixels = _as_pictures(torch.from_numpy(X[start : start + 512])).to(device)
        with _half_precision(device):
            logits, _ = network(pixels.to(memory_format=torch.channels_last))
        parts.append(logits.softmax(1).cpu().numpy())
    return np.concatenate(parts)


def _as_pictures(rows: Tensor) -> Tensor:
    return rows.reshape(-1, 1, config.FACE_SIDE, config.FACE_SIDE).float()


def augmented(rows: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a variant of each face: turned, scaled, shifted, mirrored, in other light, partly covered.

    Turned by up to 15 degrees, scaled by up to 15 %, each direction by its own, shifted by up to 12 % of the side; half
    of them mirrored; a gamma from 0.6 to 1.6; on half of them a grey rectangle with sides of 10 to 50 % of the face's.

    Parameters
    ----------
    rows : Tensor of shape (n, 2304), uint8, 0-255
    generator : torch.Generator

    Returns
    -------
    Tensor of shape (n, 1, 48, 48), float32, 0-255
    """
    n = len(rows)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(n, *shape, generator=generator) * (high - low) + low

    angle = uniform(-np.pi / 12, np.pi / 12)
    scale = uniform(-0.15, 0.15, 2).exp()
    mirrored = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    shift = uniform(-0.24, 0.24, 2)  # of a picture that reaches from -1 to 1
    cosine, sine = angle.cos(), angle.sin()
    theta = torch.stack(
        [
            torch.stack([mirrored * scale[:, 0] * cosine, -scale[:, 1] * sine, shift[:, 0]], 1),
            torch.stack([mirrored * scale[:, 0] * sine, scale[:, 1] * cosine, shift[:, 1]], 1),
        ],
        1,
    )
    grid = functional.affine_grid(theta, [n, 1, config.FACE_SIDE, config.FACE_SIDE], align_corners=False)
    faces = functional.grid_sample(_as_pictures(rows), grid, padding_mode="border", align_corners=False)
    faces = 255 * (faces / 255).clamp(0, 1).pow(uniform(-0.5, 0.5).exp().reshape(n, 1, 1, 1))
    size = uniform(0.1, 0.5, 2)
    corner = uniform(0, 1, 2) * (1 - size)
    along = torch.arange(config.FACE_SIDE) / config.FACE_SIDE
    inside = (along >= corner[..., None]) & (along < (corner + size)[..., None])
    covered = inside[:, 0, :, None] & inside[:, 1, None, :] & (uniform(0, 1) < 0.5)[:, None, None]
    return torch.where(covered[:, None], uniform(0, 255).reshape(n, 1, 1, 1), faces)


def mixed(
    mixing: Mixing, draws: np.random.Generator, pixels: Tensor, targets: Tensor, votes: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mix each face of a batch with the one at the same place from the end, and what is to be said of them alike.

    Between the faces that it has, a network then learns to change its mind gradually, and it cannot learn single wrong
    labels by heart.

    Parameters
    ----------
    mixing : "none", "mixup" or "cutmix"; see `emotion.networks.Cycle`
    draws : numpy.random.Generator
    pixels : Tensor of shape (n, 1, 48, 48), float32, 0-255
    targets, votes : Tensors of shape (n, n_classes) and (n, 8), float32

    Returns
    -------
    Tensors of the same shapes: pixels, targets, votes
    """
    n, side = len(pixels), config.FACE_SIDE
    share = torch.ones(n, 1)
    own = torch.ones(n, 1, 1, 1)
    if mixing == "mixup":
        share = torch.from_numpy(draws.beta(MIXUP_ALPHA, MIXUP_ALPHA, (n, 1)).astype(np.float32))
        own = share.reshape(n, 1, 1, 1)
    elif mixing == "cutmix" and draws.random() < 0.5:
        # All areas up to the whole face alike, at any place that holds them.
        length = np.sqrt(draws.random((n, 1))) * side
        start = draws.random((n, 1, 2)) * (side - length[..., None])
        along = np.arange(side)[:, None]
        inside = (along >= start) & (along < start + length[..., None])
        own = torch.from_numpy(~(inside[:, :, None, 0] & inside[:, None, :, 1])[:, None]).float()
        share = own.mean((2, 3))
    own, share = own.to(pixels.device), share.to(pixels.device)
    return (
        own * pixels + (1 - own) * pixels.flip(0),
        share * targets + (1 - share) * targets.flip(0),
        share * votes + (1 - share) * votes.flip(0),
    )


def _write_checkpoint(path: Path, design: NetworkDesign, state: _State) -> None:
    content = {
        "design": repr(replace(design, cycles=())),
        "cycles": [astuple(cycle) for cycle in design.cycles],
        "epoch": state.epoch,
        "history": state.history,
        "network": state.network.state_dict(),
        "averaged": state.averaged.state_dict(),
        "optimizer": state.optimizer.state_dict(),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            torch.save(content, partial)
    except OSError as error:
        raise TrainingError(f"The checkpoint {path} cannot be written: {error.strerror or error}.") from error


def _read_checkpoint(path: Path, design: NetworkDesign, state: _State, device: torch.device) -> None:
    if not path.exists():
        return
    try:
        # Only tensors and plain values: a checkpoint from a stranger cannot run code.
        content = torch.load(path, map_location=device, weights_only=True)
        cycles = tuple(Cycle(*cycle) for cycle in content["cycles"])
        if content["design"] != repr(replace(design, cycles=())) or design.cycles[: len(cycles)] != cycles:
            raise TrainingError(f"{path} holds another design; remove it to train anew.")
        state.network.load_state_dict(content["network"])
        state.averaged.load_state_dict(content["averaged"])
        state.optimizer.load_state_dict(content["optimizer"])
        state.epoch, state.history = content["epoch"], content["history"]
    except TrainingError:
        raise
    except Exception as error:  # PyTorch's errors share no other base
        raise TrainingError(f"The checkpoint {path} cannot be read; remove it to train anew.") from error
