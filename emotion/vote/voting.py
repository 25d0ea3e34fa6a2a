"""Several predictions for one face -> one vote. Pure functions over arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LOW_PROBABILITY: Final = "low probability"
"""Why a vote is uncertain whose label is less probable than votes that are mostly right."""

_LEAST_PROBABILITY: Final = 1e-6
"""Of which a logarithm is taken: what a model says of a class that it rules out is no measure of how much it does."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured about the probabilities of a vote, on faces that nothing was fitted to.

    The mean probability of each class is raised to a power of its own and multiplied by a factor of its own, and all
    are made to sum to 1 again: vector scaling (Guo et al., 2017) of log-probabilities in place of logits. A power under
    1 takes back what the models are too sure of; the factors give back to each class the share that resampling took.

    Attributes
    ----------
    exponents : tuple of float, 0-100, not 0, for each class
    shifts : tuple of float, -100 to 100, for each class: logarithms of the factors
    uncertain_below : float, 0-1
        Votes whose label is less probable than this are called uncertain.
    measured : bool
        Whether there were faces enough to measure anything. Else no vote is uncertain for its probability: how far that
        can be believed is not known.
    """

    exponents: tuple[float, ...]
    shifts: tuple[float, ...]
    uncertain_below: float
    measured: bool = True

    def __post_init__(self) -> None:
        fits = len(self.exponents) == len(self.shifts) > 1 and 0 <= self.uncertain_below <= 1
        if not (fits and all(0 < e <= 100 for e in self.exponents) and all(abs(s) <= 100 for s in self.shifts)):
            raise ValueError(f"no calibration: {self}")

    @classmethod
    def none(cls, n_classes: int) -> "Calibration":
        """Give the one that leaves probabilities as they are: nothing was measured."""
        return cls((1.0,) * n_classes, (0.0,) * n_classes, 0.0, measured=False)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Calibration":
        """Take a calibration out of a manifest.

        Parameters
        ----------
        stored : mapping with the keys ``exponents``, ``shifts`` and ``uncertain_below``; ``interval`` is None where
            nothing was measured

        Returns
        -------
        Calibration

        Raises
        ------
        KeyError, TypeError, ValueError, OverflowError
            If it is none.
        """
        exponents, shifts = (tuple(map(float, stored[name])) for name in ("exponents", "shifts"))
        measured = stored.get("interval", ()) is not None
        return cls(exponents, shifts, float(stored["uncertain_below"]) if measured else 0.0, measured)

    def apply(self, probabilities: NDArray[np.floating]) -> NDArray[np.float32]:
        """Turn mean probabilities into calibrated ones.

        Parameters
        ----------
        probabilities : ndarray of shape (n, n_classes), 0-1, rows sum to 1

        Returns
        -------
        ndarray of shape (n, n_classes), float32, 0-1, rows sum to 1
        """
        return np.asarray(softmax(log_probabilities(probabilities) * self.exponents + self.shifts), dtype=np.float32)


def log_probabilities(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Take logarithms that stay finite.

    Parameters
    ----------
    probabilities : ndarray, 0-1

    Returns
    -------
    ndarray of the same shape, float64
    """
    return np.asarray(np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _LEAST_PROBABILITY)))


def softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Turn scores into probabilities.

    Parameters
    ----------
    scores : ndarray of shape (n, n_classes)

    Returns
    -------
    ndarray of shape (n, n_classes), float64, 0-1, rows sum to 1
    """
    raised = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Vote:
    """What the models say of one face, together.

    Attributes
    ----------
    label : str
        The class with the most ballots; see `winners` for ties.
    ballots : tuple of str
        One class a model, in the order of the models.
    probabilities : mapping of str to float, 0-1
        For each class, in the order of the class list, the calibrated mean over the models: what share of people would
        see it, where the models learnt votes. How well that holds was measured; it stands in the manifest, under
        `reliability`.
    tie : bool
        Whether another class has as many ballots.
    uncertain : bool
        Whether the probability of the label is below the one under which votes were measured to be unreliable, or the
        face is not fit to be judged.
    why : str
        Why the vote is uncertain: `LOW_PROBABILITY`, or what makes the face unfit (`emotion.faces.fitness`). Empty
        where it is not uncertain.
    """

    label: str
    ballots: tuple[str, ...]
    probabilities: Mapping[str, float]
    tie: bool
    uncertain: bool
    why: str = ""

    @property
    def agreement(self) -> int:
        """How many ballots are for the label."""
        return self.ballots.count(self.label)

    @property
    def unfit(self) -> str:
        """What makes the face unfit to be judged; empty where nothing does."""
        return "" if self.why == LOW_PROBABILITY else self.why

    def on_unfit(self, reason: str) -> "Vote":
        """Give the vote as one on a face that is not fit to be judged.

        Parameters
        ----------
        reason : str, as in `emotion.faces.fitness.Fitness.reason`; empty where the face is fit

        Returns
        -------
        Vote
        """
        return replace(self, uncertain=True, why=reason) if reason else self


def ballot_counts(ballots: NDArray[np.integer], n_classes: int) -> NDArray[np.intp]:
    """Count the ballots of each class.

    Parameters
    ----------
    ballots : ndarray of shape (n, n_models), integer class codes, 0 to n_classes - 1
    n_classes : int

    Returns
    -------
    ndarray of shape (n, n_classes), each row sums to n_models
    """
    return np.asarray((ballots[:, :, None] == np.arange(n_classes)).sum(axis=1))


def winners(ballots: NDArray[np.integer], probabilities: NDArray[np.floating]) -> NDArray[np.intp]:
    """Elect a class a row by majority.

    A tie goes to the tied class with the highest mean probability; should these be equal too, to the one that the
    earliest model votes for. The order of the class list decides nothing.

    Parameters
    ----------
    ballots : ndarray of shape (n, n_models), integer class codes
    probabilities : ndarray of shape (n, n_classes), 0-1, the mean over the models

    Returns
    -------
    ndarray of shape (n,), class codes

    Raises
    ------
    ValueError
        If the shapes do not fit together, or a ballot names no class.
    """
    n_rows, n_classes = probabilities.shape
    if ballots.ndim != 2 or len(ballots) != n_rows or ballots.shape[1] == 0:
        raise ValueError(f"ballots of shape {ballots.shape} do not fit probabilities of shape {probabilities.shape}")
    if ballots.size and not (ballots.min() >= 0 and ballots.max() < n_classes):
        raise ValueError(f"ballots must be class codes from 0 to {n_classes - 1}")
    counts = ballot_counts(ballots, n_classes)
    leading = counts == counts.max(axis=1, keepdims=True)
    leading_probability = np.where(leading, probabilities, -1.0)
    elected = leading & (leading_probability == leading_probability.max(axis=1, keepdims=True))
    first_model = np.take_along_axis(elected, ballots, axis=1).argmax(axis=1)
    return np.asarray(ballots[np.arange(n_rows), first_model], dtype=np.intp)


def count_votes(
    ballots: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    classes: Sequence[str],
    uncertain_below: float,
) -> list[Vote]:
    """Join the ballots and probabilities of several models into one vote a face.

    Parameters
    ----------
    ballots : ndarray of shape (n, n_models), integer class codes
    probabilities : ndarray of shape (n, n_classes), 0-1, calibrated
    classes : sequence of str, the names that the codes index
    uncertain_below : float, 0-1, as in `Calibration`

    Returns
    -------
    list of n Vote

    Raises
    ------
    ValueError
        If the shapes do not fit together, or a ballot names no class.
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != len(classes):
        raise ValueError(f"probabilities of shape {probabilities.shape} do not fit {len(classes)} classes")
    labels = winners(ballots, probabilities)
    counts = ballot_counts(ballots, len(classes))
    most = counts.max(axis=1)
    tied = (counts == most[:, None]).sum(axis=1) > 1
    uncertain = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0] < uncertain_below
    return [
        Vote(
            label=classes[labels[row]],
            ballots=tuple(classes[code] for code in ballots[row]),
            probabilities=dict(zip(classes, map(float, probabilities[row]), strict=True)),
            tie=bool(tied[row]),
            uncertain=bool(uncertain[row]),
            why=LOW_PROBABILITY if uncertain[row] else "",
        )
        for row in range(len(labels))
    ]


class VoteSmoother:
    """Joins the votes on one face over time: what was said lately still counts, the less the longer ago it was.

    What each model chooses and how probable each class is are smoothed exponentially, with a time constant instead of a
    fixed share, so that the outcome does not depend on how often a vote is taken: after that time, an older vote's
    weight has fallen to 37 %. A model's ballot is the class that it chose most over time, and the majority is that of
    these ballots: label and agreement cannot contradict each other. As long as a face is judged alike, the smoothed
    vote is the vote.

    Parameters
    ----------
    uncertain_below : float, 0-1, as in `Calibration`
    """

    def __init__(self, uncertain_below: float) -> None:
        self._uncertain_below = uncertain_below
        self._chosen: NDArray[np.float64] | None = None
        self._probabilities = np.zeros(0)
        self._at = 0.0

    def as_stored(self) -> dict[str, Any]:
        """Give what it knows, for `read`.

        Returns
        -------
        dict, of which JSON keeps every digit
        """
        chosen = [] if self._chosen is None else self._chosen.tolist()
        return {"chosen": chosen, "probabilities": self._probabilities.tolist(), "at": self._at}

    @classmethod
    def read(cls, stored: Mapping[str, Any], uncertain_below: float) -> "VoteSmoother":
        """Go on with what `as_stored` gave.

        Parameters
        ----------
        stored : mapping
        uncertain_below : float, 0-1, as in `Calibration`

        Returns
        -------
        VoteSmoother

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is anything else.
        """
        smoother = cls(uncertain_below)
        if stored["chosen"]:
            smoother._chosen = np.array(stored["chosen"], dtype=np.float64)
        smoother._probabilities = np.array(stored["probabilities"], dtype=np.float64)
        smoother._at = float(stored["at"])
        return smoother

    def add(self, vote: Vote, at: float, time_constant: float) -> Vote:
        """Count one more vote.

        Parameters
        ----------
        vote : Vote
        at : float, seconds, not before that of the vote before
        time_constant : float, seconds, >= 0; with 0, only the newest vote counts

        Returns
        -------
        Vote, of smoothed ballots and probabilities; see `winners` for ties. It is uncertain where these are not sure,
        or where the newest vote is on a face that is not fit to be judged.
        """
        classes = list(vote.probabilities)
        chosen = np.array([[ballot == label for label in classes] for ballot in vote.ballots], dtype=np.float64)
        probabilities = np.array(list(vote.probabilities.values()))
        if self._chosen is not None and time_constant > 0:
            kept = np.exp(-(at - self._at) / time_constant)
            chosen = kept * self._chosen + (1 - kept) * chosen
            probabilities = kept * self._probabilities + (1 - kept) * probabilities
        self._chosen, self._probabilities, self._at = chosen, probabilities, at
        # Of two classes that a model chose as much, the more probable one.
        ballots = np.where(chosen > chosen.max(axis=1, keepdims=True) - 1e-6, probabilities, -1.0).argmax(axis=1)
        smoothed = count_votes(ballots[None], probabilities[None], classes, self._uncertain_below)[0]
        return smoothed.on_unfit(vote.unfit)
