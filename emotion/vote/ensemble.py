"""The five models of a folder, asked together: an embedder, heads and a combiner.

Faces -> embeddings -> what each model says -> votes. Several sets of heads may stand on one embedder: the networks,
which take nearly all of the time, then run once.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from emotion import config
from emotion.faces.crop import FaceVectors
from emotion.vote.vectors import in_parts
from emotion.vote.voting import Calibration, Vote, count_votes, winners

Result = TypeVar("Result")

Features = Mapping[int, NDArray[np.float32]]
"""By the number of an experiment, a row for each face."""

PIXELS: Final = ""
"""In place of a network's digest: an experiment that takes the pixels as they are."""


class Embedder:
    """The networks of a set of models. May be shared between threads.

    Parameters
    ----------
    digests : mapping of int, the number of an experiment, to str, the SHA-256 of its network; `PIXELS` for none
    sessions : mapping of such a digest to the network's onnxruntime session
    """

    def __init__(self, digests: Mapping[int, str], sessions: Mapping[str, Any]) -> None:
        self.digests = dict(digests)
        self._sessions = dict(sessions)

    def embed(self, X: FaceVectors) -> Features:
        """Compute what the networks make of faces; each network runs once, however many experiments take it.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        mapping of int to ndarray of shape (n, d), float32: embeddings, or pixels where there is no network
        """
        pixels = X.astype(np.float32)
        made = {digest: session.run(None, {"X": pixels})[0] for digest, session in self._sessions.items()}
        return {number: made.get(digest, pixels) for number, digest in self.digests.items()}


class Heads:
    """Five models behind three projections: what a training fits. May be shared between threads.

    Parameters
    ----------
    projections : mapping of int, the number of an experiment, to the onnxruntime session of its scaler and PCA
    models : mapping of str, a model's name, to its session
    n_classes : int

    Attributes
    ----------
    is_personal : bool, whether these know one person's face
    """

    is_personal = False

    def __init__(self, projections: Mapping[int, Any], models: Mapping[str, Any], n_classes: int) -> None:
        self._projections = dict(projections)
        self._models = dict(models)
        self._n_classes = n_classes

    def components(self, embeddings: Features) -> Features:
        """Project embeddings onto the principal components of each experiment.

        Parameters
        ----------
        embeddings : as `Embedder.embed` gives them

        Returns
        -------
        mapping of int to ndarray of shape (n, n_components), float32
        """
        return {
            number: session.run(None, {"X": embeddings[number]})[0] for number, session in self._projections.items()
        }

    def probabilities(self, embeddings: Features) -> NDArray[np.float32]:
        """Ask each model; its ballot is the class it finds most probable.

        Parameters
        ----------
        embeddings : as `Embedder.embed` gives them

        Returns
        -------
        ndarray of shape (n, n_models, n_classes), float32, 0-1, models in the order of `config.MODEL_NAMES`
        """
        return self.of_components(self.components(embeddings))

    def of_components(self, components: Features) -> NDArray[np.float32]:
        """Ask each model.

        Parameters
        ----------
        components : as `components` gives them

        Returns
        -------
        ndarray of shape (n, n_models, n_classes), float32, 0-1, models in the order of `config.MODEL_NAMES`
        """
        n = len(next(iter(components.values())))
        probabilities = np.empty((n, len(config.MODEL_NAMES), self._n_classes), dtype=np.float32)
        for number, names in config.MODELS_OF_PIPELINE.items():
            for name in names:
                said = self._models[name].run(["probabilities"], {"X": components[number]})[0]
                probabilities[:, config.MODEL_NAMES.index(name)] = said
        return probabilities


@dataclass(frozen=True)
class Combiner:
    """Joins what the models say.

    Attributes
    ----------
    classes : tuple of str, in the order of all probabilities
    calibration : Calibration
        Turns the mean of the models' probabilities into one that can be believed.
    """

    classes: tuple[str, ...]
    calibration: Calibration

    def labels(self, probabilities: NDArray[np.floating]) -> NDArray[np.str_]:
        """Elect a label for each face by majority; see `emotion.vote.voting.winners` for ties.

        Parameters
        ----------
        probabilities : ndarray of shape (n, n_models, n_classes), 0-1

        Returns
        -------
        ndarray of shape (n,), str
        """
        codes = winners(probabilities.argmax(axis=2), self.calibrated(probabilities))
        return np.asarray(np.array(self.classes)[codes])

    def calibrated(self, probabilities: NDArray[np.floating]) -> NDArray[np.float32]:
        """Give the calibrated mean over the models.

        Parameters
        ----------
        probabilities : ndarray of shape (n, n_models, n_classes), 0-1

        Returns
        -------
        ndarray of shape (n, n_classes), float32, 0-1, rows sum to 1
        """
        return self.calibration.apply(probabilities.mean(axis=1))

    def votes(self, probabilities: NDArray[np.floating]) -> list[Vote]:
        """Join ballots and probabilities into one vote a face.

        Parameters
        ----------
        probabilities : ndarray of shape (n, n_models, n_classes), 0-1

        Returns
        -------
        list of n Vote
        """
        ballots = probabilities.argmax(axis=2)
        return count_votes(ballots, self.calibrated(probabilities), self.classes, self.calibration.uncertain_below)


class Ensemble:
    """Five models that vote; made by `emotion.vote.loading.load_models`. May be shared between threads.

    Attributes
    ----------
    embedder : Embedder, faces -> embeddings
    heads : Heads, embeddings -> what each model says
    combiner : Combiner, what each model says -> votes
    origin : (str, str)
        The folder they are from, and the checksum of its manifest, for `emotion.vote.loading.same_models`.
    trained : str, the day, as in ``2026-11-29``; empty where it is not known
    """

    def __init__(
        self, embedder: Embedder, heads: Heads, combiner: Combiner, origin: tuple[str, str], trained: str
    ) -> None:
        self.embedder = embedder
        self.heads = heads
        self.combiner = combiner
        self.origin = origin
        self.trained = trained

    @property
    def classes(self) -> tuple[str, ...]:
        """What the class codes stand for; the order of all probabilities."""
        return self.combiner.classes

    @property
    def model_names(self) -> tuple[str, ...]:
        """The order of all ballots."""
        return config.MODEL_NAMES

    @property
    def calibration(self) -> Calibration:
        """What turns the mean of the models' probabilities into one that can be believed."""
        return self.combiner.calibration

    @property
    def is_personal(self) -> bool:
        """Whether these know one person's face; see `personal`."""
        return self.heads.is_personal

    def predict(self, X: FaceVectors) -> NDArray[np.str_]:
        """Elect a label for each face by majority.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        ndarray of shape (n,), str; see `emotion.vote.voting.winners` for ties

        Raises
        ------
        ValueError
            If `X` has another shape or dtype.
        """
        return self.combiner.labels(self.model_probabilities(X))

    def predict_proba(self, X: FaceVectors) -> NDArray[np.float32]:
        """Give the calibrated mean of the five models' probabilities.

        Where the ballots are close, the class with the highest mean need not be the one that the majority elects.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        ndarray of shape (n, n_classes), float32, 0-1, rows sum to 1, columns as in `classes`

        Raises
        ------
        ValueError
            If `X` has another shape or dtype.
        """
        return self.combiner.calibrated(self.model_probabilities(X))

    def vote(self, X: FaceVectors) -> list[Vote]:
        """Give ballots, probabilities and the elected label of each face.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        list of n Vote

        Raises
        ------
        ValueError
            If `X` has another shape or dtype.
        """
        return self.combiner.votes(self.model_probabilities(X))

    def model_probabilities(self, X: FaceVectors) -> NDArray[np.float32]:
        """Give what each model says; its ballot is the class it finds most probable.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        ndarray of shape (n, n_models, n_classes), float32, 0-1, models in the order of `model_names`

        Raises
        ------
        ValueError
            If `X` has another shape or dtype.
        """
        parts = in_parts(X)
        said = [np.empty((0, len(self.model_names), len(self.classes)), dtype=np.float32)]
        return np.concatenate(
            [*said, *_in_threads(lambda part: self.heads.probabilities(self.embedder.embed(part)), parts)]
        )

    def embed(self, X: FaceVectors) -> Features:
        """Compute what the networks make of faces, on all cores.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255, n > 0

        Returns
        -------
        mapping, as `Embedder.embed` gives it

        Raises
        ------
        ValueError
            If `X` has another shape or dtype, or no rows.
        """
        made = _in_threads(self.embedder.embed, in_parts(X))
        if not made:
            raise ValueError("there are no faces")
        return {number: np.concatenate([part[number] for part in made]) for number in made[0]}

    def personal(self, X: FaceVectors, y: Sequence[str], *, weight: float = 2.0) -> "Ensemble":
        """Learn one person's face; see `emotion.vote.person.learning.personal`.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255, faces of the person
        y : sequence of n str, what each shows: at least two expressions, of `classes` or of the person's own
        weight : float, >= 0, how much that counts beside these models' own answers

        Returns
        -------
        Ensemble, whose `classes` are these, and the person's own labels behind them

        Raises
        ------
        ValueError
            If `X` has another shape or dtype, or there is not one label for each face.
        PersonalError
            If there are too few or too many examples or labels.
        """
        from emotion.vote.person.examples import examples_of
        from emotion.vote.person.learning import personal

        return personal(self, examples_of(self, X, y), weight)


def _in_threads(function: Callable[[FaceVectors], Result], parts: list[FaceVectors]) -> list[Result]:
    if len(parts) < 2:
        return [function(part) for part in parts]
    with ThreadPoolExecutor(min(len(parts), os.cpu_count() or 1)) as pool:
        return list(pool.map(function, parts))
