"""What was measured, laid out as tables. Every number comes from the manifest."""

import re
from collections.abc import Mapping
from typing import Any, Final

from emotion.training.evaluation import FEW, HARDLY_ANY, accuracy_told, macro_f1_told, told

PARTS: Final = {
    "test": "the table's labels",
    "test_without_copies": "the same without near-copies",
    "ferplus_majority": "most of ten people",
    "ferplus_without_copies": "the same without near-copies",
    "ferplus_protocol": "most of ten people, Contempt too",
    "cross_validation": "repeated cross-validation",
}
"""What the scores of the manifest are against. With Contempt too is how the literature counts: it is always wrong."""

WITHOUT_COPIES: Final = {"test_without_copies": "test", "ferplus_without_copies": "ferplus_majority"}
"""Parts, and what each was taken from."""

ROW_NAMES: Final = {
    "dummy": "always the commonest class",
    "unresampled": "XGBoost as in `model_boost_1`, without resampling and weights",
    "vote": "**vote of the five**",
}


def score_table(manifest: Mapping[str, Any], pixels: Mapping[str, Any] | None = None) -> str:
    """Lay out what was measured, as Markdown.

    Parameters
    ----------
    manifest : mapping, as training writes it
    pixels : mapping, optional
        The manifest of models that were trained on pixels, with the same test faces, to stand beside them.

    Returns
    -------
    str, a Markdown table of accuracies and, in brackets, macro-F1: a row for the dummy, the model without resampling,
    each model and the vote; of fewer than `FEW` faces, how many are right, as `told` says it

    Raises
    ------
    ValueError
        If `pixels` was measured on another number of faces.
    """
    scores = manifest["scores"]
    if not scores:
        return "Nothing was measured."
    parts = [part for part in PARTS if was_measured(part, scores["vote"])]
    titles = [f"{PARTS[part]}, {scores['vote'][part]['faces']:,} faces" for part in parts]
    if pixels is not None:
        if pixels["scores"]["vote"]["test"]["faces"] != scores["vote"]["test"]["faces"]:
            raise ValueError("the two sets of models were not measured on the same faces")
        titles.append("such models on pixels, the table's labels")
    lines = [f"| | {' | '.join(titles)} |", f"|---|{'---:|' * len(titles)}"]
    for name, measured in scores.items():
        of = [measured[part] for part in parts] + ([] if pixels is None else [pixels["scores"][name]["test"]])
        cells = [f"{f['accuracy']:.1%} ({macro_f1_told(f)})" if f["faces"] >= FEW else accuracy_told(f) for f in of]
        lines.append(f"| {ROW_NAMES.get(name, f'`{name}`')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def resampling_table(manifest: Mapping[str, Any]) -> str:
    """Lay out how many rows each class had before and after resampling, as Markdown.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, a Markdown table: a row for each class, two columns for each experiment
    """
    experiments = manifest["experiments"]
    head = " | ".join(
        f"{e['number']}: before | {e['resampling']}, weights {e['class_weight'] or 'none'}" for e in experiments
    )
    lines = [f"| | {head} |", "|---|" + "---:|---:|" * len(experiments)]
    for label in manifest["classes"]:
        counts = " | ".join(f"{e['rows_before'][label]:,} | {e['rows_after'][label]:,}" for e in experiments)
        lines.append(f"| {plain(label)} | {counts} |")
    return "\n".join(lines)


def class_table(classes: Mapping[str, Mapping[str, int]], independent: float = 1.0) -> str:
    """Lay out how often votes are right of each class, as Markdown.

    Parameters
    ----------
    classes : mapping of label to its ``faces``, how many of these are voted ``right``, and how many votes of any face
        say so (``voted``), as `emotion.training.evaluation.Score.summary` gives it
    independent : float, 0-1, as in `emotion.training.evaluation.interval`

    Returns
    -------
    str, a Markdown table: a row for each class, with its recall and precision and their 95 % intervals
    """
    lines = ["| | faces | found (recall) | right of such votes (precision) |", "|---|---:|---:|---:|"]
    for label, counts in classes.items():
        recall, precision = (told(counts["right"], counts[of], independent) for of in ("faces", "voted"))
        lines.append(f"| {plain(label)} | {counts['faces']:,} | {recall} | {precision} |")
    return "\n".join(lines)


def reliability_table(manifest: Mapping[str, Any]) -> str:
    """Lay out how often votes were right that claimed a probability, as Markdown.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, a Markdown table: a row for each bin of probabilities; of fewer than `HARDLY_ANY` faces, no share is told
    """
    bins = manifest["reliability"]["bins"]
    lines = ["| claimed probability | right | faces |", "|---:|---:|---:|"]
    for claimed, right, faces in zip(bins["confidence"], bins["precision"], bins["faces"], strict=True):
        lines.append(f"| {claimed:.1%} | {f'{right:.1%}' if faces >= HARDLY_ANY else '–'} | {faces:,} |")
    return "\n".join(lines)


def elsewhere_table(manifest: Mapping[str, Any]) -> str:
    """Lay out how often the whole way from picture to vote was right on sets from elsewhere, as Markdown.

    Parameters
    ----------
    manifest : mapping, with what `benchmarks/truth.py` measured, under ``elsewhere``

    Returns
    -------
    str, a Markdown table: a row for each set
    """
    lines = [
        "| | pictures | a face found | found and right | right of the found | votes claim | right of the certain |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, measured in manifest["elsewhere"].items():
        lines.append(
            f"| {name} | {measured['pictures']:,} | {measured['found'] / measured['pictures']:.1%} | "
            f"{told(measured['right'], measured['pictures'])} | {told(measured['right'], measured['found'])} | "
            f"{measured['claimed']:.1%} | {told(measured['certain_right'], measured['certain'])} |"
        )
        if "natural" in measured:
            natural = measured["natural"]
            lines.append(
                f"| {name}, each expression as frequent as there | | | | {natural['right']:.1%} | "
                f"{natural['claimed']:.1%} | {natural['certain_right']:.1%} |"
            )
    return "\n".join(lines)


def elsewhere_text(manifest: Mapping[str, Any]) -> str:
    """Tell what was measured on sets from elsewhere, as Markdown: the sets, then each class.

    Parameters
    ----------
    manifest : mapping, as `elsewhere_table` takes it

    Returns
    -------
    str
    """
    classes = "\n\n".join(
        f"{name}:\n\n{class_table(measured['classes'])}" for name, measured in manifest["elsewhere"].items()
    )
    return f"""The whole way from picture to vote, on public sets that nothing was trained on. `docs/accuracy.md` tells
which choices were made by them.

{elsewhere_table(manifest)}

{classes}"""


def was_measured(part: str, scores: Mapping[str, Any]) -> bool:
    """Tell whether a part is worth a place of its own.

    Parameters
    ----------
    part : str, one of `PARTS`
    scores : mapping of part to what was measured, of one model

    Returns
    -------
    bool: whether it was measured and, if near-copies were left out of it, there were any
    """
    whole = scores.get(WITHOUT_COPIES.get(part, ""))
    return part in scores and (whole is None or whole["faces"] != scores[part]["faces"])


def plain(label: str) -> str:
    """Keep Markdown, as the page draws it, from taking a name for anything but a text.

    Parameters
    ----------
    label : str

    Returns
    -------
    str
    """
    return re.sub(r"[\\`*_\[\]<>|$:~]", r"\\\g<0>", label)
