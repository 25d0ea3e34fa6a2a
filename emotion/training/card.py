"""The manifest told in words: the table of scores and the model card. Every number comes from the manifest."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas

_PARTS: Final = {
    "test": "all {n:,} test faces",
    "test_without_copies": "the {n:,} without near-copies",
    "ferplus_majority": "most of ten people (FER+), {n:,} faces",
    "table_labels": "the table's labels",
}

_FEATURE_NAMES: Final = {"network": "the embedding by a convolutional network of its own", "pixels": "the pixels"}

_ROW_NAMES: Final = {
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
    str, a Markdown table: a row for the dummy, the model without resampling, each model and the vote

    Raises
    ------
    ValueError
        If `pixels` was measured on another number of faces.
    """
    scores = manifest["scores"]
    parts = [part for part in _PARTS if part in scores["vote"]]
    titles = [title for part in parts for title in _titles(part, scores["vote"][part]["faces"])]
    if pixels is not None:
        if pixels["scores"]["vote"]["test"]["faces"] != scores["vote"]["test"]["faces"]:
            raise ValueError("the two sets of models were not measured on the same faces")
        titles.append("accuracy of such models on pixels, all test faces")
    lines = [f"| | {' | '.join(titles)} |", f"|---|{'---:|' * len(titles)}"]
    for name, measured in scores.items():
        cells = [f"{measured[part][figure]:.1%}" for part in parts for figure in _figures(part)]
        if pixels is not None:
            cells.append(f"{pixels['scores'][name]['test']['accuracy']:.1%}")
        lines.append(f"| {_ROW_NAMES.get(name, f'`{name}`')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _figures(part: str) -> tuple[str, ...]:
    return ("accuracy", "macro_f1") if part.startswith("test") else ("accuracy",)


def _titles(part: str, faces: int) -> list[str]:
    title = _PARTS[part].format(n=faces)
    return [f"accuracy, {title}", "macro-F1"] if part.startswith("test") else [f"agreement with {title}"]


def score_frame(manifest: Mapping[str, Any]) -> "pandas.DataFrame":
    """Lay out what was measured, as a DataFrame.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    DataFrame of float, 0-1: a row for the dummy, the model without resampling, each model and the vote; for each part
    of the test faces the columns `accuracy` and `macro-F1`, below the part's name
    """
    import pandas

    scores = manifest["scores"]
    columns = {
        (_PARTS[part].format(n=scores["vote"][part]["faces"]), title): [
            measured[part][f] for measured in scores.values()
        ]
        for part in _PARTS
        if part in scores["vote"]
        for f, title in (("accuracy", "accuracy"), ("macro_f1", "macro-F1"))
    }
    names = [re.sub("[*`]", "", _ROW_NAMES.get(name, name)) for name in scores]
    return pandas.DataFrame(columns, index=names)


def resampling_table(manifest: Mapping[str, Any]) -> str:
    """Lay out how many rows each class had before and after resampling, as Markdown.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, a Markdown table: a row for each class, a column for each experiment
    """
    experiments = manifest["experiments"]
    head = " | ".join(f"{e['number']}: {e['resampling']}, weights {e['class_weight'] or 'none'}" for e in experiments)
    lines = [f"| | before | {head} |", "|---|---:|" + "---:|" * len(experiments)]
    for label in manifest["classes"]:
        after = " | ".join(f"{e['rows_after'][label]:,}" for e in experiments)
        lines.append(f"| {_plain(label)} | {manifest['rows']['train_classes'][label]:,} | {after} |")
    return "\n".join(lines)


def recall_table(manifest: Mapping[str, Any], part: str = "test") -> str:
    """Lay out what share of each class the vote finds, as Markdown.

    Parameters
    ----------
    manifest : mapping, as training writes it
    part : str, of the test faces: "test" for all of them, "test_without_copies"

    Returns
    -------
    str, a Markdown table of one row
    """
    recall = manifest["scores"]["vote"][part]["recall"]
    return "\n".join(
        [
            f"| {' | '.join(map(_plain, recall))} |",
            f"|{'---:|' * len(recall)}",
            f"| {' | '.join(f'{share:.1%}' for share in recall.values())} |",
        ]
    )


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
    of_people = manifest.get("labels") == "people"
    on_pixels = manifest["experiments"][0]["features"] == "pixels"
    whose_labels = (
        f"""

The label of a face is what at least five of ten people saw in it (FER+, Barsoum et al., 2016), and not the one that the
table has for it. {rows["undecided_removed"]:,} faces of all parts were left out: people did not agree on them, or saw
something else than these classes."""
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
    with_votes = of_people or "ferplus_majority" in manifest["scores"]["vote"]
    command = (
        f"{' --features pixels' if on_pixels else ''}"
        f"{' --votes ferplus_votes.csv' if with_votes else ''}"
        f"{' --learn-votes' if of_people else ''}"
        f"{' --out FOLDER' if on_pixels or of_people else ''}"
    )
    libraries = ", ".join(f"{name} {version}" for name, version in manifest["libraries"].items())
    experiments = "\n".join(
        f"- **{e['number']}**: {e['resampling']}, class weights {e['class_weight'] or 'none'} -> "
        f"{', '.join(f'`{name}.onnx`' for name in e['models'])}, behind `pipeline_{e['number']}.onnx` "
        f"({e['components']} principal components of {_FEATURE_NAMES[e['features']]})"
        for e in manifest["experiments"]
    )
    return f"""# Model card

Five classifiers of facial expressions that vote. This page is written by the training program from `manifest.json`.

## What they are

{experiments}

Where there are networks, they were trained before and stay as they are; `notebooks/Face_Embedding.ipynb` shows how
those that come with the project were made.

`model_1` to `model_3` stack a support vector machine, a logistic regression and XGBoost under gradient boosting, on
probabilities; the others are XGBoost alone. A vote is the majority of the five ballots; a tie goes to the tied class
with the highest mean probability. Classes: {", ".join(map(_plain, manifest["classes"]))}.

The probability of a vote is the mean over the five, raised to the power of one over {calibration["temperature"]:.2f}
and made to sum to 1 again. Votes whose label is less probable than {calibration["uncertain_below"]:.2f} are called
*uncertain*. Both figures were measured on {rows["validation"]:,} validation faces.

Input is a face of 48x48 grey pixels. The files are ONNX graphs; their checksums stand in `manifest.json`.

## What they were trained on

{rows["given"]:,} faces were given, training and test part together. Removed before training:
{rows["duplicates_removed"]:,} repetitions, {rows["conflicts_removed"]:,} pictures labelled in two ways,
{rows["copies_removed"]:,} near-copies of test faces and {rows["validation_copies_removed"]:,} of validation faces.
{rows["train"]:,} were left to train on and {rows["validation"]:,} to make choices by; the fingerprint of these and of
the test faces is `{manifest["data_fingerprint"][:16]}`.{left_out}{whose_labels}

Rows of each class, before and after resampling:

{resampling_table(manifest)}

## How good they are

Measured on {rows["test"]:,} test faces that were set aside before anything was fitted. Of these,
{rows["test"] - rows["test_without_copies"]:,} have a near-copy among the faces that were given for training (the copies
were removed); the third and the fourth column of figures leave them out.

{score_table(manifest)}{worth_of_copies}

The share of each class that the vote finds, on all test faces:

{recall_table(manifest)}

What votes claim differs from how often they are right by {measured["expected_error"]:.1%} on average (expected
calibration error). {measured["uncertain"]:.1%} of the votes are called uncertain; {measured["uncertain_precision"]:.1%}
of these are right, and {measured["certain_precision"]:.1%} of the others. By what a vote claims for its label:

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
