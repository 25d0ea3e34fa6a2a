"""The embedding networks, as PyTorch modules: a face of 48x48 pixels -> a vector that tells expressions apart.

Three designs that differ on purpose, so that the votes behind them rest on three views of a face. All halve the face in
their first layer, which puts most of the work at 24x24 pixels and below.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from emotion import config
from emotion.networks.designs import NetworkDesign

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
    """What ships of a network: pixels of a row -> the embedding of the face.

    A second view, of the mirror image, doubles the time; behind networks that learnt from mirrored faces it changed
    nothing on faces from elsewhere.

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
        return self.network.embed(rows.reshape(-1, 1, config.FACE_SIDE, config.FACE_SIDE))


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


def best_device() -> torch.device:
    """Choose where to compute.

    Returns
    -------
    torch.device: the graphics card if PyTorch can use one, else the processor
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 where the hardware does; emulated, it takes more than twice the time of single precision.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    torch.autocast, a context
    """
    if device.type == "cuda":
        supported = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # PyTorch's own test of its library says yes to any processor with AVX-512.
        supported = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=supported)
