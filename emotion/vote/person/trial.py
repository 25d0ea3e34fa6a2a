"""What was gained: how often models are right on examples of one person that were kept out, before and after."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion.vote.ensemble import Ensemble
from emotion.vote.person.examples import Examples
from emotion.vote.person.learning import personal


@dataclass(frozen=True)
class Mixed:
    """An expression that is still taken for another one.

    Attributes
    ----------
    label : str, what was shown
    taken_for : str, what the models say
    n : int, > 0, how often
    of : int, how many examples of `label` were kept out
    """

    label: str
    taken_for: str
    n: int
    of: int


@dataclass(frozen=True)
class Trial:
    """How often models were right on examples that were kept out.

    Attributes
    ----------
    n : int, how many were kept out
    before : int, how many of these the models had right that know nobody
    after : int, how many those have right that learnt the other examples
    mixed : tuple of Mixed, the most frequent first
    untried : tuple of str, expressions with one example alone, of which none could be kept out
    """

    n: int
    before: int
    after: int
    mixed: tuple[Mixed, ...]
    untried: tuple[str, ...]


def tried(models: Ensemble, examples: Examples) -> Trial:
    """Keep every other example of each expression out, learn the rest, and count.

    Parameters
    ----------
    models : Ensemble, that knows nobody
    examples : Examples, that fit it

    Returns
    -------
    Trial

    Raises
    ------
    PersonalError
        If the examples fit other models.
    """
    is_out = _every_other(examples.labels)
    counts = Counter(examples.labels)
    untried = tuple(label for label, n in counts.items() if n == 1)
    if not is_out.any():
        return Trial(0, 0, 0, (), untried)
    out, rest = examples.rows(is_out), examples.rows(~is_out)
    before, after = (_said(asked, out) for asked in (models, personal(models, rest)))
    shown = Counter(out.labels)
    wrong = Counter((label, said) for label, said in zip(out.labels, after, strict=True) if label != said)
    return Trial(
        len(out),
        sum(label == said for label, said in zip(out.labels, before, strict=True)),
        sum(label == said for label, said in zip(out.labels, after, strict=True)),
        tuple(Mixed(label, said, n, shown[label]) for (label, said), n in wrong.most_common()),
        untried,
    )


def _every_other(labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """Tell of each example whether it is the second, the fourth and so on of its label."""
    seen: Counter[str] = Counter()
    is_out = np.zeros(len(labels), dtype=bool)
    for place, label in enumerate(labels):
        is_out[place] = seen[label] % 2
        seen[label] += 1
    return is_out


def _said(models: Ensemble, examples: Examples) -> list[str]:
    return [str(label) for label in models.combiner.labels(models.heads.of_components(examples.components))]
