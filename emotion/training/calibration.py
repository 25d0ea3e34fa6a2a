"""How sure a vote may be: fitted on faces that no model learnt from, and measured on others."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from emotion.data.splitting import LEAST_VALIDATION
from emotion.vote.voting import Calibration, log_probabilities, softmax, winners

_RIDGE: Final = 1e-3
"""Of the squares of what is fitted, beside a mean log loss: holds a class that hardly occurs near where it was."""
_LEAST_SHARE: Final = 1e-3
"""Of a class among the validation faces: one that is seldomer counts no more than one of this share."""
_SAMPLES: Final = 200
"""Of the validation faces, drawn with repetition: how far the bound moves among them is its interval."""
_INTERVAL: Final = (5, 95)
"""Per cent."""


@dataclass(frozen=True)
class Calibrated:
    """A calibration, and what it rests on.

    Attributes
    ----------
    calibration : Calibration
    interval : (float, float) or None
        Where 90 % of the bounds lie under which votes are uncertain, over samples of the faces (Efron, 1979); None
        where nothing was fitted.
    faces : int, of which it is known what they show
    """

    calibration: Calibration
    interval: tuple[float, float] | None
    faces: int

    def summary(self) -> dict[str, Any]:
        """What goes into the manifest."""
        return {
            "exponents": list(self.calibration.exponents),
            "shifts": list(self.calibration.shifts),
            "uncertain_below": self.calibration.uncertain_below,
            "interval": None if self.interval is None else list(self.interval),
            "faces": self.faces,
        }


def calibrate(probabilities: NDArray[np.floating], truth: NDArray[np.floating], seed: int = 0) -> Calibrated:
    """Fit a calibration to faces that nothing else was fitted to.

    Powers and factors of the classes make the log loss least, a proper score of all probabilities (Gneiting and
    Raftery, 2007), each class counting alike: what is seldom in a data set need not be so in front of a camera. The
    bound of what is uncertain lies where a logistic curve through the calibrated probabilities of
    the votes' labels says that half of them are right.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_models, n_classes), 0-1, what each model says
    truth : ndarray of shape (n, n_classes), 0-1
        What share of people saw each class in each face, or 1 for its label; faces whose row is all noughts are not
        counted.
    seed : int, of the samples

    Returns
    -------
    Calibrated; with fewer than `LEAST_VALIDATION` faces, of `Calibration.none`
    """
    counted = truth.sum(axis=1) > 0
    probabilities, truth = probabilities[counted], truth[counted]
    n_classes = truth.shape[1]
    if len(truth) < LEAST_VALIDATION:
        return Calibrated(Calibration.none(n_classes), None, len(truth))
    mean = probabilities.mean(axis=1)

    logs = log_probabilities(mean)
    weighed = truth / np.maximum(truth.mean(axis=0), _LEAST_SHARE)
    weighed /= weighed.sum(axis=1).mean()

    def loss(fitted: NDArray[np.float64]) -> float:
        said = softmax(logs * np.exp(fitted[:n_classes]) + fitted[n_classes:])
        return float(-(weighed * np.log(np.maximum(said, 1e-12))).sum(axis=1).mean() + _RIDGE * np.square(fitted).sum())

    bounds = [(-2.0, 2.0)] * n_classes + [(-5.0, 5.0)] * n_classes
    fitted = minimize(loss, np.zeros(2 * n_classes), bounds=bounds).x.round(4)
    exponents, shifts = (tuple(part.tolist()) for part in (np.exp(fitted[:n_classes]).round(4), fitted[n_classes:]))
    claimed, right = of_label(probabilities, Calibration(exponents, shifts, 0.0).apply(mean), truth)
    random = np.random.default_rng(seed)
    samples = (random.integers(0, len(truth), len(truth)) for _ in range(_SAMPLES))
    low, high = np.percentile([_bound(claimed[rows], right[rows]) for rows in samples], _INTERVAL)
    interval = (round(float(low), 4), round(float(high), 4))
    return Calibrated(Calibration(exponents, shifts, round(_bound(claimed, right), 4)), interval, len(truth))


def of_label(
    probabilities: NDArray[np.floating], calibrated: NDArray[np.floating], truth: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say of each face's vote what it claims for its label, and how far that is right.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_models, n_classes), 0-1, what each model says
    calibrated : ndarray of shape (n, n_classes), 0-1, what the vote claims
    truth : ndarray of shape (n, n_classes), 0-1, as in `calibrate`

    Returns
    -------
    claimed, right : ndarrays of shape (n,), 0-1
    """
    rows = np.arange(len(truth))
    labels = winners(probabilities.argmax(axis=2), calibrated)
    return np.asarray(calibrated[rows, labels], dtype=np.float64), np.asarray(truth[rows, labels], dtype=np.float64)


def _bound(claimed: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Where half is right of what claims so much, by logistic regression; 0 or 1 where all, or less than half, are."""
    x = logit(np.clip(claimed, 1e-4, 1 - 1e-4))[:, None]
    weights = np.concatenate([right, 1 - right])
    if not right.any() or right.all():
        return 0.0 if right.all() else 1.0
    curve = LogisticRegression(C=1e3).fit(np.concatenate([x, x]), np.repeat([1, 0], len(x)), sample_weight=weights)
    slope, start = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    if slope <= 0:  # the claims tell nothing
        return 0.0 if right.mean() >= 0.5 else 1.0
    return float(expit(-start / slope))


@dataclass(frozen=True)
class Reliability:
    """How often votes are right that claim a probability.

    Attributes
    ----------
    claimed, right : float, 0-1, means over all votes
    confidence, precision : ndarray of shape (n_bins,), float, 0-1
        Of the votes of each bin of equal width, the mean probability of the label, and the share that is right.
    faces : ndarray of shape (n_bins,), int; bins without a vote are left out
    expected_error : float, 0-1
        Mean distance of the two over all votes: the expected calibration error (Naeini et al., 2015).
    class_error : float, 0-1
        The same of the probabilities of each class, whether it is the label or not, as a mean over the classes (Kull et
        al., 2019).
    uncertain : float, 0-1, share of votes that are called uncertain
    uncertain_precision, certain_precision : float, 0-1, share of these, and of the others, that is right
    """

    claimed: float
    right: float
    confidence: NDArray[np.float64]
    precision: NDArray[np.float64]
    faces: NDArray[np.int_]
    expected_error: float
    class_error: float
    uncertain: float
    uncertain_precision: float
    certain_precision: float

    def summary(self) -> dict[str, Any]:
        """What goes into the manifest, rounded to six digits."""
        single = [name for name, kind in Reliability.__annotations__.items() if kind is float]
        bins = as_stored(self.confidence, self.precision, self.faces)
        return {name: round(getattr(self, name), 6) for name in single} | {"bins": bins}


def as_stored(
    confidence: NDArray[np.floating], precision: NDArray[np.floating], faces: NDArray[np.integer]
) -> dict[str, list[float]]:
    """What goes into the manifest of what `binned` gives, rounded to six digits."""
    return {
        "confidence": confidence.round(6).tolist(),
        "precision": precision.round(6).tolist(),
        "faces": faces.tolist(),
    }


def reliability(
    probabilities: NDArray[np.floating], truth: NDArray[np.floating], calibration: Calibration, bins: int = 15
) -> Reliability:
    """Compare what votes claim with how often they are right.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_models, n_classes), 0-1, what each model says
    truth : ndarray of shape (n, n_classes), 0-1, as in `calibrate`; at least one row that is not all noughts
    calibration : Calibration
    bins : int, of equal width

    Returns
    -------
    Reliability
    """
    counted = truth.sum(axis=1) > 0
    probabilities, truth = probabilities[counted], truth[counted]
    calibrated = calibration.apply(probabilities.mean(axis=1))
    claimed, right = of_label(probabilities, calibrated, truth)
    uncertain = claimed < calibration.uncertain_below
    confidence, precision, faces = binned(claimed, right, bins)
    by_class = [binned(calibrated[:, code], truth[:, code], bins) for code in range(truth.shape[1])]
    return Reliability(
        claimed=float(claimed.mean()),
        right=float(right.mean()),
        confidence=confidence,
        precision=precision,
        faces=faces,
        expected_error=_error(confidence, precision, faces),
        class_error=float(np.mean([_error(*parts) for parts in by_class])),
        uncertain=float(uncertain.mean()),
        uncertain_precision=float(right[uncertain].mean()) if uncertain.any() else 0.0,
        certain_precision=float(right[~uncertain].mean()) if not uncertain.all() else 0.0,
    )


def binned(
    claimed: NDArray[np.floating], right: NDArray[np.floating], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int_]]:
    """Gather claims in bins of equal width.

    Parameters
    ----------
    claimed, right : ndarrays of shape (n,), 0-1
    bins : int

    Returns
    -------
    confidence, precision, faces : ndarrays of shape (n_bins,): the means of both in each bin that is not empty, and how
    many there are in it
    """
    place = np.minimum((claimed * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    means = [np.bincount(place, of, minlength=bins)[filled] / count[filled] for of in (claimed, right)]
    return means[0], means[1], count[filled]


def _error(confidence: NDArray[np.float64], precision: NDArray[np.float64], faces: NDArray[np.int_]) -> float:
    return float((np.abs(confidence - precision) * faces).sum() / faces.sum())
