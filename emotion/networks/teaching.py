"""Lessons that large networks give to those that ship (Hinton et al., 2015, https://arxiv.org/abs/1503.02531).

What several large networks together say of a face is nearer to the truth than one person's label, and says of each
other label how far it is. A small network that learns this for long, from many variants of each face, comes nearer to
the large ones than it would by the labels (Beyer et al., 2021, https://arxiv.org/abs/2106.05237).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from emotion.networks.augmentation import VARIANT_DRAWS, augmented
from emotion.networks.modules import FaceNetwork, best_device, half_precision, to_device
from emotion.networks.network_data import Lessons, NetworkData

N_LESSONS: Final = 33

OWN_SHARE: Final = 0.4
"""Of what a network that is gone on with learns, the share that is people's own opinion; the rest is what it and those
beside it say together. By people's alone, it learns single faces by heart."""

_BATCH_ROWS: Final = 512


def lesson_draws(lesson: int, n: int) -> Tensor:
    """Draw the variants that a lesson is about, the same at each call.

    Parameters
    ----------
    lesson : int
    n : int, number of faces

    Returns
    -------
    Tensor of shape (n, 13), float32, on the processor, as `emotion.networks.augmentation.augmented` takes it
    """
    return torch.rand(n, VARIANT_DRAWS, generator=torch.Generator().manual_seed(lesson))


@torch.no_grad()  # type: ignore[untyped-decorator]
def lessons_by(
    teachers: Sequence[FaceNetwork],
    data: NetworkData,
    n_lessons: int = N_LESSONS,
    *,
    own_share: float = 0.0,
    progress: bool = True,
) -> Lessons:
    """Let teachers say what they see in variants of the training faces.

    Parameters
    ----------
    teachers : sequence of FaceNetwork
    data : NetworkData
    n_lessons : int
    own_share : float, 0-1
        Of a lesson, how much is the data's own label and votes.
    progress : bool
        Whether to draw a progress bar.

    Returns
    -------
    Lessons, the means of the teachers' probabilities, with the data's own
    """
    device = best_device()
    for teacher in teachers:
        to_device(teacher, device).eval()
    n = len(data.X)
    rows = torch.from_numpy(data.X).to(device)
    voted = torch.from_numpy(data.votes.any(axis=1)).to(device)
    targets = np.empty((n_lessons, *data.targets.shape), dtype=np.float16)
    votes = np.empty((n_lessons, *data.votes.shape), dtype=np.float16)
    for lesson in tqdm(range(n_lessons), desc="lessons", disable=None if progress else True):
        draws = lesson_draws(lesson, n).to(device)
        for start in range(0, n, _BATCH_ROWS):
            part = slice(start, start + _BATCH_ROWS)
            pixels = augmented(rows[part], draws[part]).to(memory_format=torch.channels_last)
            with half_precision(device):
                logits = [teacher(pixels) for teacher in teachers]
            said = torch.stack([label.softmax(1) for label, _ in logits]).mean(0).cpu().numpy()
            # The head for votes has learnt nothing where nobody voted.
            votes_said = (
                (torch.stack([vote.softmax(1) for _, vote in logits]).mean(0) * voted[part, None]).cpu().numpy()
            )
            targets[lesson, part] = own_share * data.targets[part] + (1 - own_share) * said
            votes[lesson, part] = own_share * data.votes[part] + (1 - own_share) * votes_said
    return Lessons(data.digest, targets, votes)
