"""How far the shares of a session's time can be believed.

Votes of one moment after another are not independent: an expression stays for a while, so that an hour of five votes a
second has far fewer observations than votes. What counts here is therefore how often an expression came and went. It is
taken to come with the same chance at each step while it is not there, and to go with another one while it is: a Markov
chain of two states, whose share of the time is ``come / (come + go)``. Both chances have Jeffreys' prior and so a beta
distribution, of which enough is drawn to read intervals off. What never came, or never went, has no zero width: its
stays are taken to last as those of the others did, 30 seconds at most.

Real votes remember for longer than such a chain: single ones are mistaken while an expression stays, and expressions
come in bouts. Where the autocorrelations of the votes say so, what was counted counts for less.

`benchmarks/shares.py` measures how often these intervals hold what is true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emotion import config
from emotion.streams.record import LAST_SECONDS, LONGEST_SECONDS, Moment, held_votes
from emotion.vote.voting import Vote

LEVEL: Final = 0.95
_LONGEST_STAY: Final = 30.0
"""Seconds, for which at most something is taken to stay, on average, that was never there."""
_ALIKE: Final = 4.0
"""Of something that was never there, the stays of others say as much as so many of its own would."""
_WINDOW: Final = 3.0
N_DRAWS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the time, and between what the long-run share lies in 95 of 100 such sessions.

    Attributes
    ----------
    share, low, high : float, 0-1; low <= share <= high
    """

    share: float
    low: float
    high: float

    @property
    def range(self) -> str:
        """The interval in percent, as in ``28–45%``."""
        return f"{100 * self.low:.0f}–{self.high:.0%}"


@dataclass(frozen=True, slots=True)
class Shares:
    """What one face, or whoever was largest, showed for which share of the time that it was seen.

    Attributes
    ----------
    seconds : float, > 0, during which a face was seen
    labels : dict of label to Share, in the order of the classes
    uncertain : Share, of votes that were uncertain, for whatever reason
    unfit : Share, of votes on faces that were not fit to be judged
    """

    seconds: float
    labels: dict[str, Share]
    uncertain: Share
    unfit: Share


@dataclass(frozen=True)
class Seen:
    """What was seen from vote to vote.

    Attributes
    ----------
    classes : tuple of str
    present : ndarray of shape (n, n_classes + 2), bool: whether the vote is for this class, uncertain, unfit
    lasted : ndarray of shape (n,), seconds, > 0, for which each vote held
    goes_on : ndarray of shape (n,), bool: whether the next vote followed soon, so that what comes and goes is known
    """

    classes: tuple[str, ...]
    present: NDArray[np.bool_]
    lasted: NDArray[np.float64]
    goes_on: NDArray[np.bool_]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Of each class, of what is uncertain and of what is unfit, the share of the time that was seen; 0-1."""
        return np.asarray(self.lasted @ self.present / self.lasted.sum())

    def draws(self, seed: int = config.SEED, n_draws: int = N_DRAWS) -> NDArray[np.float64]:
        """Draw long-run shares that what was seen may come from.

        Parameters
        ----------
        seed : int
        n_draws : int

        Returns
        -------
        ndarray of shape (n_draws, n_classes + 2), 0-1
        """
        random = np.random.default_rng(seed)
        steps = self.lasted / float(np.median(self.lasted))
        known = self.goes_on[:-1]
        now, after, counted = self.present[:-1][known], self.present[1:][known], steps[:-1][known]
        came, went = (~now & after).sum(axis=0), (now & ~after).sum(axis=0)
        there, away = np.maximum(counted @ now, went), np.maximum(counted @ ~now, came)
        usual = float(np.clip(_LONGEST_STAY / np.median(self.lasted), 1.0, None))
        stay = min(float(steps.sum()) / (went[: len(self.classes)].sum() + 1), usual)
        # As much as so many votes of a chain, and of these, one independent vote counts; of constants nothing is known.
        turning = came / np.maximum(away, 1) + went / np.maximum(there, 1)
        of_chain = np.maximum(2 / np.maximum(turning, 1e-9) - 1, 1.0)
        spread = np.where((came > 0) & (went > 0), np.maximum(_memory(self.present) / of_chain, 1.0), 1.0)
        comes = _chances(random, n_draws, came, away, stay, spread)
        goes = _chances(random, n_draws, went, there, stay, spread)
        drawn = comes / (comes + goes)
        # The first vote, too, is one from the long run.
        return _weighted(drawn, np.where(self.present[0], drawn, 1 - drawn))


def _chances(
    random: np.random.Generator,
    n_draws: int,
    turned: NDArray[np.intp],
    steps: NDArray[np.float64],
    stay: float,
    spread: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Draw chances that a state is left at a step, given how often it was, of how many steps."""
    unknown = steps == 0
    ends = np.where(unknown, _ALIKE, turned / spread + 0.5)
    stays = np.where(unknown, _ALIKE * max(stay - 1.0, 0.5), (steps - turned) / spread + 0.5)
    return random.beta(ends, stays, (n_draws, len(turned)))


def _memory(present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Estimate for how many votes as much as one independent vote counts, by autocorrelations; of constants, 1.

    They are summed up to the lag that is `_WINDOW` times the sum (Sokal, 1997), and that is made larger by what it is
    too small for being taken around the mean of the votes themselves (Wolff, 2004, equation 49).
    """
    n = len(present)
    centred = present - present.mean(axis=0)
    power = np.abs(np.fft.rfft(centred, 2 * n, axis=0)) ** 2
    covariances = np.fft.irfft(power, 2 * n, axis=0)[:n]
    varies = covariances[0] > 1e-9 * n
    correlations = covariances / np.where(varies, covariances[0], 1.0)
    sums = 2 * np.cumsum(correlations, axis=0) - 1
    lags = np.arange(n)[:, None]
    at = (lags >= _WINDOW * sums).argmax(axis=0)
    found = sums[at, np.arange(present.shape[1])] * (1 + (2 * at + 1) / n)
    return np.where(varies, found, 1.0)


def _weighted(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take values, of each column as many, by their weights."""
    places = (np.arange(len(values)) + 0.5) / len(values)
    columns = []
    for column, weight in zip(values.T, weights.T, strict=True):
        sums = np.cumsum(weight)
        columns.append(column[np.searchsorted(sums, places * sums[-1])])
    return np.stack(columns, axis=1)


def seen_of(
    moments: Sequence[Moment],
    classes: Sequence[str],
    number: int | None = None,
    *,
    smoothed: bool = True,
    lasts: float = LAST_SECONDS,
) -> Seen | None:
    """Take out of moments what was seen of a face.

    Parameters
    ----------
    moments : sequence of Moment, oldest first, without pauses (`emotion.streams.record.without_pauses`)
    classes : sequence of str
    number : int, of the face; None for the largest face of each moment
    smoothed : bool, whether smoothed votes count, or those that the models gave
    lasts : float, seconds, > 0, for which the labels of the last moment hold

    Returns
    -------
    Seen, or None where the face was never seen
    """
    end = moments[-1].seconds + lasts if moments else 0.0
    held = [vote for vote in held_votes(moments, number, end, smoothed=smoothed) if vote[1] > vote[0]]
    if not held:
        return None
    starts, ends = np.array([(start, end) for start, end, _ in held]).T
    goes_on = np.append(np.diff(starts) <= LONGEST_SECONDS, False)
    return Seen(tuple(classes), _present([vote for _, _, vote in held], classes), ends - starts, goes_on)


def _present(votes: Sequence[Vote], classes: Sequence[str]) -> NDArray[np.bool_]:
    places = {label: place for place, label in enumerate(classes)}
    present = np.zeros((len(votes), len(classes) + 2), dtype=bool)
    present[np.arange(len(votes)), [places[vote.label] for vote in votes]] = True
    present[:, -2] = [vote.uncertain for vote in votes]
    present[:, -1] = [bool(vote.unfit) for vote in votes]
    return present


def shares_of(seen: Seen, n_draws: int = N_DRAWS) -> Shares:
    """Give the shares of the time, with intervals that hold the long-run share in 95 of 100 such sessions.

    Parameters
    ----------
    seen : Seen
    n_draws : int, from which the intervals are read off; of fewer, they are less exact

    Returns
    -------
    Shares
    """
    low, high = np.quantile(seen.draws(n_draws=n_draws), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    found = [
        Share(float(share), float(min(share, a)), float(max(share, b)))
        for share, a, b in zip(seen.shares, low, high, strict=True)
    ]
    labels = dict(zip(seen.classes, found, strict=False))
    return Shares(float(seen.lasted.sum()), labels, found[-2], found[-1])
