"""How much better models are that know a person's face: some of its pictures are taught, the others asked about."""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from emotion.lessons.people import People
from emotion.vote.ensemble import Combiner, Ensemble, Features, Heads
from emotion.vote.person.examples import Examples
from emotion.vote.person.learning import personal
from emotion.vote.voting import Calibration

WRONG_OF: Final = 7
"""Where some examples are posed wrongly, one of so many is."""

TAUGHT, OTHERS, OWN = "taught expressions", "other expressions", "own labels"


@dataclass(frozen=True)
class Case:
    """What a person teaches.

    Attributes
    ----------
    n : int, examples of each expression; all of one that has fewer
    n_taught : int or None, how many expressions that the models know; None for all
    n_own : int, how many labels of the person's own: expressions that are taken from the models first
    is_sloppy : bool, whether one example of `WRONG_OF` shows another expression than it is said to
    """

    n: int
    n_taught: int | None = None
    n_own: int = 0
    is_sloppy: bool = False

    def __str__(self) -> str:
        """As a table tells it."""
        known = "all expressions" if self.n_taught is None else f"{self.n_taught} expression{'s' * (self.n_taught > 1)}"
        own = f"{self.n_own} own label{'s' * (self.n_own > 1)} and " * bool(self.n_own)
        return f"{self.n} each of {own}{known}" + f", one in {WRONG_OF} wrong" * self.is_sloppy


CASES: Final = (
    *(Case(n) for n in (1, 2, 3)),
    *(Case(n, is_sloppy=True) for n in (1, 2)),
    *(Case(n, n_taught=3) for n in (1, 2)),
    *(Case(n, n_taught=1, n_own=2) for n in (2, 3)),
)


@dataclass(frozen=True)
class Draw:
    """Which faces of a person are taught, and which are asked about.

    Attributes
    ----------
    rows : ndarray of int, the examples
    labels : tuple of str, what these are said to show
    asked : ndarray of int, no rows of examples
    own : tuple of str, labels that are the person's own
    """

    rows: NDArray[np.intp]
    labels: tuple[str, ...]
    asked: NDArray[np.intp]
    own: tuple[str, ...] = ()


def draw(case: Case, labels: Sequence[str], random: np.random.Generator) -> Draw | None:
    """Draw the examples of a case from a person's faces; all others are asked about.

    Parameters
    ----------
    case : Case
    labels : sequence of str, what the person's faces show
    random : Generator

    Returns
    -------
    Draw, or None where the person has too few faces: of most expressions, or else of all labels that are to be the
    person's own, there must be one more than are taught
    """
    shown, shuffled = np.array(labels), random.permutation(len(labels))
    rows = {str(label): shuffled[shown[shuffled] == label] for label in random.permutation(np.unique(shown))}
    enough = [label for label in rows if len(rows[label]) > case.n]
    own = enough[: case.n_own]
    known = [label for label in rows if label not in own]
    taught = [*own, *known[: case.n_taught]]
    if case.n_own:
        can = len(own) == case.n_own
    else:
        can = len(enough) * 2 > len(rows) and (case.n_taught is None or case.n_taught < len(rows))
    if not can:
        return None
    examples = np.concatenate([rows[label][: case.n] for label in taught])
    said = tuple(shown[examples].tolist())
    unused = np.setdiff1d(shuffled, examples)
    if case.is_sloppy:
        for place in random.permutation(len(examples))[: max(1, round(len(examples) / WRONG_OF))]:
            others = unused[shown[unused] != said[place]]
            if len(others):
                examples[place] = random.choice(others)
                unused = unused[unused != examples[place]]
    return Draw(examples, said, unused, tuple(own))


@dataclass(frozen=True)
class Measured:
    """What came of a case, for one kind of faces; means over draws, then over people.

    Attributes
    ----------
    case : str
    about : str, `TAUGHT`, `OTHERS` or `OWN`
    people : int, who had faces enough
    asked : float, faces of a person that were asked about in a draw
    before, right : float, 0-1, how many votes were right, of models that know nobody, and of those that were taught
    least, most : float, 0-1, the same of the person with the fewest right votes after being taught, and with the most
    claimed_before, claimed : float, 0-1, what the votes claimed
    """

    case: str
    about: str
    people: int
    asked: float
    before: float
    right: float
    least: float
    most: float
    claimed_before: float
    claimed: float


def measure_people(people: People, models: Ensemble, draws: int = 20, cases: Sequence[Case] = CASES) -> list[Measured]:
    """Teach models some of each person's faces, drawn again and again, and ask about the person's others.

    Parameters
    ----------
    people : People
    models : Ensemble
    draws : int, for each person; the same ones each time that this is called
    cases : sequence of Case

    Returns
    -------
    list of Measured, of the cases that anybody has faces enough for
    """
    measured = []
    for case in tqdm(cases, unit="case", leave=False, disable=None):
        by_kind: dict[str, list[NDArray[np.float64]]] = {}
        for person, faces in enumerate(people.faces.values()):
            drawn = [draw(case, faces.labels, np.random.default_rng((seed, person))) for seed in range(draws)]
            told = [row for one in drawn if one for row in _told(one, faces, models)]
            for about in sorted({about for about, _ in told}):
                by_kind.setdefault(about, []).append(np.mean([row for kind, row in told if kind == about], axis=0))
        for about, rows in by_kind.items():
            asked, before, right, claimed_before, claimed = np.mean(rows, axis=0).tolist()
            each = [float(row[2]) for row in rows]
            measured.append(
                Measured(
                    str(case), about, len(rows), asked, before, right, min(each), max(each), claimed_before, claimed
                )
            )
    return measured


def _told(drawn: Draw, faces: Examples, models: Ensemble) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """For each kind of faces: how many, right before and after, and claimed before and after."""
    if drawn.own:
        if len(models.classes) < len(drawn.own) + 2:
            return
        models = without(models, drawn.own)
    examples = Examples(
        {number: rows[drawn.rows] for number, rows in faces.components.items()}, drawn.labels, faces.fits
    )
    asked = {number: rows[drawn.asked] for number, rows in faces.components.items()}
    labels = np.array(faces.labels)[drawn.asked]
    kinds = np.array(
        [OWN if label in drawn.own else TAUGHT if label in drawn.labels else OTHERS for label in labels.tolist()]
    )
    before, after = (_right_and_claimed(each, asked, labels) for each in (models, personal(models, examples)))
    for about in sorted(set(kinds.tolist())):
        some = kinds == about
        values = (
            some.sum(),
            before[0][some].mean(),
            after[0][some].mean(),
            before[1][some].mean(),
            after[1][some].mean(),
        )
        yield about, np.array(values)


def _right_and_claimed(
    models: Ensemble, asked: Features, labels: NDArray[np.str_]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    votes = models.combiner.votes(models.heads.of_components(asked))
    right = np.array([vote.label for vote in votes]) == labels
    return right, np.array([vote.probabilities[vote.label] for vote in votes])


def without(models: Ensemble, labels: Sequence[str]) -> Ensemble:
    """Take expressions from models, as if they had never learnt them.

    Parameters
    ----------
    models : Ensemble
    labels : sequence of str, of its classes; at least two others stay

    Returns
    -------
    Ensemble
    """
    kept = [code for code, label in enumerate(models.classes) if label not in labels]
    powers, shifts = models.calibration.exponents, models.calibration.shifts
    calibration = Calibration(
        tuple(powers[code] for code in kept), tuple(shifts[code] for code in kept), models.calibration.uncertain_below
    )
    combiner = Combiner(tuple(models.classes[code] for code in kept), calibration)
    return Ensemble(models.embedder, _Fewer(models.heads, kept), combiner, models.origin, models.trained)


class _Fewer(Heads):
    """Five models of which some classes are not asked for."""

    def __init__(self, heads: Heads, kept: Sequence[int]) -> None:
        self._heads = heads
        self._kept = list(kept)

    def components(self, embeddings: Features) -> Features:
        return self._heads.components(embeddings)

    def of_components(self, components: Features) -> NDArray[np.float32]:
        said = self._heads.of_components(components)[:, :, self._kept] + np.float32(1e-6)
        return np.asarray(said / said.sum(axis=2, keepdims=True))


def seconds_to_fit(people: People, models: Ensemble, n: int = 200, times: int = 5) -> float:
    """Time how long models take to learn faces whose embeddings are known.

    Parameters
    ----------
    people : People, of whose faces as many are drawn, some of them perhaps more than once
    models : Ensemble
    n : int, examples
    times : int

    Returns
    -------
    float, seconds: the median
    """
    every = list(people.faces.values())
    rows = np.random.default_rng(0).choice(sum(map(len, every)), n)
    joined = {
        number: np.concatenate([faces.components[number] for faces in every])[rows] for number in every[0].components
    }
    labels = np.array([label for faces in every for label in faces.labels])[rows]
    examples = Examples(joined, tuple(labels.tolist()), every[0].fits)
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        personal(models, examples)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def people_frame(measured: Sequence[Measured]) -> pd.DataFrame:
    """Lay out what was measured.

    Parameters
    ----------
    measured : sequence of Measured

    Returns
    -------
    DataFrame of str, a row each
    """
    return pd.DataFrame(
        [
            {
                "examples": row.case,
                "asked about": row.about,
                "people": f"{row.people}",
                "faces a draw": f"{row.asked:.0f}",
                "right before": f"{row.before:.1%}",
                "right": f"{row.right:.1%}",
                "by person": f"{row.least:.0%} to {row.most:.0%}",
                "claimed before": f"{row.claimed_before:.1%}",
                "claimed": f"{row.claimed:.1%}",
            }
            for row in measured
        ]
    )
