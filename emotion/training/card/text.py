"""The model card: from what a teacher would say to what an expert asks for. Every number comes from the manifest."""

from collections.abc import Mapping
from typing import Any, Final

from emotion.labels import knows_calm
from emotion.training.card.tables import (
    PARTS,
    WITHOUT_COPIES,
    class_table,
    elsewhere_text,
    plain,
    reliability_table,
    resampling_table,
    score_table,
    was_measured,
)
from emotion.training.evaluation import FEW, HARDLY_ANY, accuracy_told, macro_f1_told, told

_NAMED: Final = {"ferplus_majority": "that most people call"}
"""How faces of a class are spoken of, where their labels are not the table's."""

MATRIX: Final = "Confusion matrix of the vote on faces that were not learnt"
CLAIMS: Final = "What votes claim against how often they are right"

NO_CALM: Final = "**These models know no calm face: each one is called one of {}.**"


def findings(confusion: Mapping[str, Any]) -> str:
    """Tell of each class how many of its faces the vote finds, and what it takes most others for, as Markdown.

    Parameters
    ----------
    confusion : mapping, as training writes it: the ``part`` of the scores that it is of, the ``classes``, and ``rows``,
        one a true class, of how many of its faces the vote gave to each class

    Returns
    -------
    str, a list of sentences, one a class; of fewer than `FEW` faces, all are told and no share
    """
    lines = []
    for code, row in enumerate(confusion["rows"]):
        faces, labels = sum(row), [f"*{plain(label)}*" for label in confusion["classes"]]
        kind = f"{_NAMED.get(confusion['part'], 'labelled')} {labels[code]}"
        if not faces:
            lines.append(f"- There was no face {kind}.")
            continue
        of = 100 if faces >= FEW else faces
        counts = {label: round(of * count / faces) for label, count in zip(labels, row, strict=True)}
        found = counts.pop(labels[code])
        others = sorted(((count, label) for label, count in counts.items() if count), key=lambda pair: -pair[0])[:2]
        calls = f"; it calls {' and '.join(f'{count} {label}' for count, label in others)}" if others else ""
        which = "only " if faces < HARDLY_ANY else "the " if faces < FEW else ""
        lines.append(f"- Of {which}{of} {'face' if of == 1 else 'faces'} {kind} the vote finds {found}{calls}.")
    return "\n".join(lines)


def _tried(manifest: Mapping[str, Any]) -> str:
    """How good the models are, as somebody would say it to a class; where nothing was measured, why."""
    judged = manifest.get("judged", {"by": "test"})
    if "confusion" not in manifest:
        return f"How good they are was not measured. {plain(judged.get('why', ''))}".strip()
    part = manifest["confusion"]["part"]
    vote, commonest = (manifest["scores"][name][part] for name in ("vote", "dummy"))
    by_vote, by_habit = (
        f"{100 * figures['accuracy']:.0f} of 100" if vote["faces"] >= FEW else accuracy_told(figures)
        for figures in (vote, commonest)
    )
    shown = [row for row in manifest["confusion"]["rows"] if sum(row)]
    one = " All of them are of one expression: that says nothing of the others." if len(shown) == 1 else ""
    if judged["by"] == "cross-validation":
        how = f"""There were too few faces to set some aside. So models like these learnt from a part of them and were
tried on the rest, {judged["folds"]} times, until each face had been tried; and all this {judged["repeats"]} times
(repeated cross-validation). The models in this folder learnt in the same way, from all faces."""
    else:
        people = ", and of which ten people had said what they see" if part in _NAMED else ""
        how = f"Tried on {vote['faces']:,} faces that were set aside before anything was learnt{people}."
    return f"""{how}

{findings(manifest["confusion"])}

All in all the vote is right on {by_vote} such faces. Somebody who always says the commonest expression is right on
{by_habit}.{one}

![{MATRIX}](final_model.png)

How to read this picture, the confusion matrix: each row is one expression. It shows to which expressions the vote gives
the faces of that row. On the diagonal it is right; every other dark field is a mix-up."""


def _way(manifest: Mapping[str, Any]) -> str:
    """The way of a face to its vote, as a diagram that GitHub draws; `emotion.page.models.drawings` draws its own."""
    lines = ["```mermaid", "flowchart TB"]
    for e in manifest["experiments"]:
        first = f"seen{e['number']}[{'network' if e['features'] == 'network' else 'pixels'} {e['number']}]"
        lines.append(f'  face["a face, 48 x 48 grey pixels"] --> {first} --> {" & ".join(e["models"])}')
        lines.append(f'  {" & ".join(e["models"])} --> vote["vote: what most of the five say"]')
    return "\n".join([*lines, "```"])


def _how_sure(manifest: Mapping[str, Any]) -> str:
    calibration, held, of_people = manifest["calibration"], manifest.get("reliability"), manifest["labels"] == "votes"
    measured = calibration["interval"] is not None
    right = "the share of people who see the same is" if of_people else "the share that is right is"
    if measured:
        bound, (low, high) = calibration["uncertain_below"], calibration["interval"]
        text = f"""The probability of a class is the mean over the five models, made believable (*calibration*): with a
power and a factor of its own for each class. Each class counting alike, they fit best to {calibration["faces"]:,}
validation faces{", to the shares of people who saw each class" if of_people else ""} (least log loss, in
which it costs most to be sure and wrong). Votes whose
label is less probable than {bound:.2f} are called *uncertain*: from there on, half are right by a smooth curve
(logistic) through these faces. Of samples of these faces, 90 % have a bound from {low:.2f} to {high:.2f}."""
    else:
        text = f"""Probabilities were not adjusted to how often votes are right:
{calibration["faces"]:,} validation faces are too few. The probability of a class is the
mean over the five models, as they gave it. No vote is called uncertain for it."""
    if held is None:
        return f"{text} Nor were there faces enough to say how often votes are right that claim a probability."
    uncertain = f""" {held["uncertain"]:.1%} of the votes are called uncertain; {right}
{held["uncertain_precision"]:.1%} of these, and {held["certain_precision"]:.1%} of the others."""
    return f"""{text}

Votes claim {held["claimed"]:.1%} for their labels on average, and {right} {held["right"]:.1%}. By what a vote claims,
the two differ by {held["expected_error"]:.1%} on average (expected calibration error); for all classes together,
whether they are the label or not, by {held["class_error"]:.1%}.{uncertain if measured else ""}

![{CLAIMS}](reliability.png)

{reliability_table(manifest)}"""


def _learnt(manifest: Mapping[str, Any]) -> str:
    rows = manifest["rows"]
    text = f"""{rows["given"]:,} faces were given, those to judge by among them. Removed before training:
{rows["duplicates_removed"]:,} repetitions, {rows["conflicts_removed"]:,} pictures labelled in two ways, and near-copies
(the same photograph again, shifted, or with a mark or another brightness): {rows["copies_removed"]:,} of test faces and
{rows["validation_copies_removed"]:,} of validation faces. {rows["train"]:,} were left to train on and
{rows["validation"]:,} to make choices by (validation faces)."""
    if manifest["labels"] == "votes":
        text += """

Ten people each said what they see in a face (FER+, Barsoum et al., 2016). Models learn these votes as they are, with
the table's label as one more: each experiment draws what it takes a face for, each class as probable as the share of
people who saw it. Faces on which people disagreed stay in."""
    if rows.get("seen_removed"):  # known by codes that stay the same in another file, but not in another cut
        text += f"""

{rows["seen_removed"]:,} test faces that the networks had learnt were left out. Of others they may have learnt copies
that are cut differently; the columns without near-copies leave these out, too."""
    return f"""{text}

Rows of each class, before and after resampling, in each experiment:

{resampling_table(manifest)}"""


def _figures(manifest: Mapping[str, Any]) -> str:
    if not manifest["scores"]:
        return "Nothing was measured."
    scores, rows, copies = manifest["scores"]["vote"], manifest["rows"], manifest.get("near_copies")
    text = f"""The share of faces that is right and, in brackets, *macro-F1*: F1 joins how many faces of a class are
found and how many votes for it are right; macro-F1 is its mean over the classes, each counted alike, however rare. Of
fewer than {FEW} faces stands how many are right and, in brackets, between which shares the true one lies (95 %).

{score_table(manifest)}"""
    if copies:
        copied = rows["test"] - rows["test_without_copies"]
        same = told(round(copies["same_label"] * copied), copied)
        text += f"""

{copied:,} of the {rows["test"]:,} test faces have a near-copy among the faces that
were given for training; columns without near-copies leave them out. {same} of these have the
label of their copy. Had the copies stayed, and had the vote done no more than repeat their labels, it would be right on
{accuracy_told(copies["remembered"])} of all test faces (macro-F1 {macro_f1_told(copies["remembered"])}). Figures that
were measured with copies in the training part are to be compared with these."""
    if "confusion" not in manifest:
        return text
    part = manifest["confusion"]["part"]
    text += f"""

How often the vote is right of each class, with 95 % intervals, against {PARTS[part]}:

{class_table(scores[part]["classes"], scores[part].get("independent", 1.0))}"""
    for alone in (name for name, whole in WITHOUT_COPIES.items() if whole == part and was_measured(name, scores)):
        text += f"\n\nThe same without near-copies:\n\n{class_table(scores[alone]['classes'])}"
    return text


def model_card(manifest: Mapping[str, Any]) -> str:
    """Write the model card.

    Parameters
    ----------
    manifest : mapping, as training writes it

    Returns
    -------
    str, Markdown
    """
    classes = [plain(label) for label in manifest["classes"]]
    of_people, on_pixels = manifest["labels"] == "votes", manifest["experiments"][0]["features"] == "pixels"
    trained = f" They were trained on {manifest['trained']}." if "trained" in manifest else ""
    calm = "" if knows_calm(manifest["classes"]) else f"\n\n{NO_CALM.format(', '.join(classes))}"
    seen = (
        "Models see the pixels of a face as they are."
        if on_pixels
        else """Each network makes a short list of numbers of a face (its *embedding*): faces that look alike have lists
that are alike. The networks were trained before and stay as they are; `notebooks/Face_Embedding.ipynb` shows how those
that come with the project were made."""
    )
    experiments = "\n".join(
        f"- {e['number']}: {', '.join(f'`{name}`' for name in e['models'])}, on {e['components']} numbers (principal "
        f"components); {e['resampling']}, class weights {e['class_weight'] or 'none'}"
        for e in manifest["experiments"]
    )
    elsewhere = f"\n\n## On faces from elsewhere\n\n{elsewhere_text(manifest)}" if "elsewhere" in manifest else ""
    ballots = ", ".join(f"`{name}` {count}" for name, count in manifest.get("differing_ballots", {}).items())
    differing = (
        f"""
On faces that were not learnt, the files gave other ballots than the fitted scikit-learn objects this often:
{ballots}."""
        if ballots
        else ""
    )
    command = (
        f"{' --features pixels' if on_pixels else ''}"
        f"{' --votes ferplus_votes.csv' if 'ferplus_majority' in manifest['scores'].get('vote', {}) else ''}"
        f"{' --learn-votes' if of_people else ''}"
        f"{' --out FOLDER' if on_pixels else ''}"
    )
    powers, shifts = (
        ", ".join(f"{value:g}" for value in manifest["calibration"][name]) for name in ("exponents", "shifts")
    )
    return f"""# Model card

Five models that each look at a face and say which expression people would see in it; what most of them say is the vote.
They know {", ".join(classes)}.{trained} Training writes this page; every number in it was measured.{calm}

## What they find, and what they mix up

{_tried(manifest)}

## The way of a face

{_way(manifest)}

{seen}

Of this, only the directions in which faces differ most are kept (*principal components*, PCA). On these, five models
learnt in three experiments, which treat rare classes differently. Each model names one class, its *ballot*. The class
with most ballots wins; a tie goes to the tied class with the highest mean probability.

So that rare classes are not overlooked, there is *resampling*: *SMOTE* adds rows to rare classes, each somewhere
between two real ones; *SMOTEENN* then removes rows whose neighbours are of another class. *Class weights* make mistakes
on rare classes cost more.

{experiments}

`model_1` to `model_3` *stack*: three kinds of models each give probabilities, and a fourth learns what to make of them.
The three are a support vector machine (it draws the border between classes that keeps farthest from their faces), a
logistic regression (it weighs the numbers and adds them up) and XGBoost (many small decision trees, each of which
mends what those before it got wrong); the fourth, gradient boosting, is made of such trees, too. The others are XGBoost
alone.

## What they must not be used for

An expression is not a feeling: a face may smile without joy. Labels are what somebody thought that strangers'
pictures show, and people agree on them only in part. Do not use the models to judge people, at work or in school (the
EU AI Act, Regulation 2024/1689, Article 5(1)(f), forbids inferring emotions there), nor where a mistake has
consequences. Pictures from the web over-represent posed faces and some groups of people; accuracy differs between
groups and was not measured by group.

## What they learnt from

{_learnt(manifest)}

## How good they are

{_figures(manifest)}{elsewhere}

## How sure they are

{_how_sure(manifest)}

## How to make them again

`python -m emotion train --data data.csv{command}`,
with `--test test.csv` where the data set has a test part. That writes to `my-models`; `--out FOLDER` names another
folder, and `--out models` replaces the models that ship.

## Versions and checksums

The files are ONNX graphs, a form of models that holds no programs; their checksums stand in `manifest.json`.
Fingerprint of the faces:
`{manifest["data_fingerprint"][:16]}`; seed {manifest["seed"]}.{differing}
Calibration, in the order of the classes: powers {powers}; logarithms of the factors {shifts}.
{", ".join(f"{name} {version}" for name, version in manifest["libraries"].items())}.
"""
