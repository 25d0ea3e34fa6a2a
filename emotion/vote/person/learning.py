"""Five models that know one person: what the networks make of that person's faces, joined with what the models say.

One person's angry face is another's resting face. A few faces of the person, each with what it shows, are fitted by a
small softmax regression for each of the three pipelines, on the components that its models see; its probabilities are
multiplied with each model's, both raised to a power. The regression is shrunk (ridge): of few faces its probabilities
are flat, and the models' decide more; of many they are sharp. `benchmarks/personal.py` measures it on people that
nothing was fitted to; the constants were chosen there.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion import config
from emotion.errors import PersonalError
from emotion.vote.ensemble import Combiner, Ensemble, Features, Heads
from emotion.vote.person.examples import Examples, check_labels
from emotion.vote.voting import Calibration, log_probabilities, softmax

WEIGHT: Final = 2.0
"""The power of what was learnt from the person."""
SHIPPED_WEIGHT: Final = 0.3
"""The power of what the models say without that."""
UNCERTAIN_BELOW: Final = 0.5

_RIDGE: Final = 1.0
_STEPS: Final = 50
_LEAST_SPREAD: Final = 1e-6
_SETTLED: Final = 1e-8
_NEAR: Final = 0.7
"""Of the distance between faces of different labels: as near to an example as this, and a face is as likely one of the
person's own labels as not."""
_NEAR_POWER: Final = 4


def personal(models: Ensemble, examples: Examples, weight: float = WEIGHT) -> Ensemble:
    """Join models with what one person's faces show.

    Parameters
    ----------
    models : Ensemble, that knows nobody
    examples : Examples, that fit them
    weight : float, >= 0, the power of what was learnt from the person; 0 leaves the models' own answers

    Returns
    -------
    Ensemble, with the labels of the person's own behind the models' classes

    Raises
    ------
    PersonalError
        If the examples fit other models, or there are too few or too many of them.
    ValueError
        If the weight is negative or no number.
    """
    if not weight >= 0 or not np.isfinite(weight):
        raise ValueError(f"a weight is 0 or more, not {weight}")
    if examples.fits != models.origin[1]:
        raise PersonalError("These examples fit other models: choose those that they were made with.")
    check_labels(examples.labels)
    own = tuple(sorted(set(examples.labels) - set(models.classes)))
    classes = (*models.classes, *own)
    heads = PersonalHeads(models.heads, examples, classes, len(models.classes), weight)
    n = len(classes)
    combiner = Combiner(classes, Calibration((1.0,) * n, (0.0,) * n, UNCERTAIN_BELOW))
    origin = (models.origin[0], f"{models.origin[1]} {examples.digest} {weight}")
    return Ensemble(models.embedder, heads, combiner, origin, models.trained)


class PersonalHeads(Heads):
    """Five models, each joined with what was learnt from one person. May be shared between threads.

    Parameters
    ----------
    heads : Heads, that know nobody
    examples : Examples
    classes : tuple of str, those of the models first
    n_shipped : int, how many those are
    weight : float, >= 0
    """

    is_personal = True

    def __init__(
        self, heads: Heads, examples: Examples, classes: tuple[str, ...], n_shipped: int, weight: float
    ) -> None:
        self._heads = heads
        self._n_shipped = n_shipped
        self._n_classes = len(classes)
        self._weight = weight
        self.examples = examples
        codes = np.array([classes.index(label) for label in examples.labels])
        self._known = {number: _Known.of(values, codes) for number, values in examples.components.items()}

    def components(self, embeddings: Features) -> Features:
        """Project embeddings, as `Heads.components` does."""
        return self._heads.components(embeddings)

    def of_components(self, components: Features) -> NDArray[np.float32]:
        """Ask each model, joined with what was learnt; see `Heads.of_components`."""
        said = self._heads.of_components(components)
        joined = np.zeros((*said.shape[:2], self._n_classes), dtype=np.float32)
        for number, names in config.MODELS_OF_PIPELINE.items():
            learnt = self._known[number].probabilities(components[number])
            for name in names:
                model = config.MODEL_NAMES.index(name)
                joined[:, model] = self._joined(said[:, model], *learnt)
        return joined

    def _joined(
        self, said: NDArray[np.float32], codes: NDArray[np.intp], learnt: NDArray[np.float64], near: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Join a model's probabilities with those that were learnt, over the labels that were taught."""
        whole = np.zeros((len(said), self._n_classes))
        whole[:, : self._n_shipped] = said
        if not self._weight:
            return whole
        is_shipped = codes < self._n_shipped
        taught, own = codes[is_shipped], codes[~is_shipped]
        logs = self._weight * log_probabilities(learnt)
        if len(taught):
            # What the models give to these labels together stays; how it is shared out is what was learnt. Expressions
            # without an example keep the models' answer.
            together = whole[:, taught].sum(axis=1, keepdims=True)
            whole[:, taught] = together * softmax(
                logs[:, is_shipped] + SHIPPED_WEIGHT * log_probabilities(said[:, taught])
            )
        if len(own):
            # Of labels that the models do not have, nearness to an example says whether it is one of them at all.
            share = (learnt[:, ~is_shipped].sum(axis=1) * near)[:, None]
            whole *= 1 - share
            whole[:, own] = share * softmax(logs[:, ~is_shipped])
        return whole


@dataclass(frozen=True)
class _Known:
    """What was learnt from one pipeline's components of the examples."""

    middle: NDArray[np.float64]
    spread: NDArray[np.float64]
    codes: NDArray[np.intp]
    coefficients: NDArray[np.float64]
    examples: NDArray[np.float64]
    apart: float

    @classmethod
    def of(cls, components: NDArray[np.float32], codes: NDArray[np.intp]) -> "_Known":
        values = components.astype(np.float64)
        middle, spread = values.mean(axis=0), values.std(axis=0) + _LEAST_SPREAD
        scaled = (values - middle) / spread
        known = np.unique(codes)
        coefficients = softmax_regression(scaled, np.searchsorted(known, codes))
        others = codes[:, None] != codes[None]
        apart = max(float(np.median(_distances(scaled, scaled)[others])), _LEAST_SPREAD)
        return cls(middle, spread, known, coefficients, scaled, apart)

    def probabilities(
        self, components: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        """Give the codes of the labels that were taught, their probabilities, and how near faces are to examples."""
        scaled = (components - self.middle) / self.spread
        learnt = softmax(scaled @ self.coefficients[:-1] + self.coefficients[-1])
        distance = _distances(scaled, self.examples).min(axis=1, initial=np.inf)
        return self.codes, learnt, 1 / (1 + (distance / (_NEAR * self.apart)) ** _NEAR_POWER)


def _distances(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None] - 2 * some @ others.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)))


def softmax_regression(X: NDArray[np.float64], codes: NDArray[np.intp], ridge: float = _RIDGE) -> NDArray[np.float64]:
    """Fit a multinomial logistic regression by Newton's method (Boehning, 1992): the least of the negative
    log-likelihood and half of `ridge` times the squares of all coefficients but the intercepts.

    Parameters
    ----------
    X : ndarray of shape (n, d), float64
    codes : ndarray of shape (n,), int, 0 to k - 1, each at least once
    ridge : float, > 0

    Returns
    -------
    ndarray of shape (d + 1, k), float64, the intercepts last; they sum to 0
    """
    n, k = len(X), int(codes.max()) + 1
    whole = np.hstack([X, np.ones((n, 1))])
    wanted = np.eye(k)[codes]
    # Intercepts are shrunk next to nothing: all may move together without any change.
    shrunk = np.repeat([*[ridge] * X.shape[1], 1e-6], k).reshape(-1, k)
    coefficients = np.zeros((whole.shape[1], k))
    loss = _loss(coefficients, whole, wanted, shrunk)
    for _ in range(_STEPS):
        p = softmax(whole @ coefficients)
        gradient = whole.T @ (p - wanted) + shrunk * coefficients
        hessian = _curvature(whole, p)
        hessian[np.diag_indices(gradient.size)] += shrunk.ravel()
        step = np.linalg.solve(hessian, gradient.ravel()).reshape(gradient.shape)
        size = 1.0
        while size > _SETTLED and _loss(coefficients - size * step, whole, wanted, shrunk) > loss:
            size /= 2
        coefficients, before = coefficients - size * step, loss
        loss = _loss(coefficients, whole, wanted, shrunk)
        if before - loss <= _SETTLED * max(1.0, abs(before)):
            break
    coefficients[-1] -= coefficients[-1].mean()
    return coefficients


def _curvature(whole: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the second derivatives of the likelihood, coefficients in the order of a ravelled (d + 1, k) array."""
    k = p.shape[1]
    blocks = np.empty((whole.shape[1], k, whole.shape[1], k))
    for one in range(k):
        for other in range(one, k):
            weights = p[:, one] * ((one == other) - p[:, other])
            blocks[:, one, :, other] = blocks[:, other, :, one] = (whole * weights[:, None]).T @ whole
    return blocks.reshape(whole.shape[1] * k, -1)


def _loss(
    coefficients: NDArray[np.float64],
    whole: NDArray[np.float64],
    wanted: NDArray[np.float64],
    shrunk: NDArray[np.float64],
) -> float:
    return float(
        -(wanted * log_probabilities(softmax(whole @ coefficients))).sum() + (shrunk * coefficients**2).sum() / 2
    )
