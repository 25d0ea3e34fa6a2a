"""The embedding networks, as PyTorch modules: a face of 48x48 pixels -> a vector that tells expressions apart.

Three designs that differ on purpose, so that the votes behind them rest on three views of a face. All halve the face in
their first layer, which puts most of the work at 24x24 pixels and below.
"""

import contextlib
import io
import logging
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from emotion import config
from emotion.augmentation import Mixing
from emotion.embedding import EMBEDDING, convolutions, read_network
from emotion.errors import TrainingError
from emotion.faces import FaceVectors
from emotion.files import replacing
from emotion.quantization import quantized

Family = Literal["residual", "plain"]


@dataclass(frozen=True)
class Cycle:
    """Epochs in which the learning rate rises once and falls to nought (Loshchilov and Hutter, 2016).

    Attributes
    ----------
    epochs : int
    mixing : "none", "mixup" or "cutmix"
        How faces are mixed in half of the batches, as `emotion.augmentation.mixed` does it.
    peak_rate : float, the largest learning rate
    """

    epochs: int
    mixing: Mixing
    peak_rate: float = 0.15


@dataclass(frozen=True)
class NetworkDesign:
    """What one network is made of and how it is trained.

    Attributes
    ----------
    name : str, of its checkpoint and its file
    family : "residual" (He et al., 2015, with the averaging shortcut of He et al., 2018) or "plain" (Simonyan and
        Zisserman, 2014, with batch normalisation)
    widths : tuple of int, channels of each stage; each stage after the first halves the sides
    depths : tuple of int, blocks of each stage: two convolutions in a residual block, one in a plain one
    attention : bool
        Whether channels are weighted by what the whole face shows (squeeze and excitation, Hu et al., 2017), and
        places by a learnt attention where the last stage is summed up, instead of equally.
    cycles : tuple of Cycle
        A network whose checkpoint is complete is gone on with when another cycle is added here.
    first_stride : 1 or 2, of the first convolution: 2 saves three quarters of the work of all stages
    """

    name: str
    family: Family
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    attention: bool
    cycles: tuple[Cycle, ...]
    first_stride: int = 2

    @property
    def epochs(self) -> int:
        """Epochs of all cycles together."""
        return sum(cycle.epochs for cycle in self.cycles)

    def at(self, epoch: int) -> tuple[Cycle, int]:
        """Find the cycle of an epoch.

        Parameters
        ----------
        epoch : int, from 0 up to but not including `epochs`

        Returns
        -------
        cycle : Cycle
        epoch : int, counted from the cycle's start
        """
        for cycle in self.cycles[:-1]:
            if epoch < cycle.epochs:
                return cycle, epoch
            epoch -= cycle.epochs
        return self.cycles[-1], epoch


_FINISH: Final = Cycle(10, "none", 0.02)

DESIGNS: Final = (
    NetworkDesign("network_1", "residual", (48, 96, 192, 384), (2, 2, 2, 1), False, (Cycle(239, "cutmix"), _FINISH)),
    NetworkDesign("network_2", "plain", (64, 128, 256, 384), (2, 2, 2, 2), False, (Cycle(381, "mixup"), _FINISH)),
    NetworkDesign("network_3", "residual", (32, 64, 128, 256), (2, 2, 3, 2), True, (Cycle(193, "cutmix"), _FINISH)),
)
"""One for each experiment, in its order."""

TEACHERS: Final = (
    NetworkDesign("teacher_1", "residual", (64, 128, 256, 512), (2, 2, 2, 2), False, (Cycle(71, "cutmix"),), 1),
    NetworkDesign("teacher_2", "residual", (64, 128, 256, 384), (2, 2, 3, 2), True, (Cycle(62, "cutmix"),), 1),
    NetworkDesign("teacher_3", "plain", (64, 128, 256, 512), (2, 3, 4, 4), False, (Cycle(96, "cutmix", 0.1),), 1),
    NetworkDesign("teacher_4", "residual", (128, 256, 512, 512), (2, 2, 2, 1), True, (Cycle(84, "mixup"),)),
)
"""Large ones, which never ship: the others learn from what they together say of a face."""


def _tiny(designs: tuple[NetworkDesign, ...]) -> tuple[NetworkDesign, ...]:
    return tuple(
        replace(
            design,
            widths=tuple(width // 4 for width in design.widths[:2]),
            depths=(1, 1),
            cycles=tuple(replace(cycle, epochs=1) for cycle in design.cycles),
        )
        for design in designs
    )


FAST_DESIGNS: Final = _tiny(DESIGNS)
"""To try the way, as `FAST_TEACHERS` are."""

FAST_TEACHERS: Final = _tiny(TEACHERS)

RIM: Final = 2
"""Pixels on each side of a face that its nearer view leaves out; chosen on validation faces."""

N_VOTED: Final = 8
"""Classes of the second head: those that FER+ has votes for."""


class FaceNetwork(nn.Module):  # type: ignore[misc]  # PyTorch may be missing where types are checked
    """A convolutional network with an embedding and two heads, for the label and for the votes of several people.

    Parameters
    ----------
    design : NetworkDesign
    n_classes : int, of the first head
    """

    def __init__(self, design: NetworkDesign, n_classes: int) -> None:
        super().__init__()
        width = design.widths[0]
        layers: list[nn.Module] = [
            _normalised(nn.Conv2d(1, width, 5, design.first_stride, 2, bias=False)),
            nn.ReLU(inplace=True),
        ]
        for stage, (wider, depth) in enumerate(zip(design.widths, design.depths, strict=True)):
            for block in range(depth):
                halving = stage > 0 and block == 0
                if design.family == "residual":
                    layers.append(_ResidualBlock(width, wider, halving, design.attention))
                else:
                    layers.append(_plain_block(width, wider, halving))
                width = wider
        self.trunk = nn.Sequential(*layers)
        self.attention = nn.Conv2d(width, 1, 1) if design.attention else None
        self.dropout = nn.Dropout(0.2)
        self.label_head = nn.Linear(width, n_classes)
        self.vote_head = nn.Linear(width, N_VOTED)
        self.n_features = width

    def embed(self, pixels: Tensor) -> Tensor:
        """Compute embeddings.

        Parameters
        ----------
        pixels : Tensor of shape (n, 1, 48, 48), float32, 0-255; each face is standardised here

        Returns
        -------
        Tensor of shape (n, n_features), float32, >= 0
        """
        places = self.trunk(standardised(pixels)).float()
        if self.attention is None:
            return places.mean((2, 3))
        weights = self.attention(places).float().flatten(2).softmax(2)
        return (places.flatten(2) * weights).sum(2)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the logits of both heads.

        Parameters
        ----------
        pixels : as in `embed`

        Returns
        -------
        Tensors of shape (n, n_classes) and (n, 8), float32
        """
        embedding = self.dropout(self.embed(pixels))
        return self.label_head(embedding).float(), self.vote_head(embedding).float()


def standardised(pixels: Tensor) -> Tensor:
    """Give each face mean 0 and deviation 1: light and contrast of the camera say nothing about the expression.

    Parameters
    ----------
    pixels : Tensor of shape (n, 1, 48, 48), float32

    Returns
    -------
    Tensor of the same shape; noughts for a face of one grey
    """
    centred = pixels - pixels.mean((2, 3), keepdim=True)
    # A deviation below one level of grey is nothing but noise.
    return centred / (centred.square().mean((2, 3), keepdim=True).sqrt() + 1.0)


def _normalised(convolution: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))


def _plain_block(width: int, wider: int, halving: bool) -> nn.Sequential:
    pool = [nn.MaxPool2d(2)] if halving else []
    return nn.Sequential(*pool, _normalised(nn.Conv2d(width, wider, 3, 1, 1, bias=False)), nn.ReLU(inplace=True))


class _ResidualBlock(nn.Module):  # type: ignore[misc]  # PyTorch may be missing where types are checked
    def __init__(self, width: int, wider: int, halving: bool, squeeze: bool) -> None:
        super().__init__()
        stride = 2 if halving else 1
        self.first = _normalised(nn.Conv2d(width, wider, 3, stride, 1, bias=False))
        self.second = _normalised(nn.Conv2d(wider, wider, 3, 1, 1, bias=False))
        self.squeeze = _Squeeze(wider) if squeeze else nn.Identity()
        shortcut: list[nn.Module] = [nn.AvgPool2d(2)] if halving else []
        if width != wider:
            shortcut.append(_normalised(nn.Conv2d(width, wider, 1, bias=False)))
        self.shortcut = nn.Sequential(*shortcut)
        # Blocks begin as their shortcuts: a deep network then starts to learn at once (Goyal et al., 2017).
        nn.init.zeros_(self.second[1].weight)

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu(self.first(x), inplace=True)
        return functional.relu(self.squeeze(self.second(inner)) + self.shortcut(x), inplace=True)


class _Squeeze(nn.Module):  # type: ignore[misc]  # PyTorch may be missing where types are checked
    def __init__(self, width: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(width, width // 8, 1)
        self.widen = nn.Conv2d(width // 8, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        whole = x.mean((2, 3), keepdim=True)
        return x * self.widen(functional.relu(self.narrow(whole))).sigmoid()


class EmbeddingGraph(nn.Module):  # type: ignore[misc]  # PyTorch may be missing where types are checked
    """What ships of a network: pixels of a row -> the mean embedding of the face and its mirror image, seen nearer.

    The mirror image of the face without its rim, spread to the whole side, is another view than the plain mirror image
    and costs the same.

    Parameters
    ----------
    network : FaceNetwork
    """

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: Tensor) -> Tensor:
        """Compute embeddings.

        Parameters
        ----------
        rows : Tensor of shape (n, 2304), float32, 0-255

        Returns
        -------
        Tensor of shape (n, n_features), float32
        """
        faces = rows.reshape(-1, 1, config.FACE_SIDE, config.FACE_SIDE)
        nearer = functional.interpolate(faces[:, :, RIM:-RIM, RIM:-RIM].flip(3), faces.shape[2:], mode="bilinear")
        # One batch of both: each weight is fetched once for two pictures.
        both = self.network.embed(torch.cat([faces, nearer]))
        return both.reshape(2, -1, self.network.n_features).mean(0)


def export_network(network: FaceNetwork, path: Path, faces: FaceVectors) -> None:
    """Write a network as an ONNX graph in eight-bit integers.

    Parameters
    ----------
    network : FaceNetwork, on the processor
    path : Path
    faces : ndarray of shape (n, 2304), uint8, 0-255, of its training; see `emotion.quantization.quantized`

    Raises
    ------
    TrainingError
        If the file cannot be written.
    """
    rows = torch.zeros(2, config.N_PIXELS)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of libraries that are not needed
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of the exporter's own use of PyTorch
        program = torch.onnx.export(
            EmbeddingGraph(network).eval(),
            (rows,),
            dynamo=True,
            input_names=["X"],
            output_names=[EMBEDDING],
            dynamic_shapes={"rows": {0: torch.export.Dim("n")}},
            opset_version=18,
        )
    if program is None:
        raise TrainingError("PyTorch could not export the network.")
    model = quantized(program.model_proto, faces)
    try:
        with replacing(path) as partial:
            partial.write_bytes(model.SerializeToString())
    except OSError as error:
        raise TrainingError(f"The network {path} cannot be written: {error.strerror or error}.") from error


@torch.no_grad()  # type: ignore[untyped-decorator]
def restore_network(network: FaceNetwork, path: Path | str, faces: FaceVectors) -> None:
    """Give a network the embedding of an exported one, to be trained further. Its heads, which are not in the file,
    stay as they are.

    An exported network has its normalisations folded into its convolutions. Here they are separated again: filters get
    the length that new ones have, and each normalisation the scale and shift that undo what faces do to the mean and
    deviation behind the filters.

    Parameters
    ----------
    network : FaceNetwork, on the processor
    path : path of a network or of a pipeline that begins with one, as `emotion.embedding.read_network` takes it
    faces : ndarray of shape (n, 2304), uint8, 0-255, of its training, some hundreds or more

    Raises
    ------
    ModelsError
        If the file is missing, damaged, or holds no network.
    TrainingError
        If the file holds a network of another design.
    """
    exported = convolutions(read_network(path))
    modules = dict(network.named_modules(prefix="network"))
    shapes = {name: tuple(m.weight.shape) for name, m in modules.items() if isinstance(m, nn.Conv2d)}
    if shapes != {name: weight.shape for name, (weight, _) in exported.items()}:
        raise TrainingError(f"{path} holds a network of another design; train anew, without one to start from.")
    hooks = []
    for name, (weight, bias) in exported.items():
        convolution, weights, shifts = modules[name], torch.from_numpy(weight), torch.from_numpy(bias)
        if convolution.bias is not None:
            convolution.weight.copy_(weights)
            convolution.bias.copy_(shifts)
            continue
        lengths = weights.flatten(1).norm(dim=1).clamp_min(1e-6) / _NEW_LENGTH
        convolution.weight.copy_(weights / lengths[:, None, None, None])
        normalisation = modules[name.removesuffix("0") + "1"]
        hooks.append(normalisation.register_forward_pre_hook(_set_normalisation(lengths, shifts)))
    network.eval()
    network.embed(torch.from_numpy(faces).reshape(-1, 1, config.FACE_SIDE, config.FACE_SIDE).float())
    for hook in hooks:
        hook.remove()


_NEW_LENGTH: Final = 3**-0.5
"""Of a filter as PyTorch draws it: each of its n weights has the variance 1/(3n)."""


def _set_normalisation(lengths: Tensor, shifts: Tensor) -> Any:
    def set_to_what_comes(normalisation: nn.BatchNorm2d, arguments: tuple[Tensor]) -> None:
        variance, mean = torch.var_mean(arguments[0], (0, 2, 3))
        normalisation.running_mean.copy_(mean)
        normalisation.running_var.copy_(variance)
        normalisation.weight.copy_(lengths * (variance + normalisation.eps).sqrt())
        normalisation.bias.copy_(shifts + lengths * mean)

    return set_to_what_comes


def parameter_count(network: FaceNetwork) -> int:
    """Count what training can change.

    Parameters
    ----------
    network : FaceNetwork

    Returns
    -------
    int
    """
    return sum(parameter.numel() for parameter in network.parameters())


def to_device(network: FaceNetwork, device: torch.device) -> FaceNetwork:
    """Put a network onto a device, its weights in the order that convolutions there are fastest with.

    Parameters
    ----------
    network : FaceNetwork
    device : torch.device

    Returns
    -------
    FaceNetwork, the same
    """
    placed: FaceNetwork = network.to(device, memory_format=torch.channels_last)
    return placed
