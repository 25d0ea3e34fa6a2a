"""Scores told: lines for the terminal, tables and pictures."""

import itertools
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion.runtime.files import replacing
from emotion.training.calibration import Reliability
from emotion.training.card import PARTS, ROW_NAMES
from emotion.training.evaluation import FEW, HARDLY_ANY, VOTE, Score, accuracy_told, macro_f1_told, told

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
    figure = Figure(figsize=(7, 6.5), layout="constrained")
    curve, histogram = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    curve.plot([0, 1], [0, 1], color="grey", linewidth=1, label="as often right as claimed")
    curve.plot(measured.confidence, measured.precision, marker="o", label="measured")
    curve.set_title(f"expected calibration error {measured.expected_error:.1%}")
    curve.set_ylabel("share of votes that are right")
    histogram.bar(measured.confidence, measured.faces, width=0.04)
    histogram.set_xlabel("probability that the vote claims")
    histogram.set_ylabel("faces")
    for axes in (curve, histogram) if uncertain_below else ():
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
    if uncertain_below:
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
        return f"How good the models are was not measured. {how['why']}"
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
    rows = manifest["confusion"]["rows"]
    shown = [label for label, row in zip(manifest["confusion"]["classes"], rows, strict=True) if sum(row)]
    if len(shown) == 1:
        lines.append(f"All of them are {shown[0]}: this says nothing of the other expressions.")
    if HARDLY_ANY <= how["faces"] < FEW:
        lines.append("In brackets, the range that holds the true share at a confidence of 95 %.")
    return "\n".join(lines)


_PLAIN_NAMES: Final = {
    "dummy": "always the commonest",
    "unresampled": "XGBoost, not resampled",
    VOTE: "vote of the five",
}


def score_frame(judged: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out what was measured, as a DataFrame.

    Parameters
    ----------
    judged : mapping, with ``scores`` as a manifest has them

    Returns
    -------
    DataFrame of str: a row for the dummy, the model without resampling, each model and the vote; for each part of the
    test faces the columns `right` and `macro-F1`, below the part's name
    """
    scores = judged["scores"]
    columns = {
        (f"{PARTS[part]}, {scores['vote'][part]['faces']:,} faces", title): [of[part] for of in scores.values()]
        for part in PARTS
        if part in scores.get("vote", {})
        for title in ("right", "macro-F1")
    }
    tell = {"right": accuracy_told, "macro-F1": macro_f1_told}
    names = [re.sub("[*`]", "", ROW_NAMES.get(name, name)) for name in scores]
    return pd.DataFrame({key: [tell[key[1]](figures) for figures in of] for key, of in columns.items()}, index=names)


def class_frame(result: Score) -> pd.DataFrame:
    """Lay out how often the vote is right of each class, as a DataFrame.

    Parameters
    ----------
    result : Score

    Returns
    -------
    DataFrame of str: a row a class that there are faces of
    """
    rows = {}
    for code, (label, n) in enumerate(zip(result.classes, result.support, strict=True)):
        if n:
            right, voted = int(result.confusion[code, code]), int(result.confusion[:, code].sum())
            recall, precision = (told(right, of, result.independent) for of in (n, voted))
            rows[label] = {"faces": f"{n:,}", "found (recall)": recall, "right of such votes (precision)": precision}
    return pd.DataFrame(rows).T


def reliability_line(measured: Reliability) -> str:
    """Say for the terminal how far votes' probabilities can be trusted.

    Parameters
    ----------
    measured : Reliability

    Returns
    -------
    str
    """
    line = (
        f"votes claim {measured.claimed:.1%} on average and are right on {measured.right:.1%}; by what they claim, the "
        f"two differ by {measured.expected_error:.1%} on average."
    )
    if not measured.uncertain:
        return f"{line} None is uncertain."
    return (
        f"{line} {measured.uncertain:.1%} are uncertain, of which {measured.uncertain_precision:.1%} are right, of the "
        f"others {measured.certain_precision:.1%}."
    )


def report_figure(title: str, result: Score) -> Figure:
    """Draw the confusion matrix of a model: what faces of each class (rows) were taken for (columns).

    Parameters
    ----------
    title : str
    result : Score

    Returns
    -------
    matplotlib Figure; shares of each row, or counts of fewer than `FEW` faces
    """
    side = min(max(3.5 + 0.7 * len(result.classes), 5.5), 16)
    figure = Figure(figsize=(side + 0.5, side), layout="constrained")
    right, of = accuracy_told(result.summary()), "" if result.n < FEW else f" of {result.n:,} faces"
    figure.suptitle(f"{_plain(title)}\nright: {right}{of}", fontsize=11)
    _draw_confusion(figure.subplots(), result)
    return figure


def _draw_confusion(axes: Any, result: Score) -> None:
    share = result.confusion / np.maximum(result.confusion.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(result.classes))
    axes.set_xticks(ticks, [_plain(label) for label in result.classes], rotation=45, ha="right")
    axes.set_yticks(
        ticks, [f"{_plain(label)} ({n:,})" for label, n in zip(result.classes, result.support, strict=True)]
    )
    axes.set(xlabel="what the model says", ylabel="what the face is (and how many there are)")
    for row, column in np.ndindex(share.shape):
        colour = "white" if share[row, column] > 0.5 else "black"
        text = f"{result.confusion[row, column]}" if result.n < FEW else f"{100 * share[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", color=colour)
    axes.set_title("faces" if result.n < FEW else "% of each row", fontsize=10, loc="right")


_LONGEST: Final = 24


def _plain(label: str) -> str:
    """Keep matplotlib from taking what is between dollar signs for a formula, and a name from filling the picture."""
    short = label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
    return short.replace("$", r"\$")


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
    with replacing(path) as partial, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the font has not the letters of all languages
        report_figure(title, result).savefig(partial, format="png", dpi=90)
