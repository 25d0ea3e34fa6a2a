"""Which parts of a face a vote rests on: cover one after the other, and see how far the label loses."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from emotion import config
from emotion.faces.crop import FaceVector, FaceVectors

PATCH_SIDE: Final = 12
"""Pixels: about an eye with its brow, or half of a mouth."""

STEP: Final = 4
"""Pixels from one patch to the next."""


class GivesProbabilities(Protocol):
    """What a map needs of `emotion.Ensemble`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The order of the probabilities."""
        ...

    def predict_proba(self, X: FaceVectors) -> NDArray[np.float32]:
        """Give the probabilities of each face's classes."""
        ...


def occlusion_map(models: GivesProbabilities, vector: FaceVector, label: str) -> NDArray[np.float32]:
    """Measure how much of a label's probability each part of a face carries (Zeiler and Fergus, 2014).

    A grey patch, of the mean brightness of the face, is laid on each place of a grid. What a pixel carries is the mean
    loss of probability over the patches that cover it.

    Parameters
    ----------
    models : GivesProbabilities, such as `emotion.Ensemble`
    vector : ndarray of shape (2304,), uint8, 0-255
    label : str, one of the classes

    Returns
    -------
    ndarray of shape (48, 48), float32, -1 to 1; negative where the face would look more like the label if covered

    Raises
    ------
    ValueError
        If the label is none of the classes, or the vector has another shape or dtype.
    """
    if label not in models.classes:
        raise ValueError(f"{label} is none of the classes {', '.join(models.classes)}")
    code = models.classes.index(label)
    side = config.FACE_SIDE
    if vector.shape != (config.N_PIXELS,):
        raise ValueError(f"a face vector has shape ({config.N_PIXELS},), got {vector.shape}")
    # The grid reaches past the border by half a patch: pixels at the edge are covered as often as those inside.
    starts = range(-PATCH_SIDE // 2, side - PATCH_SIDE // 2 + 1, STEP)
    corners = [(max(0, y), max(0, x), y + PATCH_SIDE, x + PATCH_SIDE) for y in starts for x in starts]
    covered = np.repeat(vector.reshape(1, side, side), len(corners) + 1, axis=0)
    grey = np.uint8(round(float(vector.mean())))
    for variant, (top, left, bottom, right) in zip(covered, corners, strict=False):
        variant[top:bottom, left:right] = grey
    # The last one has no patch: it is what the others are compared with.
    probability = models.predict_proba(covered.reshape(-1, config.N_PIXELS))[:, code]
    lost, times = np.zeros((side, side)), np.zeros((side, side))
    for loss, (top, left, bottom, right) in zip(probability[-1] - probability[:-1], corners, strict=True):
        lost[top:bottom, left:right] += loss
        times[top:bottom, left:right] += 1
    return np.asarray(lost / times, dtype=np.float32)
