"""What is said of a vote, of a face and of a session, in a sentence each."""

from typing import Final

from emotion.streams.record import Summary
from emotion.streams.session.percents import shares_told
from emotion.streams.session.watched import length
from emotion.vote.ensemble import Ensemble
from emotion.vote.sets import SHIPPED, set_that_votes
from emotion.vote.voting import Vote

UNMEASURED: Final = "Their probabilities were not adjusted to how often they are right: there were too few faces."
"""Of models whose probabilities nobody has held against faces that they did not learn from."""


def said_of(vote: Vote, uncertain_below: float) -> str:
    """Say how the models voted and, of a vote that is uncertain, why nobody should rely on it.

    Parameters
    ----------
    vote : Vote
    uncertain_below : float, 0-1, as in `emotion.vote.voting.Calibration`

    Returns
    -------
    str, a sentence or two
    """
    of = f"{vote.agreement} of {len(vote.ballots)} models"
    if not vote.uncertain:
        return f"{of} agree."
    if vote.unfit:
        return f"Not sure, since the face is {vote.unfit}: {of} say {vote.label}."
    share, bound = f"{vote.probabilities[vote.label]:.0%}", f"{uncertain_below:.0%}"
    return (
        f"Not sure: {of} say {vote.label}, but only with {'just under ' if share == bound else ''}{share}. Votes under "
        f"{bound} are mostly wrong."
    )


def summed_up(number: int, summary: Summary) -> str:
    """Say what the votes on a face sum up to.

    Parameters
    ----------
    number : int, of the face
    summary : Summary

    Returns
    -------
    str
    """
    return (
        f"In all, {length(summary.seconds)} with face {number}: {shares_told(summary.shares)}. Longest stretch: "
        f"{summary.longest_label}, {length(summary.longest_seconds)}. Changes: {summary.changes}."
    )


def who_votes(models: Ensemble) -> str:
    """Name the models that vote, in a sentence.

    Parameters
    ----------
    models : Ensemble

    Returns
    -------
    str
    """
    name = set_that_votes(models).name
    return "the shipped models" if name == SHIPPED else name


def whose(models: Ensemble) -> str:
    """Say which models vote, and how far their probabilities can be believed.

    Parameters
    ----------
    models : Ensemble

    Returns
    -------
    str, a sentence or two
    """
    voting = set_that_votes(models)
    which = "the shipped models" if voting.name == SHIPPED else f"{voting.name}: {', '.join(voting.classes)}"
    since = f"{', ' if voting.name == SHIPPED else '; '}trained on {voting.trained}" if voting.trained else ""
    doubt = "" if models.calibration.measured else f" {UNMEASURED}"
    return f"By {which}{since}.{doubt}"
