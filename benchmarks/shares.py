"""Whether the intervals of shares hold: python benchmarks/shares.py --json benchmarks/results/shares.json

Expressions are made up that come and go by chance, and of which is known for which share of the time each shows: of
two (a Markov chain in continuous time), of seven, of which each is followed by some others more often than by the
rest, and of two of which each tenth vote is mistaken. They are looked at as a session does. Counted is how often the
interval holds the known share: by `emotion.streams.session.shares`, by means of twenty equal stretches with a t
quantile (batch means), and as if votes were independent. Besides: how often two sessions of the same person are called
different in anything.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import machine
from emotion.streams.session.differences import differences
from emotion.streams.session.shares import Seen, shares_of

STAYS: Final = (1.0, 3.0, 10.0, 30.0)
"""Seconds for which an expression stays, on average."""
MINUTES: Final = (1.0, 5.0, 20.0, 60.0)
EVERY: Final = (0.2, 0.5, 2.0)
"""Seconds from one vote to the next."""
METHODS: Final = ("ours", "batch means", "independent")
_T_19: Final = 2.093
"""Quantile of Student's t with 19 degrees of freedom, for 95 %."""
_BATCHES: Final = 20
MISTAKEN: Final = 0.1
"""Of the votes, where any is."""


@dataclass(frozen=True)
class Chain:
    """Expressions that come and go.

    Attributes
    ----------
    rates : ndarray of shape (n, n), a second, off the diagonal; rows sum to 0
    shares : ndarray of shape (n,), 0-1, of the time in the long run
    """

    rates: NDArray[np.float64]
    shares: NDArray[np.float64]

    def steps(self, every: float) -> NDArray[np.float64]:
        """Give the chances from one vote to the next: the exponential of a matrix, by squaring."""
        fine = np.eye(len(self.rates)) + self.rates * every / 2**20
        for _ in range(20):
            fine = fine @ fine
        return np.asarray(fine / fine.sum(axis=1, keepdims=True))

    def sessions(self, random: np.random.Generator, n: int, seconds: float, every: float) -> NDArray[np.intp]:
        """Look at n sessions; of shape (n, votes)."""
        chances = self.steps(every).cumsum(axis=1)
        states = np.empty((n, round(seconds / every)), dtype=np.intp)
        states[:, 0] = random.choice(len(self.shares), n, p=self.shares)
        for i in range(1, states.shape[1]):
            turned = random.random((n, 1)) > chances[states[:, i - 1]]
            states[:, i] = np.minimum(turned.sum(axis=1), len(self.shares) - 1)
        return states


def two(share: float, stay: float) -> Chain:
    """Make up an expression that shows for this share of the time; so long are its stays, or absences if shorter."""
    long = stay * max(share, 1 - share) / min(share, 1 - share)
    there, away = (stay, long) if share < 0.5 else (long, stay)
    rates = np.array([[-1 / away, 1 / away], [1 / there, -1 / there]])
    return Chain(rates, np.array([1 - share, share]))


def seven(random: np.random.Generator, stay: float) -> Chain:
    """Make up seven expressions: each stays for half to twice as long as this, and some follow it more often."""
    follow = random.dirichlet(np.full(6, 0.7), 7)
    rates = np.zeros((7, 7))
    rates[~np.eye(7, dtype=bool)] = follow.ravel()
    rates = (rates - np.eye(7)) / (stay * 2 ** random.uniform(-1, 1, 7))[:, None]
    shares = np.linalg.lstsq(np.vstack([rates.T, np.ones(7)]), np.append(np.zeros(7), 1.0), rcond=None)[0]
    return Chain(rates, np.maximum(shares, 1e-9) / np.maximum(shares, 1e-9).sum())


def seen(states: NDArray[np.intp], n: int, every: float) -> Seen:
    """Give one session as it is seen; nothing is uncertain."""
    present = np.zeros((len(states), n + 2), dtype=bool)
    present[np.arange(len(states)), states] = True
    goes_on = np.ones(len(states), dtype=bool)
    goes_on[-1] = False
    return Seen(tuple(map(str, range(n))), present, np.full(len(states), every), goes_on)


def held(session: Seen, true: NDArray[np.float64]) -> dict[str, list[bool]]:
    """Say by each method of which expressions the interval holds what is true."""
    n = len(true)
    present = session.present[:, :n]
    mean, votes = present.mean(axis=0), len(present)
    size = votes // _BATCHES
    batches = present[: size * _BATCHES].reshape(_BATCHES, size, n).mean(axis=1)
    spreads = {
        "batch means": _T_19 * batches.std(axis=0, ddof=1) / np.sqrt(_BATCHES),
        "independent": 1.96 * np.sqrt(mean * (1 - mean) / votes),
    }
    found = {name: (np.abs(mean - true) <= spread).tolist() for name, spread in spreads.items()}
    shares = shares_of(session, 4_000).labels.values()
    return found | {"ours": [s.low <= t <= s.high for s, t in zip(shares, true, strict=True)]}


def measured(
    chains: Sequence[Chain],
    sessions: int,
    minutes: float,
    every: float,
    random: np.random.Generator,
    mistaken: float = 0.0,
) -> dict[str, float]:
    """Count how often intervals hold, over sessions of several chains; of two expressions, votes may be mistaken."""
    counts: dict[str, list[bool]] = {name: [] for name in METHODS}
    for chain in chains:
        true = (1 - 2 * mistaken) * chain.shares + mistaken if mistaken else chain.shares
        for states in chain.sessions(random, sessions, 60 * minutes, every):
            voted = np.where(random.random(len(states)) < mistaken, 1 - states, states)
            for name, of in held(seen(voted, len(true), every), true).items():
                counts[name] += of
    return {name: float(np.mean(of)) for name, of in counts.items()}


def cells(sessions: int, seed: int) -> Iterator[dict[str, Any]]:
    """Measure each kind of session."""
    random = np.random.default_rng(seed)
    for stay, minutes, every in product(STAYS, MINUTES, EVERY):
        kinds = {
            "two": [two(share, stay) for share in (0.1, 0.3, 0.5, 0.8)],
            "seven": [seven(random, stay) for _ in range(4)],
        }
        kinds["mistaken"] = kinds["two"]
        for kind, chains in kinds.items():
            rates = measured(chains, sessions, minutes, every, random, MISTAKEN if kind == "mistaken" else 0.0)
            yield {"expressions": kind, "stay": stay, "minutes": minutes, "every": every, **rates}


def alarms(sessions: int, seed: int) -> dict[str, float]:
    """Count how often two sessions of the same seven expressions are called different in any; by minutes."""
    random = np.random.default_rng(seed)
    found = {}
    for minutes in MINUTES:
        told = []
        for stay in STAYS:
            chain = seven(random, stay)
            looks = chain.sessions(random, 2 * sessions, 60 * minutes, 0.5)
            pairs = zip(looks[::2], looks[1::2], strict=True)
            told += [any(d.differs for d in differences(seen(a, 7, 0.5), seen(b, 7, 0.5)).values()) for a, b in pairs]
        found[f"{minutes:g}"] = float(np.mean(told))
    return found


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=40, help="of each chain of each kind (default: 40)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    rows = []
    print("expressions  stay s  minutes  every s " + "".join(f"{name:>14}" for name in METHODS))
    for row in cells(options.sessions, options.seed):
        rows.append(row)
        rates = "".join(f"{row[name]:>14.1%}" for name in METHODS)
        print(f"{row['expressions']:<12}{row['stay']:>7g}{row['minutes']:>9g}{row['every']:>9g} {rates}", flush=True)
    for kind, name in product(("two", "seven", "mistaken"), METHODS):
        rates = np.array([row[name] for row in rows if row["expressions"] == kind])
        print(f"{kind}, {name}: {rates.mean():.1%} on average, {rates.min():.1%} to {rates.max():.1%}")
    false = alarms(options.sessions, options.seed)
    print("called different, of pairs that are not:", ", ".join(f"{m} min {rate:.1%}" for m, rate in false.items()))
    if options.json:
        whole = {"machine": machine(), "sessions": options.sessions, "cells": rows, "false": false}
        options.json.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
