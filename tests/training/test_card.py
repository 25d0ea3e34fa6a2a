"""The model card is for a teacher first, holds at every size, and claims nothing that was not measured."""

import re
from typing import Any

import pytest

from emotion import config
from emotion.training.card import findings, model_card, score_table
from emotion.vote.loading import read_manifest


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return read_manifest(config.MODELS)


def words(card: str) -> str:
    return " ".join(card.split())


def of_few(manifest: dict[str, Any], judged: dict[str, Any], part: str = "", last: str = "Surprise") -> dict[str, Any]:
    """Models of three classes that were trained on few faces; with a part, judged on 33 of them."""
    left_out = {"confusion", "near_copies", "elsewhere", "reliability", "differing_ballots"}
    few = {name: value for name, value in manifest.items() if name not in left_out}
    nothing_fitted = {"exponents": [1.0] * 3, "shifts": [0.0] * 3, "uncertain_below": 0.0, "interval": None, "faces": 8}
    few |= {"classes": ["Happy", "Sad", last], "labels": "table", "calibration": nothing_fitted, "scores": {}}
    few["judged"] = judged
    rows_of = {name: dict.fromkeys(few["classes"], 20) for name in ("rows_before", "rows_after")}
    few["experiments"] = [experiment | rows_of for experiment in few["experiments"]]
    if part:
        rows = [[19, 1, 1], [2, 5, 0], [1, 1, 3]]
        classes = {
            label: {"faces": sum(row), "right": row[code], "voted": sum(r[code] for r in rows)}
            for code, (label, row) in enumerate(zip(few["classes"], rows, strict=True))
        }
        vote = {"faces": 33, "accuracy": 27 / 33, "macro_f1": 0.7, "classes": classes}
        few["scores"] = {"dummy": {part: vote | {"accuracy": 21 / 33}}, "vote": {part: vote}}
        few["confusion"] = {"part": part, "classes": few["classes"], "rows": rows}
    return few


def test_a_card_says_first_what_is_found_and_what_is_mixed_up(manifest: dict[str, Any]) -> None:
    """It began with SMOTE, PCA and names of files, and no teacher could explain the models from it."""
    card = model_card(manifest)
    found = card.index(
        "- Of 100 faces that most people call *Neutral* the vote finds 67; it calls 17 *Sad* and 4 *Angry*."
    )
    matrix = card.index("(final_model.png)")
    assert found < matrix < card.index("```mermaid")
    assert not re.search("SMOTE|PCA|onnx|F1|XGBoost|calibration", card[:matrix])


@pytest.mark.parametrize(
    ("term", "explained"),
    [
        ("embedding", "a short list of numbers of a face (its *embedding*)"),
        ("PCA", "the directions in which faces differ most are kept (*principal components*, PCA)"),
        ("ballot", "Each model names one class, its *ballot*"),
        ("SMOTE", "*SMOTE* adds rows to rare classes"),
        ("SMOTEENN", "*SMOTEENN* then removes rows"),
        ("macro-F1", "*macro-F1*: F1 joins how many faces"),
        ("near-copies", "near-copies (the same photograph again"),
        ("calibration", "made believable (*calibration*)"),
        ("stack", "*stack*: three kinds of models each give probabilities, and a fourth"),
    ],
)
def test_a_term_is_explained_where_it_first_stands(manifest: dict[str, Any], term: str, explained: str) -> None:
    card = words(model_card(manifest))
    first = re.search(rf"\b{term}\b", card)
    assert first is not None
    assert card.index(explained) <= first.start() < card.index(explained) + len(explained)


def test_versions_and_checksums_come_last(manifest: dict[str, Any]) -> None:
    before, last = model_card(manifest).split("## Versions and checksums")
    for detail in (manifest["data_fingerprint"][:16], str(manifest["seed"]), "scikit-learn 1", "1.0363"):
        assert detail in last
        assert detail not in before


def test_few_faces_are_told_by_their_count() -> None:
    """Three of five are not sixty of a hundred."""
    rows = [[300, 90, 10], [1, 20, 0], [1, 0, 0], [0, 0, 0]]
    told = findings({"part": "test", "classes": ["A", "B", "C", "D_"], "rows": [[*row, 0] for row in rows]})
    assert told.splitlines() == [
        "- Of 100 faces labelled *A* the vote finds 75; it calls 22 *B* and 2 *C*.",
        "- Of the 21 faces labelled *B* the vote finds 20; it calls 1 *A*.",
        "- Of only 1 face labelled *C* the vote finds 0; it calls 1 *A*.",
        r"- There was no face labelled *D\_*.",
    ]


def test_models_that_were_not_measured_claim_nothing(manifest: dict[str, Any]) -> None:
    few = of_few(manifest, {"by": "nothing", "faces": 0, "why": "Sad has a single face."})
    card = words(model_card(few))
    assert "How good they are was not measured. Sad has a single face." in card
    assert "Probabilities were not adjusted to how often votes are right: 8 validation faces are too few." in card
    assert "No vote is called uncertain for it" in card
    assert score_table(few) == "Nothing was measured."
    assert not re.search(r"\d %|\d%|\.png", card)


def test_models_that_were_judged_by_cross_validation_say_how(manifest: dict[str, Any]) -> None:
    judged = {"by": "cross-validation", "faces": 33, "folds": 5, "repeats": 4}
    card = words(model_card(of_few(manifest, judged, "cross_validation")))
    assert "tried on the rest, 5 times, until each face had been tried; and all this 4 times" in card
    assert "the vote is right on 27 of 33 (66 to 91 %) such faces. Somebody who always says the commonest" in card
    assert "- Of only 7 faces labelled *Sad* the vote finds 5; it calls 2 *Happy*." in card
    assert "| **vote of the five** | 27 of 33 (66 to 91 %) |" in card
    assert "| | repeated cross-validation, 33 faces |" in card


def test_models_that_know_no_calm_face_say_so(manifest: dict[str, Any]) -> None:
    """They call every calm face something else, and visitors wondered why they were sad."""
    few = of_few(manifest, {"by": "test", "faces": 33}, "test")
    assert "These models know no calm face: each one is called one of Happy, Sad, Surprise." in model_card(few)
    assert "no calm face" in model_card(of_few(manifest, few["judged"], last="abnormal"))
    for name in ("neutral", "Calm", "calm_face", "Neutre", "2-normal"):
        assert "no calm face" not in model_card(of_few(manifest, few["judged"], last=name))


def test_a_way_without_networks_shows_none(manifest: dict[str, Any]) -> None:
    experiments = [experiment | {"features": "pixels"} for experiment in manifest["experiments"]]
    card = model_card(manifest | {"experiments": experiments})
    assert "network" not in card.split("```mermaid")[1].split("```")[0]
    assert "Each network" not in card


def test_how_to_make_them_again_does_not_replace_the_models_that_ship(manifest: dict[str, Any]) -> None:
    again = words(model_card(manifest).split("## How to make them again")[1])
    assert "train --data data.csv --votes ferplus_votes.csv --learn-votes`" in again
    assert "That writes to `my-models`" in again
