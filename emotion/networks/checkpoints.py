"""Checkpoints that the training of a network goes on from."""

import io
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path

import torch

from emotion.data.seen import SEEN_FILE, Codes, add_seen
from emotion.errors import TrainingError
from emotion.networks.designs import Cycle, NetworkDesign
from emotion.networks.modules import FaceNetwork, best_device
from emotion.runtime.files import replacing


@dataclass
class TrainingState:
    """All that the training of a network goes on from.

    Attributes
    ----------
    network : FaceNetwork, as the last step left it
    averaged : FaceNetwork, the moving average of its weights
    optimizer : Optimizer
    taught : bool, whether it learns what teachers say, and not labels and votes
    epoch : int, how many are done
    history : list of dict, one an epoch, as `emotion.networks.network_training.train_network` gives it
    """

    network: FaceNetwork
    averaged: FaceNetwork
    optimizer: torch.optim.Optimizer
    taught: bool
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def note_seen(checkpoint: Path, learnt: Codes) -> None:
    """Note what a network is about to learn from, in the folder of its checkpoint.

    Parameters
    ----------
    checkpoint : Path
    learnt : ndarray of shape (n, 16), uint8, as `emotion.data.seen.face_codes` gives it

    Raises
    ------
    TrainingError
        If it cannot be written.
    ModelsError
        If what was noted before is damaged.
    """
    try:
        add_seen(checkpoint.parent, learnt)
    except OSError as error:
        raise TrainingError(f"{checkpoint.parent / SEEN_FILE} cannot be written: {error.strerror or error}.") from error


def write_checkpoint(path: Path, design: NetworkDesign, digest: str, state: TrainingState) -> None:
    """Write a checkpoint, whole or not at all; the folder is made where it is missing.

    Parameters
    ----------
    path : Path
    design : NetworkDesign
    digest : str, of what is learnt from, as `emotion.networks.network_data.NetworkData.digest` gives it
    state : TrainingState

    Raises
    ------
    TrainingError
        If it cannot be written.
    """
    content = {
        "data": digest,
        "design": repr(replace(design, cycles=())),
        "cycles": [astuple(cycle) for cycle in design.cycles],
        "taught": state.taught,
        "epoch": state.epoch,
        "history": state.history,
        "network": state.network.state_dict(),
        "averaged": state.averaged.state_dict(),
        "optimizer": state.optimizer.state_dict(),
    }
    held = io.BytesIO()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # By way of the memory: PyTorch itself does not say what is wrong with a file.
        torch.save(content, held)
        with replacing(path) as partial:
            partial.write_bytes(held.getbuffer())
    except OSError as error:
        raise TrainingError(f"The checkpoint {path} cannot be written: {error.strerror or error}.") from error


def read_checkpoint(path: Path, design: NetworkDesign, digest: str, state: TrainingState) -> None:
    """Bring a state to where a checkpoint was left; where there is none, the state stays.

    Parameters
    ----------
    path : Path
    design : NetworkDesign
    digest : str, as in `write_checkpoint`
    state : TrainingState, changed in place

    Raises
    ------
    TrainingError
        If the checkpoint is of another design, of other faces, labels or votes, of teachers where these are not to be
        listened to (or the other way round), or cannot be read.
    """
    if not path.exists():
        return
    try:
        # Only tensors and plain values: a checkpoint from a stranger cannot run code.
        content = torch.load(path, map_location=best_device(), weights_only=True)
        cycles = tuple(Cycle(*cycle) for cycle in content["cycles"])
        if content["design"] != repr(replace(design, cycles=())) or design.cycles[: len(cycles)] != cycles:
            raise TrainingError(f"{path} holds another design; remove it to train anew.")
        if content["data"] != digest:
            raise TrainingError(
                f"{path} was trained on other faces, labels or votes; give those, or remove it to train anew."
            )
        if content["taught"] != state.taught:
            raise TrainingError(
                f"{path} was trained {'without' if state.taught else 'by'} teachers; remove it to train anew."
            )
        state.network.load_state_dict(content["network"])
        state.averaged.load_state_dict(content["averaged"])
        state.optimizer.load_state_dict(content["optimizer"])
        state.epoch, state.history = content["epoch"], content["history"]
    except TrainingError:
        raise
    except Exception as error:  # PyTorch's errors share no other base
        raise TrainingError(f"The checkpoint {path} cannot be read; remove it to train anew.") from error
