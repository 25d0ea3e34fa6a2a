"""Examples of one person's face: made of face vectors, written to a file of their owner's, and read from one."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion import config
from emotion.errors import PersonalError
from emotion.labels import label_of
from emotion.vote.ensemble import Ensemble, Features

LEAST_EXAMPLES: Final = 2
MOST_EXAMPLES: Final = 5_000
MOST_LABELS: Final = 50
MOST_FILE_BYTES: Final = 10_000_000
FILE_FORMAT: Final = 1

_MOST_COMPONENT: Final = 1e6


@dataclass(frozen=True)
class Examples:
    """What the networks make of some faces of one person, and what these show; no pictures.

    Attributes
    ----------
    components : mapping of int, the number of an experiment, to ndarray of shape (n, n_components), float32
    labels : tuple of n str
    fits : str, the checksum of the models whose components these are
    """

    components: Features
    labels: tuple[str, ...]
    fits: str

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def digest(self) -> str:
        """Tells these examples from all others."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def rows(self, kept: NDArray[np.bool_] | Sequence[bool]) -> "Examples":
        """Take some of them.

        Parameters
        ----------
        kept : ndarray of shape (n,), bool

        Returns
        -------
        Examples
        """
        chosen = np.asarray(kept, dtype=bool)
        labels = tuple(label for label, keep in zip(self.labels, chosen, strict=True) if keep)
        return Examples({number: values[chosen] for number, values in self.components.items()}, labels, self.fits)

    def to_json(self) -> str:
        """Write them for a file of their owner's: biometric data, without any picture.

        Returns
        -------
        str, JSON, as `read_examples` takes it
        """
        packed = {
            str(number): base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()
            for number, values in sorted(self.components.items())
        }
        whole = {"format": FILE_FORMAT, "fits": self.fits, "labels": list(self.labels), "experiments": packed}
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def examples_of(models: Ensemble, X: NDArray[np.uint8], y: Sequence[str], more: Examples | None = None) -> Examples:
    """Look at faces of one person.

    Parameters
    ----------
    models : Ensemble
    X : ndarray of shape (n, 2304), uint8, 0-255
    y : sequence of n str, what each shows: of the models' classes, or labels of the person's own
    more : Examples, optional, of the same person and that fit the same models: they come first

    Returns
    -------
    Examples

    Raises
    ------
    ValueError
        If `X` is no face vectors, or there is not one label for each.
    PersonalError
        If there are too few or too many, or a label is empty.
    """
    labels = tuple(label_of(str(label)) for label in y)
    embedded = models.embed(X)
    if len(labels) != len(X):
        raise ValueError(f"each face has one label, and there are {len(labels)} for {len(X)} faces")
    check_labels((*more.labels, *labels) if more else labels)
    components = models.heads.components(embedded)
    if more is None:
        return Examples(components, labels, models.origin[1])
    joined = {number: np.concatenate([more.components[number], values]) for number, values in components.items()}
    return Examples(joined, (*more.labels, *labels), models.origin[1])


def check_labels(labels: Sequence[str]) -> None:
    """Make sure that examples with such labels can be learnt from.

    Parameters
    ----------
    labels : sequence of str, one for each example

    Raises
    ------
    PersonalError
        If there are too few or too many, or one is empty.
    """
    different = len(set(labels))
    if "" in labels:
        raise PersonalError("An example has no label: say what each face shows.")
    if different < LEAST_EXAMPLES:
        raise PersonalError("Two expressions at least are needed, with one face of each: add another one.")
    if len(labels) > MOST_EXAMPLES or different > MOST_LABELS:
        raise PersonalError(
            f"{len(labels):,} faces of {different} expressions are too many: take at most {MOST_EXAMPLES:,} of "
            f"{MOST_LABELS}."
        )


def read_examples(content: bytes, models: Ensemble) -> Examples:
    """Read what `Examples.to_json` wrote; whatever else somebody has put into such a file is refused.

    Parameters
    ----------
    content : bytes
    models : Ensemble, which it is to fit

    Returns
    -------
    Examples

    Raises
    ------
    PersonalError
        If it is too large, is no such file, is damaged, or fits other models.
    """
    if len(content) > MOST_FILE_BYTES:
        raise PersonalError(f"The file is larger than {MOST_FILE_BYTES // 1_000_000} MB, and no file of a face is.")
    try:
        whole = json.loads(content.decode("utf-8-sig"))
        fits, labels, experiments = whole["fits"], whole["labels"], whole["experiments"]
        is_ours = whole["format"] == FILE_FORMAT and isinstance(fits, str) and isinstance(labels, list)
        if not is_ours or not all(isinstance(label, str) and label == label_of(label) for label in labels):
            raise ValueError("no such file")
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise PersonalError("This is no file of a face, as Save writes it: choose another file.") from error
    if fits != models.origin[1]:
        raise PersonalError("This file fits other models: choose those that it was made with, or make it anew.")
    check_labels(labels)
    like = models.heads.components(models.embed(np.zeros((1, config.N_PIXELS), dtype=np.uint8)))
    try:
        components = {
            number: _unpacked(experiments[str(number)], (len(labels), values.shape[1]))
            for number, values in like.items()
        }
    except (ValueError, LookupError, TypeError, binascii.Error, OverflowError) as error:
        raise PersonalError("The file of a face is damaged: make it anew.") from error
    return Examples(components, tuple(labels), fits)


def _unpacked(packed: str, shape: tuple[int, int]) -> NDArray[np.float32]:
    values = np.frombuffer(base64.b64decode(packed, validate=True), dtype="<f4").reshape(shape).astype(np.float32)
    if not np.isfinite(values).all() or (np.abs(values) > _MOST_COMPONENT).any():
        raise ValueError("no components")
    return values
