"""The manifest told in words: the table of scores and the model card. Every number comes from the manifest."""

from collections.abc import Mapping
from typing import Any


def score_table(manifest: Mapping[str, Any]) -> str:
    """Lay out what was measured, as Markdown.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, a Markdown table: a row for the dummy, each model and the vote
    """
    scores = manifest["scores"]
    rows = manifest["rows"]
    lines = [
        f"| | accuracy, all {rows['test']:,} test faces | macro-F1 | accuracy, the {rows['test_without_copies']:,} "
        "without near-copies | macro-F1 |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, parts in scores.items():
        cells = " | ".join(
            f"{parts[part][figure]:.1%}"
            for part in ("test", "test_without_copies")
            for figure in ("accuracy", "macro_f1")
        )
        lines.append(f"| {_row_name(name)} | {cells} |")
    return "\n".join(lines)


def _row_name(name: str) -> str:
    return {"dummy": "always the commonest class", "vote": "**vote of the five**"}.get(name, f"`{name}`")


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
        lines.append(f"| {label} | {manifest['rows']['train_classes'][label]:,} | {after} |")
    return "\n".join(lines)


def recall_table(manifest: Mapping[str, Any]) -> str:
    """Lay out what share of each class the vote finds, as Markdown.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, a Markdown table of one row
    """
    recall = manifest["scores"]["vote"]["test"]["recall"]
    return "\n".join(
        [
            f"| {' | '.join(recall)} |",
            f"|{'---:|' * len(recall)}",
            f"| {' | '.join(f'{share:.1%}' for share in recall.values())} |",
        ]
    )


def model_card(manifest: Mapping[str, Any]) -> str:
    """Write the model card.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, Markdown
    """
    rows = manifest["rows"]
    libraries = ", ".join(f"{name} {version}" for name, version in manifest["libraries"].items())
    experiments = "\n".join(
        f"- **{e['number']}**: {e['resampling']}, class weights {e['class_weight'] or 'none'} -> "
        f"{', '.join(f'`{name}.onnx`' for name in e['models'])}, behind `pipeline_{e['number']}.onnx` "
        f"({e['components']} principal components of the pixels)"
        for e in manifest["experiments"]
    )
    return f"""# Model card

Five classifiers of facial expressions that vote. This page is written by the training program from `manifest.json`.

## What they are

{experiments}

`model_1` to `model_3` stack a support vector machine, a logistic regression and XGBoost under gradient boosting, on
probabilities; the others are XGBoost alone. A vote is the majority of the five ballots; a tie goes to the tied class
with the highest mean probability. Classes: {", ".join(manifest["classes"])}.

Input is a face of 48x48 grey pixels. The files are ONNX graphs; their checksums stand in `manifest.json`.

## What they were trained on

{rows["given"]:,} faces were given, training and test part together. Removed before training:
{rows["duplicates_removed"]:,} repetitions, {rows["conflicts_removed"]:,} pictures labelled in two ways, and
{rows["copies_removed"]:,} near-copies of test faces. {rows["train"]:,} were left to train on; the fingerprint of
these and of the test faces is `{manifest["data_fingerprint"][:16]}`. Rows of each class, before and after resampling:

{resampling_table(manifest)}

## How good they are

Measured on {rows["test"]:,} test faces that were set aside before anything was fitted. Of these,
{rows["test"] - rows["test_without_copies"]:,} have a near-copy among the faces that were given for training (the copies
were removed); the right half of the table leaves them out.

{score_table(manifest)}

The share of each class that the vote finds, on all test faces:

{recall_table(manifest)}

On the test faces the ONNX files gave other ballots than the fitted scikit-learn objects this often:
{", ".join(f"`{name}` {count}" for name, count in manifest["differing_ballots"].items())}.

## What they must not be used for

An expression is not a feeling: a face may smile without joy. Labels are what somebody thought that strangers'
pictures show, and people agree on them only in part. Do not use the models to judge people, at work or in school (the
EU AI Act, Regulation 2024/1689, Article 5(1)(f), forbids inferring emotions there), nor where a mistake has
consequences. Pictures from the web over-represent posed faces and some groups of people; accuracy differs between
groups and was not measured by group.

## How to make them again

`python -m emotion train --data data.csv`, with `--test test.csv` where the data set has a test part; seed
{manifest["seed"]}, {libraries}.
"""
