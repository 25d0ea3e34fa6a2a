"""Scores told: lines for the terminal, and pictures."""

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion.runtime.files import replacing
from emotion.training.calibration import Reliability
from emotion.training.card import PARTS, ROW_NAMES
from emotion.training.evaluation import FEW, VOTE, Score, accuracy_told, macro_f1_told, told

LEAST_DRAWN: Final = 15
"""Of fewer faces, a share says little."""


def reliability_figure(measured: Reliability, uncertain_below: float) -> Figure:
    """Draw how often votes are right against the probability that they claim, over how many there are.

    Parameters
    ----------
    measured : Reliability
    uncertain_below : float, 0-1, marked by a line

    Returns
    -------
    matplotlib Figure
    """
    figure = Figure(figsize=(6, 6), layout="constrained")
    curve, histogram = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    curve.plot([0, 1], [0, 1], color="grey", linewidth=1, label="as often right as claimed")
    curve.plot(measured.confidence, measured.precision, marker="o", label="measured")
    curve.set_title(f"expected calibration error {measured.expected_error:.1%}")
    curve.set_ylabel("share of votes that are right")
    histogram.bar(measured.confidence, measured.faces, width=0.04)
    histogram.set_xlabel("probability that the vote claims")
    histogram.set_ylabel("faces")
    for axes in (curve, histogram):
        axes.axvline(uncertain_below, color="firebrick", linestyle=":", label="uncertain to the left")
    curve.legend()
    return figure


def reliability_curves(sets: Mapping[str, Mapping[str, Sequence[float]]], uncertain_below: float) -> Figure:
    """Draw how often votes are right against the probability that they claim, on several sets side by side.

    Parameters
    ----------
    sets : mapping of name to the bins of its votes, as a manifest has them: ``confidence`` and ``precision``, 0-1, and
        ``faces``; bins of fewer than `LEAST_DRAWN` faces are left out
    uncertain_below : float, 0-1, marked by a line

    Returns
    -------
    matplotlib Figure
    """
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="as often right as claimed")
    for (name, bins), marker in zip(sets.items(), itertools.cycle("os^Dvx"), strict=False):
        drawn = [place for place, count in enumerate(bins["faces"]) if count >= LEAST_DRAWN]
        claimed, right = ([bins[part][place] for place in drawn] for part in ("confidence", "precision"))
        axes.plot(claimed, right, marker=marker, label=name)
    axes.axvline(uncertain_below, color="firebrick", linestyle=":", label="uncertain to the left")
    axes.set(
        xlabel="probability that the vote claims", ylabel="share of votes that are right", xlim=(0, 1), ylim=(0, 1)
    )
    axes.legend()
    return figure


def score_lines(scores: Mapping[str, Score]) -> str:
    """Lay scores out as a table for the terminal.

    Parameters
    ----------
    scores : mapping of name to Score

    Returns
    -------
    str, a header and one line a name; shares and counts as `told` gives them
    """
    lines = [f"{'':<14} {'right':>24} {'macro-F1':>9} {'faces':>7}"]
    for name, of in scores.items():
        figures = of.summary()
        lines.append(f"{name:<14} {accuracy_told(figures):>24} {macro_f1_told(figures):>9} {of.n:>7,}")
    return "\n".join(lines)


def result_lines(manifest: Mapping[str, Any]) -> str:
    """Say for the terminal how good models are at what they learnt.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, a table of a line for each model, the vote, and what to compare them with; or why nothing was judged
    """
    how = manifest["judged"]
    if how["by"] == "nothing":
        return f"How good the models are was not measured: {how['why']}."
    part = manifest["confusion"]["part"]
    title = f"Right of {how['faces']:,} test faces, against {PARTS[part]}:"
    if how["by"] == "cross-validation":
        title = (
            f"Right of {how['faces']:,} faces, each judged by models that had learnt nine tenths of the others "
            f"(cross-validation, {how['repeats']} rounds):"
        )
    lines = [title, f"{'':<26} {'right':>24} {'macro-F1':>9}"]
    for name, of in manifest["scores"].items():
        told_name = _PLAIN_NAMES.get(name, name)
        lines.append(f"{told_name:<26} {accuracy_told(of[part]):>24} {macro_f1_told(of[part]):>9}")
    if how["faces"] < FEW:
        lines.append("In brackets, the range that holds the true share at a confidence of 95 %.")
    return "\n".join(lines)


_PLAIN_NAMES: Final = {
    "dummy": "always the commonest",
    "unresampled": "XGBoost, not resampled",
    VOTE: "vote of the five",
}


def score_frame(manifest: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out what was measured, as a DataFrame.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    DataFrame of float, 0-1: a row for the dummy, the model without resampling, each model and the vote; for each part
    of the test faces the columns `accuracy` and `macro-F1`, below the part's name
    """
    scores = manifest["scores"]
    columns = {
        (f"{PARTS[part]}, {scores['vote'][part]['faces']:,} faces", part, title): [
            measured[part][f] for measured in scores.values()
        ]
        for part in PARTS
        if part in scores["vote"]
        for f, title in (("accuracy", "accuracy"), ("macro_f1", "macro-F1"))
    }
    names = [re.sub("[*`]", "", ROW_NAMES.get(name, name)) for name in scores]
    return pd.DataFrame({(name, title): values for (name, _, title), values in columns.items()}, index=names)


def class_lines(of_vote: Score) -> str:
    """Lay out for the terminal how often the vote is right of each class.

    Parameters
    ----------
    of_vote : Score

    Returns
    -------
    str, a header and one line a class that there are faces of
    """
    lines = [f"{'':<14} {'found (recall)':>24} {'right of such votes':>24} {'faces':>7}"]
    for code, (label, n) in enumerate(zip(of_vote.classes, of_vote.support, strict=True)):
        if n:
            right, voted = int(of_vote.confusion[code, code]), int(of_vote.confusion[:, code].sum())
            recall, precision = (told(right, of, of_vote.independent) for of in (n, voted))
            lines.append(f"{label:<14} {recall:>24} {precision:>24} {n:>7,}")
    return "\n".join(lines)


def reliability_line(measured: Reliability) -> str:
    """Say for the terminal how far votes' probabilities can be trusted.

    Parameters
    ----------
    measured : Reliability

    Returns
    -------
    str
    """
    return (
        f"votes claim {measured.claimed:.1%} on average and are right on {measured.right:.1%}; by what they claim, the "
        f"two differ by {measured.expected_error:.1%} on average. {measured.uncertain:.1%} are uncertain, of which "
        f"{measured.uncertain_precision:.1%} are right, of the others {measured.certain_precision:.1%}."
    )


def report_figure(title: str, result: Score) -> Figure:
    """Draw the confusion matrix of a model beside its table of classes.

    Parameters
    ----------
    title : str
    result : Score

    Returns
    -------
    matplotlib Figure
    """
    figure = Figure(figsize=(11, 5), layout="constrained")
    matrix, table = figure.subplots(1, 2, width_ratios=(1.2, 1))
    figure.suptitle(
        f"{title}: accuracy {result.accuracy:.1%}, macro-F1 {result.macro_f1:.1%}, on {result.n:,} faces not trained on"
    )
    _draw_confusion(matrix, result)
    table.axis("off")
    rows = [
        (_plain(label), f"{p:.0%}", f"{r:.0%}", f"{f:.0%}", f"{n:,}")
        for label, p, r, f, n in zip(
            result.classes, result.precision, result.recall, result.f1, result.support, strict=True
        )
    ]
    columns = ("", "precision", "recall", "F1", "faces")
    table.table(cellText=rows, colLabels=columns, loc="center", edges="horizontal").scale(1, 1.6)
    return figure


def _draw_confusion(axes: Any, result: Score) -> None:
    share = result.confusion / np.maximum(result.confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(result.classes))
    names = [_plain(label) for label in result.classes]
    axes.set_xticks(ticks, names, rotation=45, ha="right")
    axes.set_yticks(ticks, names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("labelled")
    for row, column in np.ndindex(share.shape):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, f"{share[row, column]:.0%}", ha="center", va="center", color=colour)


def _plain(label: str) -> str:
    """Keep matplotlib from taking what is between dollar signs for a formula."""
    return label.replace("$", r"\$")


def save_report(path: Path, title: str, result: Score) -> None:
    """Write the report picture of a model.

    Parameters
    ----------
    path : Path, a .png
    title : str
    result : Score

    Raises
    ------
    OSError
        If the file cannot be written; an older one is left as it is.
    """
    with replacing(path) as partial:
        report_figure(title, result).savefig(partial, format="png", dpi=90)
