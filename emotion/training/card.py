"""The manifest told in words: the table of scores and the model card. Every number comes from the manifest."""

import re
from collections.abc import Mapping
from typing import Any, Final

from emotion.training.evaluation import told

PARTS: Final = {
    "test": "the table's labels",
    "test_without_copies": "the same without near-copies",
    "ferplus_majority": "most of ten people",
    "ferplus_without_copies": "the same without near-copies",
    "ferplus_protocol": "most of ten people, Contempt too",
}
"""What the scores of the manifest are against. The last is how the literature counts: Contempt is always wrong."""

_FEATURE_NAMES: Final = {"network": "the embedding by `network_{number}.onnx`", "pixels": "the pixels"}

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
    each model and the vote

    Raises
    ------
    ValueError
        If `pixels` was measured on another number of faces.
    """
    scores = manifest["scores"]
    parts = [part for part in PARTS if part in scores["vote"]]
    titles = [f"{PARTS[part]}, {scores['vote'][part]['faces']:,} faces" for part in parts]
    if pixels is not None:
        if pixels["scores"]["vote"]["test"]["faces"] != scores["vote"]["test"]["faces"]:
            raise ValueError("the two sets of models were not measured on the same faces")
        titles.append("such models on pixels, the table's labels")
    lines = [f"| | {' | '.join(titles)} |", f"|---|{'---:|' * len(titles)}"]
    for name, measured in scores.items():
        of = [measured[part] for part in parts] + ([] if pixels is None else [pixels["scores"][name]["test"]])
        cells = [f"{figures['accuracy']:.1%} ({figures['macro_f1']:.1%})" for figures in of]
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
        lines.append(f"| {_plain(label)} | {counts} |")
    return "\n".join(lines)


def class_table(classes: Mapping[str, Mapping[str, int]]) -> str:
    """Lay out how often votes are right of each class, as Markdown.

    Parameters
    ----------
    classes : mapping of label to its ``faces``, how many of these are voted ``right``, and how many votes of any face
        say so (``voted``), as `emotion.training.evaluation.Score.summary` gives it

    Returns
    -------
    str, a Markdown table: a row for each class, with its recall and precision and their 95 % intervals
    """
    lines = ["| | faces | found (recall) | right of such votes (precision) |", "|---|---:|---:|---:|"]
    for label, counts in classes.items():
        recall, precision = (told(counts["right"], counts[of]) for of in ("faces", "voted"))
        lines.append(f"| {_plain(label)} | {counts['faces']:,} | {recall} | {precision} |")
    return "\n".join(lines)


def reliability_table(manifest: Mapping[str, Any]) -> str:
    """Lay out how often votes were right that claimed a probability, as Markdown.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, a Markdown table: a row for each bin of probabilities
    """
    bins = manifest["reliability"]["bins"]
    lines = ["| claimed probability | right | test faces |", "|---:|---:|---:|"]
    for claimed, right, faces in zip(bins["confidence"], bins["precision"], bins["faces"], strict=True):
        lines.append(f"| {claimed:.1%} | {right:.1%} | {faces:,} |")
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


def _plain(label: str) -> str:
    """Keep Markdown, as the page draws it, from taking a name for anything but a text."""
    return re.sub(r"[\\`*_\[\]<>|$:~]", r"\\\g<0>", label)


def model_card(manifest: Mapping[str, Any]) -> str:
    """Write the model card.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, Markdown
    """
    rows, calibration, measured = manifest["rows"], manifest["calibration"], manifest["reliability"]
    of_people = manifest["labels"] == "votes"
    on_pixels = manifest["experiments"][0]["features"] == "pixels"
    whose_labels = (
        """

Ten people each said what they see in a face (FER+, Barsoum et al., 2016). Models learn these votes as they are, with
the table's label as one more: each experiment draws what it takes a face for, each class as probable as the share of
people who saw it. Faces on which people disagreed stay in."""
        if of_people
        else ""
    )
    # They are known by codes that stay the same in another file, but not in another cut.
    left_out = (
        f"""

{rows["seen_removed"]:,} test faces that the networks had learnt were left out. Of others they may have learnt copies
that are cut differently; the columns without near-copies leave these out, too."""
        if rows.get("seen_removed")
        else ""
    )
    copies = manifest.get("near_copies")
    worth_of_copies = (
        f"""

{copies["same_label"]:.1%} of the faces with a near-copy have its label. Had the copies stayed, and had the vote done no
more than repeat their labels, it would be right on {copies["remembered"]["accuracy"]:.1%} of all test faces (macro-F1
{copies["remembered"]["macro_f1"]:.1%}). Figures that were measured with copies in the training part are to be compared
with these."""
        if copies
        else ""
    )
    scores = manifest["scores"]["vote"]
    judged, alone = ("ferplus_majority", "ferplus_without_copies") if of_people else ("test", "test_without_copies")
    right = "the share of people who see the same is" if of_people else "the share that is right is"
    with_votes = "ferplus_majority" in scores
    command = (
        f"{' --features pixels' if on_pixels else ''}"
        f"{' --votes ferplus_votes.csv' if with_votes else ''}"
        f"{' --learn-votes' if of_people else ''}"
        f"{' --out FOLDER' if on_pixels or of_people else ''}"
    )
    against = " against the share of people who saw it" if of_people else ""
    bound = calibration["uncertain_below"]
    how_sure = (
        f"""The probability of a class is the mean over the five, with a power and a factor of its own for each class.
Each class counting alike, they make the log loss least on {calibration["faces"]:,} validation faces{against}. Votes
whose label is less probable than {bound:.2f} are called *uncertain*: from there on, half are right by a logistic curve
through these faces. Of samples of these faces, 90 % have a bound from {calibration["interval"][0]:.2f} to
{calibration["interval"][1]:.2f}."""
        if calibration["interval"]
        else f"""The probability of a class is the mean over the five. {calibration["faces"]:,} validation faces
are too few to measure how far it can be believed: nothing was fitted, and it is no measured probability. Votes whose
label is less probable than {bound:.2f} are called *uncertain*."""
    )
    elsewhere = f"\n\n## On faces from elsewhere\n\n{elsewhere_text(manifest)}" if "elsewhere" in manifest else ""
    libraries = ", ".join(f"{name} {version}" for name, version in manifest["libraries"].items())
    experiments = "\n".join(
        f"- **{e['number']}**: {e['resampling']}, class weights {e['class_weight'] or 'none'} -> "
        f"{', '.join(f'`{name}.onnx`' for name in e['models'])}, behind `pipeline_{e['number']}.onnx` "
        f"({e['components']} principal components of {_FEATURE_NAMES[e['features']].format(number=e['number'])})"
        for e in manifest["experiments"]
    )
    return f"""# Model card

Five classifiers of facial expressions that vote. This page is written by the training program from `manifest.json`.

## What they are

{experiments}

Where there are networks, they were trained before and stay as they are; the manifest names them by their content.
`notebooks/Face_Embedding.ipynb` shows how those that come with the project were made.

`model_1` to `model_3` stack a support vector machine, a logistic regression and XGBoost under gradient boosting, on
probabilities; the others are XGBoost alone. A vote is the majority of the five ballots; a tie goes to the tied class
with the highest mean probability. Classes: {", ".join(map(_plain, manifest["classes"]))}.

{how_sure}

Input is a face of 48x48 grey pixels. The files are ONNX graphs; their checksums stand in `manifest.json`.

## What they were trained on

{rows["given"]:,} faces were given, training and test part together. Removed before training:
{rows["duplicates_removed"]:,} repetitions, {rows["conflicts_removed"]:,} pictures labelled in two ways,
{rows["copies_removed"]:,} near-copies of test faces and {rows["validation_copies_removed"]:,} of validation faces.
{rows["train"]:,} were left to train on and {rows["validation"]:,} to make choices by; the fingerprint of these and of
the test faces is `{manifest["data_fingerprint"][:16]}`.{left_out}{whose_labels}

Rows of each class, before and after resampling, in each experiment:

{resampling_table(manifest)}

## How good they are

Measured on {rows["test"]:,} test faces that were set aside before anything was fitted. Of these,
{rows["test"] - rows["test_without_copies"]:,} have a near-copy among the faces that were given for training (the copies
were removed); columns without near-copies leave them out. The share of faces that is right and, in brackets, macro-F1:

{score_table(manifest)}{worth_of_copies}

How often the vote is right of each class, with 95 % intervals, against {PARTS[judged]}:

{class_table(scores[judged]["classes"])}

The same without near-copies:

{class_table(scores.get(alone, scores[judged])["classes"])}{elsewhere}

## How sure they are

Votes claim {measured["claimed"]:.1%} for their labels on average, and {right} {measured["right"]:.1%}. By what a vote
claims, the two differ by {measured["expected_error"]:.1%} on average (expected calibration error); for all classes
together, whether they are the label or not, by {measured["class_error"]:.1%}. {measured["uncertain"]:.1%} of the votes
are called uncertain; {right} {measured["uncertain_precision"]:.1%} of these, and {measured["certain_precision"]:.1%} of
the others.

{reliability_table(manifest)}

On the test faces the ONNX files gave other ballots than the fitted scikit-learn objects this often:
{", ".join(f"`{name}` {count}" for name, count in manifest["differing_ballots"].items())}.

## What they must not be used for

An expression is not a feeling: a face may smile without joy. Labels are what somebody thought that strangers'
pictures show, and people agree on them only in part. Do not use the models to judge people, at work or in school (the
EU AI Act, Regulation 2024/1689, Article 5(1)(f), forbids inferring emotions there), nor where a mistake has
consequences. Pictures from the web over-represent posed faces and some groups of people; accuracy differs between
groups and was not measured by group.

## How to make them again

`python -m emotion train --data data.csv{command}`,
with `--test test.csv` where the data set has a test part; seed {manifest["seed"]}, {libraries}.
"""
