"""Scores told: lines for the terminal, and pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from emotion.runtime.files import replacing
from emotion.training.evaluation import Reliability, Score


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


def score_lines(scores: Mapping[str, Score]) -> str:
    """Lay scores out as a table for the terminal.

    Parameters
    ----------
    scores : mapping of name to Score

    Returns
    -------
    str, a header and one line a name
    """
    lines = [f"{'':<14} {'accuracy':>9} {'macro-F1':>9} {'faces':>7}"]
    lines += [f"{name:<14} {s.accuracy:>9.1%} {s.macro_f1:>9.1%} {s.n:>7,}" for name, s in scores.items()]
    return "\n".join(lines)


def class_line(of_vote: Score) -> str:
    """Say for the terminal what share of each class the vote finds.

    Parameters
    ----------
    of_vote : Score

    Returns
    -------
    str, of the classes that there are faces of
    """
    shares = zip(of_vote.classes, of_vote.recall, of_vote.support, strict=True)
    return f"The vote finds {', '.join(f'{share:.1%} of {label}' for label, share, faces in shares if faces)}."


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
        f"What votes claim differs from how often they are right by {measured.expected_error:.1%} on average; "
        f"{measured.uncertain:.1%} are uncertain, of which {measured.uncertain_precision:.1%} are right, of the others "
        f"{measured.certain_precision:.1%}."
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
