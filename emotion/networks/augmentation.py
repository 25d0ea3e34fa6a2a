"""Variants of faces for training: turned, scaled, shifted, mirrored, in other light, partly covered, mixed.

What is drawn is handed in as numbers from 0 to 1, so that a variant can be drawn again, on any device.
"""

from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from emotion import config

Mixing = Literal["none", "mixup", "cutmix"]

VARIANT_DRAWS: Final = 13
"""Numbers that one variant of a face takes."""

MIXING_DRAWS: Final = 3
"""Numbers that mixing one face with another takes."""


def as_pictures(rows: Tensor) -> Tensor:
    """Turn rows of pixels into pictures.

    Parameters
    ----------
    rows : Tensor of shape (n, 2304), uint8, 0-255

    Returns
    -------
    Tensor of shape (n, 1, 48, 48), float32, 0-255
    """
    return rows.reshape(-1, 1, config.FACE_SIDE, config.FACE_SIDE).float()


def augmented(rows: Tensor, draws: Tensor) -> Tensor:
    """Make a variant of each face: turned, scaled, shifted, mirrored, in other light, partly covered.

    Turned by up to 15 degrees, scaled by up to 15 %, each direction by its own, shifted by up to 12 % of the side; half
    of them mirrored; a gamma from 0.6 to 1.6; on half of them a grey rectangle with sides of 10 to 50 % of the face's.

    Parameters
    ----------
    rows : Tensor of shape (n, 2304), uint8, 0-255
    draws : Tensor of shape (n, 13), float32, uniform from 0 to 1, on the same device

    Returns
    -------
    Tensor of shape (n, 1, 48, 48), float32, 0-255
    """
    turn, scales, mirror, shifts, light, sizes, corners, cover, grey = draws.split([1, 2, 1, 2, 1, 2, 2, 1, 1], dim=1)
    angle = (turn[:, 0] - 0.5) * np.pi / 6
    scale = (0.3 * scales - 0.15).exp()
    mirrored = torch.where(mirror[:, 0] < 0.5, -1.0, 1.0)
    shift = 0.48 * shifts - 0.24  # of a picture that reaches from -1 to 1
    cosine, sine = angle.cos(), angle.sin()
    theta = torch.stack(
        [
            torch.stack([mirrored * scale[:, 0] * cosine, -scale[:, 1] * sine, shift[:, 0]], 1),
            torch.stack([mirrored * scale[:, 0] * sine, scale[:, 1] * cosine, shift[:, 1]], 1),
        ],
        1,
    )
    side = config.FACE_SIDE
    grid = functional.affine_grid(theta, [len(rows), 1, side, side], align_corners=False)
    faces = functional.grid_sample(as_pictures(rows), grid, padding_mode="border", align_corners=False)
    faces = 255 * (faces / 255).clamp(0, 1).pow((light - 0.5).exp()[..., None, None])
    size = 0.1 + 0.4 * sizes
    covered = _rectangles(corners * (1 - size), size) & (cover < 0.5)[..., None, None]
    return torch.where(covered, 255 * grey[..., None, None], faces)


def mixed(
    mixing: Mixing, draws: Tensor, pixels: Tensor, targets: Tensor, votes: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mix each face of a batch with the one at the same place from the end, and what is to be said of them alike.

    Between the faces that it has, a network then learns to change its mind gradually, and it cannot learn single wrong
    labels by heart.

    Parameters
    ----------
    mixing : "none", "mixup" or "cutmix"
        Nothing is mixed; or a weighted mean is taken (Zhang et al., 2017), of all weights alike; or a rectangle of the
        other face is pasted in (Yun et al., 2019), of all areas up to the whole face alike, at any place that holds it.
    draws : Tensor of shape (n, 3), float32, uniform from 0 to 1, on the same device
    pixels : Tensor of shape (n, 1, 48, 48), float32, 0-255
    targets, votes : Tensors of shape (n, n_classes) and (n, 8), float32

    Returns
    -------
    Tensors of the same shapes: pixels, targets, votes
    """
    if mixing == "none":
        return pixels, targets, votes
    if mixing == "mixup":
        own = draws[:, :1, None, None]
    else:
        length = draws[:, :1].sqrt()
        own = (~_rectangles(draws[:, 1:] * (1 - length), length.expand(-1, 2))).float()
    share = own.mean((2, 3))
    return (
        own * pixels + (1 - own) * pixels.flip(0),
        share * targets + (1 - share) * targets.flip(0),
        share * votes + (1 - share) * votes.flip(0),
    )


def _rectangles(corners: Tensor, sizes: Tensor) -> Tensor:
    """Corners and sizes (n, 2), as shares of a face's side -> which pixels they hold, (n, 1, 48, 48) bool."""
    along = (torch.arange(config.FACE_SIDE, device=corners.device) + 0.5) / config.FACE_SIDE
    inside = (along >= corners[..., None]) & (along < (corners + sizes)[..., None])
    return (inside[:, 0, :, None] & inside[:, 1, None, :])[:, None]
