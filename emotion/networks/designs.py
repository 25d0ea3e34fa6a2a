"""What the embedding networks are made of and how long they are trained: the three that ship, and their teachers."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from emotion.networks.augmentation import Mixing

Family = Literal["residual", "plain"]


@dataclass(frozen=True)
class Cycle:
    """Epochs in which the learning rate rises once and falls to nought (Loshchilov and Hutter, 2016).

    Attributes
    ----------
    epochs : int
    mixing : "none", "mixup" or "cutmix"
        How faces are mixed in half of the batches, as `emotion.networks.augmentation.mixed` does it.
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


_LAST: Final = (Cycle(10, "none", 0.02), Cycle(6, "none", 0.04))
"""A finish with small steps; then each learns what people said of a face, and what the three together say of it."""

DESIGNS: Final = (
    NetworkDesign("network_1", "residual", (48, 96, 192, 384), (2, 2, 2, 1), False, (Cycle(239, "cutmix"), *_LAST)),
    NetworkDesign("network_2", "plain", (64, 128, 256, 384), (2, 2, 2, 2), False, (Cycle(381, "mixup"), *_LAST)),
    NetworkDesign("network_3", "residual", (32, 64, 128, 256), (2, 2, 3, 2), True, (Cycle(193, "cutmix"), *_LAST)),
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
