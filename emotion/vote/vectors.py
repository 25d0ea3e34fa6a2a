"""Face vectors as programs hand them over: checked, and taken apart for the cores."""

from typing import Any, Final

import numpy as np

from emotion import config
from emotion.faces.crop import FaceVectors

_PART_ROWS: Final = 16
"""Faces that one processor takes at a time: few enough to keep its caches warm, and to share out a hundred."""


def in_parts(X: FaceVectors) -> list[FaceVectors]:
    """Check face vectors, and take them apart.

    Parameters
    ----------
    X : ndarray of shape (n, 2304), uint8, 0-255, or a list of such rows

    Returns
    -------
    list of ndarray of shape (up to 16, 2304), uint8

    Raises
    ------
    ValueError
        If `X` has another shape or dtype; the text says what to do about it.
    """
    if isinstance(X, (list, tuple)) and all(isinstance(row, np.ndarray) and row.shape == X[0].shape for row in X):
        X = np.asarray(X)
    _check_vectors(X)
    return [X[start : start + _PART_ROWS] for start in range(0, len(X), _PART_ROWS)]


def _check_vectors(X: Any) -> None:
    """Refuse what are no face vectors, and say what to do about it."""
    asked = f"Face vectors are an array of uint8 of shape (n, {config.N_PIXELS})"
    if not isinstance(X, np.ndarray):
        hint = "emotion.Recognizer(models).recognize(picture) finds the faces of a picture."
        if hasattr(X, "to_numpy"):
            hint = 'take its pixel columns with .to_numpy("uint8").'
        raise ValueError(f"{asked}, not {'None' if X is None else type(X).__name__}: {hint}")
    if X.dtype != np.uint8:
        raise ValueError(f"{asked}, and these are {X.dtype}: pixels are whole numbers from 0 to 255, of type uint8.")
    if X.ndim == 2 and X.shape[1] == config.N_PIXELS:
        return
    side = config.FACE_SIDE
    hint = "emotion.Recognizer(models).recognize(picture) finds the faces of a picture."
    if X.shape == (config.N_PIXELS,):
        hint = "a single face is X[None]."
    elif X.shape[-2:] == (side, side):
        hint = f"pictures of {side}x{side} are X.reshape(-1, {config.N_PIXELS})."
    raise ValueError(f"{asked}, and this has the shape {X.shape}: {hint}")
