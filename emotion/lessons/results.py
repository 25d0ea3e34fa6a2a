"""How good models are, measured again and laid out."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emotion import config
from emotion.data.annotators import Votes
from emotion.data.splitting import Split
from emotion.errors import DatasetError
from emotion.faces.crop import FaceVectors
from emotion.lessons.places import Places
from emotion.training.evaluation import VOTE, Score
from emotion.training.judging import judge
from emotion.vote.ensemble import Ensemble


def judged_again(models: Ensemble, split: Split, votes: Votes | None, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Measure models once more on the test faces; where there are none, take what cross-validation had measured.

    Parameters
    ----------
    models : Ensemble
    split : Split of the tables that they were trained on
    votes : Votes on its faces, optional
    manifest : mapping, of these models

    Returns
    -------
    dict, as `emotion.training.judging.Judged.summary`

    Raises
    ------
    DatasetError
        If these are not the tables that the models were trained on.
    """
    if split.fingerprint != manifest["data_fingerprint"]:
        raise DatasetError(
            "These are not the tables that the models were trained on: their test faces may have been learnt. Name "
            "those in EMOTION_DATA and EMOTION_TEST, or train anew."
        )
    return judge(models, split, votes).summary() if len(split.test) else dict(manifest)


def vote_score(judged: Mapping[str, Any]) -> Score | None:
    """Take the vote's score from its confusion matrix.

    Parameters
    ----------
    judged : mapping, as a manifest has it

    Returns
    -------
    Score, or None where nothing was judged
    """
    if "confusion" not in judged:
        return None
    confusion = judged["confusion"]
    rows = np.array(confusion["rows"])
    right, support, voted = rows.diagonal(), rows.sum(axis=1), rows.sum(axis=0)
    f1 = 2 * right / np.maximum(support + voted, 1)
    return Score(
        n=int(rows.sum()),
        accuracy=float(right.sum() / rows.sum()),
        macro_f1=float(f1[support > 0].mean()),
        classes=tuple(confusion["classes"]),
        precision=tuple((right / np.maximum(voted, 1)).tolist()),
        recall=tuple((right / np.maximum(support, 1)).tolist()),
        f1=tuple(f1.tolist()),
        support=tuple(support.tolist()),
        confusion=rows,
        independent=judged["scores"][VOTE][confusion["part"]].get("independent", 1.0),
    )


def calibration_line(manifest: Mapping[str, Any]) -> str:
    """Say what the probabilities of votes rest on.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, some lines
    """
    calibration = manifest["calibration"]
    if calibration["interval"] is None:
        return (
            f"Nothing was fitted: {calibration['faces']:,} validation faces are too few. Probabilities are as the "
            "models gave them."
        )
    low, high = calibration["interval"]
    powers = zip(manifest["classes"], calibration["exponents"], calibration["shifts"], strict=True)
    return (
        f"Fitted to {calibration['faces']:,} validation faces. A vote is uncertain below "
        f"{calibration['uncertain_below']:.2f}; for 90 % of samples of these faces, between {low:.2f} and {high:.2f}.\n"
        "Powers and factors: "
        + ", ".join(f"{label} {power:.2f} and {np.exp(shift):.2f}" for label, power, shift in powers)
    )


def certainty_frame(models: Ensemble, X: FaceVectors, truth: NDArray[np.floating]) -> pd.DataFrame:
    """Show how often uncertain votes are right, and votes with so many ballots.

    Parameters
    ----------
    models : Ensemble
    X : ndarray of shape (n, 2304), uint8
    truth : ndarray of shape (n, n_classes), 0-1: which share of people saw each class, or 1 for the label

    Returns
    -------
    DataFrame of float, 0-1: a row a kind of votes; which share of the faces has such a vote, and how far it is right
    """
    votes = models.vote(X)
    right = truth[np.arange(len(votes)), [models.classes.index(vote.label) for vote in votes]]
    voted_on = truth.sum(axis=1) > 0
    uncertain, agreement = (np.array([getattr(vote, name) for vote in votes]) for name in ("uncertain", "agreement"))
    kinds = {"uncertain": uncertain, "certain": ~uncertain}
    kinds |= {
        f"{n} of {len(models.model_names)} ballots": agreement == n for n in range(1, len(models.model_names) + 1)
    }
    shares = {
        kind: {"share of faces": rows[voted_on].mean(), "right": right[rows & voted_on].mean()}
        for kind, rows in kinds.items()
        if (rows & voted_on).any()
    }
    return pd.DataFrame(shares).T


def crops(places: Places) -> str:
    """Run `benchmarks/crops.py`: how votes on validation faces bear being found and cut out anew.

    Parameters
    ----------
    places : Places

    Returns
    -------
    str, what it prints
    """
    command = [sys.executable, "benchmarks/crops.py", "--data", str(places.data), "--models", str(places.models)]
    command += ["--faces", "20" if places.is_fast else "1000", *(["--test", str(places.test)] if places.test else [])]
    return subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, check=True).stdout
