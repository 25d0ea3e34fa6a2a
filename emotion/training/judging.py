"""How good models are, on faces that nothing was fitted to: a test part, or, of small sets, cross-validation."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from emotion import config
from emotion.data.annotators import Votes
from emotion.data.dataset import Faces
from emotion.data.embedding import embeddings
from emotion.data.seen import copy_groups
from emotion.data.splitting import SMALL, Split
from emotion.errors import TrainingError
from emotion.training.calibration import Reliability, reliability
from emotion.training.evaluation import (
    FEW,
    INDEPENDENT,
    VOTE,
    Score,
    as_shares,
    dummy_labels,
    labels_of,
    score,
    split_scores,
    worth_of_copies,
)
from emotion.training.fitting import answers, fit_experiments
from emotion.training.recipes import EXPERIMENTS, FULL, Experiment, Size
from emotion.vote.ensemble import Combiner, Ensemble
from emotion.vote.voting import Calibration

FOLDS: Final = 10
REPEATS: Final = 2
"""Of the cross-validation of small sets. Of ten folds, nine tenths are learnt from: what is measured is hardly less
than what models of all faces reach. A second round, dealt anew, takes out a part of the chance of the first."""


@dataclass(frozen=True)
class CrossValidation:
    """What models said of faces that they had not learnt from, each face as often as there are repeats.

    Attributes
    ----------
    rows : ndarray of shape (n,), int, of the training faces: those that were judged
    said : ndarray of shape (repeats, n, n_models, n_classes), 0-1, in the order of `config.MODEL_NAMES`
    references : dict of name to ndarray of shape (repeats, n), str: the labels of what does not vote
    independent : float, 0-1, as in `emotion.training.evaluation.interval`
    why : str, a sentence: why nothing was judged; empty where something was
    """

    rows: NDArray[np.intp]
    said: NDArray[np.floating]
    references: dict[str, NDArray[np.str_]]
    independent: float = INDEPENDENT
    why: str = ""


def cross_validate(
    train: Faces,
    known: NDArray[np.bool_],
    size: Size = FULL,
    seed: int = config.SEED,
    *,
    experiments: Sequence[Experiment] = EXPERIMENTS,
    networks: Path | str = config.MODELS,
    embedded: Mapping[int, NDArray[np.float32]] | None = None,
    progress: bool = True,
) -> CrossValidation:
    """Judge the recipes on a small set: each face by models that were fitted to others.

    The faces are dealt into folds, near-copies of one another into the same, as many of each class into each. Those
    that the networks know are learnt from in every fold, but for copies of what is judged, and are never judged.

    Parameters
    ----------
    train : Faces
    known : ndarray of shape (n,), bool, faces that the networks had learnt from
    size, seed, experiments, networks, embedded : as in `fit_experiments`
    progress : bool
        Whether to draw a progress bar.

    Returns
    -------
    CrossValidation; of no faces, with the reason, where there are too few

    Raises
    ------
    ModelsError
        If a network is missing or damaged.
    """
    classes = np.array(train.classes)
    nothing = CrossValidation(np.zeros(0, np.intp), np.zeros((REPEATS, 0, len(config.MODEL_NAMES), len(classes))), {})
    if int((~known).sum()) < FOLDS:
        why = f"There are {len(train):,} different faces; {FOLDS} are needed."
        if known.any():
            why = f"The networks know {known.sum():,} of the {len(train):,} faces; {FOLDS} others are needed."
        return replace(nothing, why=why)
    if len(train) >= SMALL:  # too many to compare each with each, and of too few that could be set aside
        return replace(nothing, why=f"The networks know {known.sum():,} of the {len(train):,} faces: too few are left.")
    group = copy_groups(train.X)
    # A shifted copy of what the networks learnt is not known by its code, but is by them.
    judged = np.flatnonzero(~np.isin(group, group[known]))
    if len(judged) < FOLDS:
        return replace(nothing, why="Nearly all faces are near-copies of faces that the networks know.")
    # Networks stay as they are, so each looks at each face once.
    if embedded is None:
        embedded = embeddings(networks, train.X) if experiments[0].features == "network" else {}
    said = np.zeros((REPEATS, len(judged), len(config.MODEL_NAMES), len(classes)))
    # Of the rest of each fold, it would be the class that the fold has least of.
    commonest = Counter(train.y.tolist()).most_common(1)[0][0]
    references = {name: np.full((REPEATS, len(judged)), commonest, classes.dtype) for name in ("dummy", "unresampled")}
    with tqdm(
        total=REPEATS * FOLDS, desc="judging by cross-validation", leave=False, disable=None if progress else True
    ) as bar:
        dealt = [_folds(train.y[judged], group[judged], seed + repeat) for repeat in range(REPEATS)]
        for repeat, fold in itertools.product(range(REPEATS), range(FOLDS)):
            places = dealt[repeat] == fold
            learnt = ~np.isin(group, group[judged[places]])
            if places.any():
                if gone := sorted(set(train.classes) - set(train[learnt].classes)):
                    why = f"Of {', '.join(gone)} there is one face alone, or all are near-copies of one another."
                    return replace(nothing, why=why)
                try:
                    fitted = fit_experiments(
                        train[learnt],
                        size,
                        seed,
                        experiments=experiments,
                        networks=networks,
                        embedded={number: rows[learnt] for number, rows in embedded.items()},
                        progress=False,
                    )
                except TrainingError as error:
                    return replace(nothing, why=f"With a part of the faces left out, they cannot be learnt. {error}")
                rows = judged[places]
                of_networks = {number: of[rows] for number, of in embedded.items()}
                said[repeat, places] = answers(fitted, train.X[rows], of_networks)
                first = fitted[0].components(train.X[rows], of_networks.get(fitted[0].experiment.number))
                references["unresampled"][repeat, places] = fitted[0].reference_labels(first)
            bar.update()
    # As of clusters that answer alike (Kish, 1965): many copies of one face say as much as that face.
    sizes = np.unique(group[judged], return_counts=True)[1]
    return CrossValidation(judged, said, references, INDEPENDENT * len(judged) / float(np.square(sizes).sum()))


def _folds(y: NDArray[np.str_], group: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Deal faces into folds: groups as they are, and of each class as many into each fold as can be."""
    random = np.random.default_rng(seed)
    fold_of: dict[int, int] = {}
    filled = np.zeros(FOLDS)
    for label in np.unique(y):
        sizes = Counter(int(number) for number in group[y == label] if int(number) not in fold_of)
        of_class = np.zeros(FOLDS)
        for number in sorted(sizes, key=lambda number: (-sizes[number], random.random())):
            fold_of[number] = int(np.lexsort((random.random(FOLDS), filled, of_class))[0])
            of_class[fold_of[number]] += sizes[number]
            filled[fold_of[number]] += sizes[number]
    return np.array([fold_of[int(number)] for number in group], dtype=np.intp)


@dataclass(frozen=True)
class Judged:
    """How good models are, as far as their faces can tell.

    Attributes
    ----------
    how : dict
        ``by``: "test" (faces that were set aside), "cross-validation", or "nothing"; how many ``faces``; ``folds`` and
        ``repeats``, or ``why`` not.
    scores : dict of each name to a dict of each part to `Score.summary`; empty where nothing was judged
    part : str, of the parts the one that says how good they are at what they learnt
    main : dict of each model's name, and ``vote``, to its Score on that part
    near_copies : dict of `worth_of_copies`, or None where there are none
    reliability : Reliability, or None of too few faces
    """

    how: dict[str, Any]
    scores: dict[str, Any] = field(default_factory=dict)
    part: str = ""
    main: dict[str, Score] = field(default_factory=dict)
    near_copies: dict[str, Any] | None = None
    reliability: Reliability | None = None

    def summary(self) -> dict[str, Any]:
        """What goes into the manifest."""
        told: dict[str, Any] = {"judged": self.how, "scores": self.scores}
        if self.scores:
            vote = self.main[VOTE]
            told["confusion"] = {"part": self.part, "classes": list(vote.classes), "rows": vote.confusion.tolist()}
        if self.near_copies is not None:
            told["near_copies"] = self.near_copies
        if self.reliability is not None:
            told["reliability"] = self.reliability.summary()
        return told


def judge(
    ensemble: Ensemble,
    split: Split,
    votes: Votes | None = None,
    crossed: CrossValidation | None = None,
    reference: NDArray[np.str_] | None = None,
) -> Judged:
    """Score models on faces that nothing was fitted to.

    Parameters
    ----------
    ensemble : Ensemble
    split : Split, whose test rows are judged, if there are any
    votes : Votes on its faces, optional
    crossed : CrossValidation, needed where there are no test rows
    reference : ndarray of shape (n_test,), str, optional: what the model without resampling says

    Returns
    -------
    Judged
    """
    classes = ensemble.classes
    if crossed is not None:
        return judge_crossed(split.train.y[crossed.rows], classes, crossed)
    opinions, learnt = (None, None) if votes is None else (votes.test, votes.train)
    references = {"dummy": dummy_labels(split, learnt)}
    if reference is not None:
        references["unresampled"] = reference
    said = ensemble.model_probabilities(split.test.X)
    labels = labels_of(ensemble, said)
    part, truth, shares = "test", split.test.y, as_shares(split.test.y, classes)
    if opinions is not None and learnt is not None:
        part, truth, shares = "ferplus_majority", opinions.majority, opinions.shares
    return Judged(
        {"by": "test", "faces": len(split.test)},
        split_scores({**references, **labels}, split, opinions),
        part,
        {name: score(truth[truth != ""], of[truth != ""], classes) for name, of in labels.items()},
        worth_of_copies(labels[VOTE], split) if split.test_copied.any() else None,
        reliability(said, shares, ensemble.calibration) if len(split.test) >= FEW else None,
    )


def judge_crossed(y: NDArray[np.str_], classes: tuple[str, ...], crossed: CrossValidation) -> Judged:
    """Score what models said in cross-validation.

    Parameters
    ----------
    y : ndarray of shape (n,), str, labels of the faces that were judged
    classes : tuple of str
    crossed : CrossValidation

    Returns
    -------
    Judged
    """
    if crossed.why:
        return Judged({"by": "nothing", "faces": 0, "why": crossed.why})
    uncalibrated = Calibration.none(len(classes))
    labels = {
        name: np.array(classes)[crossed.said[:, :, place].argmax(axis=2)]
        for place, name in enumerate(config.MODEL_NAMES)
    }
    labels[VOTE] = np.array([Combiner(classes, uncalibrated).labels(said) for said in crossed.said])
    scored = {
        name: crossed_score(y, said, classes, crossed.independent)
        for name, said in {**crossed.references, **labels}.items()
    }
    return Judged(
        {"by": "cross-validation", "faces": len(y), "folds": FOLDS, "repeats": REPEATS},
        {name: {"cross_validation": of.summary()} for name, of in scored.items()},
        "cross_validation",
        {name: scored[name] for name in labels},
        None,
        reliability(crossed.said[0], as_shares(y, classes), uncalibrated) if len(y) >= FEW else None,
    )


def crossed_score(
    y_true: NDArray[np.str_], said: NDArray[np.str_], classes: tuple[str, ...], independent: float = INDEPENDENT
) -> Score:
    """Compare labels with those that repeated cross-validation predicted.

    Parameters
    ----------
    y_true : ndarray of shape (n,), str
    said : ndarray of shape (repeats, n), str
    classes : tuple of str, all that may occur
    independent : float, 0-1, as in `emotion.training.evaluation.interval`

    Returns
    -------
    Score, of n faces: means over the repeats, counts rounded
    """
    repeats = len(said)
    all_of_them = score(np.tile(y_true, repeats), said.ravel(), classes)
    support = all_of_them.confusion.sum(axis=1) // repeats
    right = _shared_out(all_of_them.confusion.diagonal(), repeats)
    wrong = all_of_them.confusion - np.diag(all_of_them.confusion.diagonal())
    rows = zip(wrong, support - right, strict=True)
    confusion = np.stack([_shared_out(row, repeats, count) for row, count in rows]) + np.diag(right)
    return replace(
        all_of_them,
        n=len(y_true),
        accuracy=float(right.sum() / len(y_true)),  # of whole faces, as the matrix has them
        support=tuple(count // repeats for count in all_of_them.support),
        confusion=confusion,
        independent=independent,
    )


def _shared_out(counts: NDArray[np.int_], among: int, total: int | None = None) -> NDArray[np.int_]:
    """Divide counts so that whole numbers of that sum come out: the largest remainders are rounded up."""
    whole, rest = np.divmod(counts, among)
    more = (round(int(counts.sum()) / among) if total is None else total) - int(whole.sum())
    order = np.argsort(-rest, kind="stable")
    whole[order[: max(more, 0)]] += 1
    for place in order[::-1]:  # where the right ones were rounded up
        take = min(max(-more, 0), int(whole[place]))
        whole[place] -= take
        more += take
    return np.asarray(whole)
