"""What README, docs and cards say is what was measured, and the files that ship are those it was measured with."""

import hashlib
import json
import math
import re
import statistics
from pathlib import Path

import pytest

import emotion
from emotion import config
from emotion.data.seen import read_seen
from emotion.training.card import model_card, recall_table, score_frame, score_table
from emotion.vote.ensemble import read_manifest

README = (config.ROOT / "README.md").read_text(encoding="utf-8")
ACCURACY = (config.ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
PEOPLE = config.MODELS / "people"

both_sets = pytest.mark.parametrize("folder", [config.MODELS, PEOPLE], ids=lambda folder: folder.name)


@pytest.fixture(scope="module")
def manifest() -> dict:
    return read_manifest()


@pytest.fixture(scope="module")
def people() -> dict:
    return read_manifest(PEOPLE)


@both_sets
def test_the_shipped_models_load_and_know_the_seven_expressions(folder: Path) -> None:
    """A fresh clone must recognise faces before anything is trained."""
    assert emotion.load_models(folder).classes == config.EMOTIONS


@both_sets
def test_every_shipped_file_is_the_trained_one(folder: Path) -> None:
    for name, checksum in read_manifest(folder)["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum


@both_sets
def test_the_model_card_is_the_manifests(folder: Path) -> None:
    assert (folder / "README.md").read_text(encoding="utf-8") == model_card(read_manifest(folder))


def test_the_readme_shows_the_votes_scores_beside_the_commonest_answers(manifest: dict, people: dict) -> None:
    """On all test faces and without near-copies, accuracy and macro-F1 of the same faces side by side."""
    rows = {
        "always the commonest label": manifest["scores"]["dummy"],
        "**vote of the five** (`models/`)": manifest["scores"]["vote"],
        "always what people see most often": people["scores"]["dummy"],
        "**vote of the five** (`models/people/`)": people["scores"]["vote"],
    }
    for name, parts in rows.items():
        figures = [parts[part] for part in ("test", "test_without_copies")]
        cells = [f"{f['accuracy']:.1%} of {f['faces']:,} | {f['macro_f1']:.1%}" for f in figures]
        assert f"| {name} | {' | '.join(cells)} |" in README


def test_the_page_on_accuracy_shows_the_measured_scores(manifest: dict) -> None:
    assert score_table(manifest, read_manifest(config.MODELS / "pixels")) in ACCURACY
    assert recall_table(manifest) in ACCURACY
    text = " ".join(ACCURACY.split())
    bins = manifest["reliability"]["bins"]
    claimed, right = max(
        zip(bins["confidence"], bins["precision"], strict=True), key=lambda pair: abs(pair[0] - pair[1])
    )
    assert f"differ most from what is right where votes claim {claimed:.0%}: of those votes {right:.0%} are" in text
    rows, copies = manifest["rows"], manifest["near_copies"]
    copied = rows["test"] - rows["test_without_copies"]
    assert f"{copied} of the test faces have a near-copy among the faces that were given for training" in text
    removed = f"{rows['copies_removed']:,} of them, and {rows['duplicates_removed']:,} repetitions"
    assert removed in text
    assert f"{copies['same_label']:.1%} of these {copied} faces have the label of their copy" in text
    repeating = copies["remembered"]
    least = min(repeating["recall"], key=repeating["recall"].__getitem__)
    assert f"right on {repeating['accuracy']:.1%} of all test faces (macro-F1 {repeating['macro_f1']:.1%})" in text
    assert f"{repeating['recall'][least]:.1%} of {least}, the class that it would find least of" in text
    agreed = manifest["scores"]["vote"]["ferplus_majority"]["accuracy"]
    assert f"the models of `models/` say what they say on {agreed:.1%} of the faces" in text


def test_the_page_on_accuracy_shows_how_far_doubt_can_be_believed(manifest: dict, people: dict) -> None:
    def row(title: str, figure: str, form: str) -> str:
        cells = [format({**m["reliability"], **m["calibration"]}[figure], form) for m in (manifest, people)]
        return f"| {title} | {' | '.join(cells)} |"

    assert row("what votes claim differs from how often they are right, mean", "expected_error", ".1%") in ACCURACY
    assert row("a vote is *uncertain* below a probability of", "uncertain_below", ".2f") in ACCURACY
    assert row("uncertain votes, share of all", "uncertain", ".1%") in ACCURACY
    assert row("right of the uncertain votes", "uncertain_precision", ".1%") in ACCURACY
    assert row("right of the others", "certain_precision", ".1%") in ACCURACY


def test_the_page_on_accuracy_shows_how_often_the_people_of_ferplus_are_agreed_with(
    manifest: dict, people: dict
) -> None:
    """By models that learnt what most of them saw, and by those that learnt FER2013's labels, on the same faces."""
    said, by_labels = people["scores"]["vote"], manifest["scores"]["vote"]["ferplus_majority"]
    assert said["test"]["faces"] == by_labels["faces"]
    text = " ".join(ACCURACY.split())
    assert f"what most people saw on {said['test']['accuracy']:.1%} of these faces" in text
    assert f"(macro-F1 {said['test']['macro_f1']:.1%}; without near-copies" in text
    alone = said["test_without_copies"]
    assert f"without near-copies {alone['accuracy']:.1%}, macro-F1 {alone['macro_f1']:.1%})" in text
    assert f"and FER2013's labels on {said['table_labels']['accuracy']:.1%}" in text
    assert recall_table(people) in ACCURACY
    assert recall_table(people, "test_without_copies") in ACCURACY
    assert said["test"]["accuracy"] > by_labels["accuracy"]


def test_networks_are_better_than_pixels_on_the_same_faces(manifest: dict) -> None:
    pixels = read_manifest(config.MODELS / "pixels")
    assert {experiment["features"] for experiment in pixels["experiments"]} == {"pixels"}
    assert {experiment["features"] for experiment in manifest["experiments"]} == {"network"}
    assert pixels["data_fingerprint"] == manifest["data_fingerprint"]
    assert manifest["scores"]["vote"]["test"]["accuracy"] > pixels["scores"]["vote"]["test"]["accuracy"]


def test_what_is_called_certain_is_right_more_often(manifest: dict) -> None:
    assert manifest["reliability"]["certain_precision"] > manifest["reliability"]["uncertain_precision"]


@both_sets
def test_the_networks_training_faces_are_listed(folder: Path) -> None:
    """The networks that ship say which faces they know; without that list, retraining could measure on them."""
    assert len(read_seen(folder).networks) > 20_000


def shown_tables(name: str) -> list[dict[str, list[str]]]:
    """The DataFrames that a notebook was committed with: the cells of each row, by its name."""
    notebook = json.loads((config.ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    outputs = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", [])]
    tables = []
    for data in outputs:
        rows = re.findall(r"<tr>\s*<th>(.*?)</th>(.*?)</tr>", "".join(data.get("text/html", "")), re.DOTALL)
        cells = {row: re.findall(r"<td>(.*?)</td>", content) for row, content in rows}
        tables.append({row: texts for row, texts in cells.items() if texts})  # without heads
    return tables


def test_the_notebooks_show_the_measured_scores(manifest: dict, people: dict) -> None:
    building = shown_tables("Model_Building")
    for measured in (manifest, people):
        frame = score_frame(measured)
        assert {row: [f"{share:.1%}" for share in shares] for row, *shares in frame.itertuples()} in building
    parts = ("test", "test_without_copies", "ferplus_majority")
    expected = {
        name: [f"{manifest['scores'][name][part][f]:.1%}" for part in parts for f in ("accuracy", "macro_f1")]
        for name in (*config.MODEL_NAMES, "vote")
    }
    assert expected in shown_tables("Model_Testing")


@pytest.mark.parametrize("part", ["test", "test_without_copies", "ferplus_majority"])
def test_the_vote_is_worth_its_five_models(manifest: dict, part: str) -> None:
    """Better than they are on average, and than guessing; not worse than the best of them by more than chance."""
    accuracy = {name: parts[part]["accuracy"] for name, parts in manifest["scores"].items()}
    voters = [accuracy[name] for name in config.MODEL_NAMES]
    assert accuracy["vote"] > statistics.mean(voters) > accuracy["dummy"] == min(accuracy.values())
    best = max(voters)
    standard_error = math.sqrt(best * (1 - best) / manifest["scores"]["vote"][part]["faces"])
    assert accuracy["vote"] > best - 2 * standard_error


@both_sets
def test_what_ships_votes_as_what_was_fitted(folder: Path) -> None:
    """On the held-out faces, the ONNX files against scikit-learn's own predict behind the same networks."""
    manifest = read_manifest(folder)
    assert set(manifest["differing_ballots"]) == set(config.MODEL_NAMES)
    assert manifest["rows"]["test"] > 2000
    assert max(manifest["differing_ballots"].values()) <= manifest["rows"]["test"] / 1000


def test_eight_bits_cost_next_to_nothing() -> None:
    """As the notebook measured on validation faces, each network's label head and the mean of the three."""
    notebook = json.loads((config.ROOT / "notebooks" / "Face_Embedding.ipynb").read_text(encoding="utf-8"))
    outputs = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", [])]
    [table] = [text for data in outputs if "eight bits" in (text := "".join(data.get("text/markdown", "")))]
    rows = {cells[1].strip(): cells[2:5] for line in table.splitlines()[2:] if (cells := line.split("|"))}
    assert set(rows) == {"network_1", "network_2", "network_3", "mean of the three"}
    for cells in rows.values():
        exact, rounded, same = (float(cell.strip().rstrip("%")) for cell in cells)
        assert abs(exact - rounded) <= 0.5
        assert same >= 98
    assert abs(exact - rounded) <= 0.2
    assert same >= 99


def test_the_models_stay_small_enough_to_clone() -> None:
    paths = (path for path in config.MODELS.rglob("*") if path.is_file() and path.parent.name != "fitted")
    sizes = [path.stat().st_size for path in paths]
    assert sum(sizes) < 60_000_000
    assert max(sizes) < 25_000_000
