"""Training, saving and serving as one way, on faces that are made up: what ships must be what was trained."""

import json
import re
import shutil
from pathlib import Path
from typing import Final

import joblib
import numpy as np
import onnxruntime
import pytest
from sklearn.calibration import CalibratedClassifierCV

import emotion
from emotion import cli, config
from emotion.data.annotators import drawn_codes
from emotion.data.dataset import Faces, read_faces
from emotion.data.seen import NO_CODES, SeenFaces, face_codes, read_seen
from emotion.data.splitting import split_faces
from emotion.errors import DatasetError, ModelsError, TrainingError
from emotion.training import fitting, training
from emotion.training.card import model_card, score_table
from emotion.training.class_sizes import check_counts, check_resampled
from emotion.training.evaluation import accuracy_told, evaluate, score, told
from emotion.training.export import model_to_onnx
from emotion.training.recipes import (
    EXPERIMENTS,
    FAST,
    FULL,
    PIXEL_EXPERIMENTS,
    BoundedSVC,
    build_boost,
    build_projection,
    build_sampler,
)
from emotion.vote.loading import read_manifest
from tests.synthetic import CLASSES, VOTES_COLUMNS, synthetic_faces, write_table, write_votes
from tests.tiny_models import write_tiny_networks

REPORTS = (
    "M1SMOTE_boost.png",
    "M1SMOTE_Clf.png",
    "M2ENN_boost.png",
    "M2ENN_Clf.png",
    "M3SMOTE_clf-NE.png",
    "final_model.png",
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tables")
    train = write_table(folder / "train.csv", synthetic_faces((180, 150, 30), seed=0))
    return train, write_table(folder / "test.csv", synthetic_faces((40, 40, 40), seed=1))


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_networks(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def trained(tables: tuple[Path, Path], networks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "models"
    training.train(*tables, out, FAST, networks=networks, progress=False)
    return out


def test_the_folder_holds_what_the_design_names(trained: Path) -> None:
    kinds = (("network", "onnx"), ("pipeline", "onnx"), ("labels", "json"))
    pipelines = {f"{kind}_{n}.{end}" for n in (1, 2, 3) for kind, end in kinds}
    models = {f"{name}.onnx" for name in config.MODEL_NAMES}
    expected = {
        *pipelines,
        *models,
        *REPORTS,
        "manifest.json",
        "README.md",
        "seen_faces.npz",
        "fitted",
    }
    assert {file.name for file in trained.iterdir()} == expected
    for report in REPORTS:
        assert (trained / report).read_bytes().startswith(b"\x89PNG")


def test_the_models_learn_what_can_be_learnt(trained: Path, tables: tuple[Path, Path]) -> None:
    models = emotion.load_models(trained)
    assert models.classes == CLASSES
    faces = read_faces(tables[1])
    assert (models.predict(faces.X) == faces.y).mean() > 0.8


def test_the_manifest_says_what_a_second_measurement_says(trained: Path, tables: tuple[Path, Path]) -> None:
    """A published score must be reproducible from the files that ship."""
    manifest = read_manifest(trained)
    scores = evaluate(emotion.load_models(trained), read_faces(tables[1]))
    assert {"dummy", "unresampled", *scores} == set(manifest["scores"])
    for name, result in scores.items():
        assert result.summary() == manifest["scores"][name]["test"]
    assert manifest["scores"]["dummy"]["test"]["accuracy"] == pytest.approx(1 / 3, abs=1e-4)


def test_the_card_is_the_manifests(trained: Path) -> None:
    manifest = read_manifest(trained)
    card = (trained / "README.md").read_text(encoding="utf-8")
    assert card == model_card(manifest)
    assert score_table(manifest) in card
    assert "Had the copies stayed" in card
    assert f"votes are right: {manifest['calibration']['faces']} validation faces are too few" in " ".join(card.split())
    without = {key: value for key, value in manifest.items() if key != "near_copies"}
    assert "Had the copies stayed" not in model_card(without)


def test_what_copies_would_be_worth_is_told_beside_the_scores_without_them(networks: Path, tmp_path: Path) -> None:
    """Else nobody could compare these scores with those of programs that remember copies of test faces."""
    faces, test = synthetic_faces((60, 50, 40)), synthetic_faces((20, 20, 20), seed=1)
    copied = np.arange(0, 60, 5)
    labels = test.y[copied].copy()
    labels[:3] = "Sad"  # of Angry faces
    leaking = Faces(np.concatenate([faces.X, test.X[copied]]), np.concatenate([faces.y, labels]))
    tables = write_table(tmp_path / "train.csv", leaking), write_table(tmp_path / "test.csv", test)
    manifest = training.train(*tables, tmp_path / "models", FAST, networks=networks, progress=False)
    said = emotion.load_models(tmp_path / "models").predict(test.X)
    said[copied] = labels
    assert manifest["rows"]["test_without_copies"] == 48
    assert manifest["near_copies"]["same_label"] == 0.75
    assert manifest["near_copies"]["remembered"] == score(test.y, said, CLASSES).summary()
    card = " ".join((tmp_path / "models" / "README.md").read_text(encoding="utf-8").split())
    assert re.search(r"9 of 12 \([^)]*\) of these have the label of their copy", card)
    assert re.search(rf"right on {(said == test.y).sum()} of 60 \([^)]*\) of all test faces", card)


def test_the_shipped_files_vote_as_the_fitted_objects(trained: Path, tables: tuple[Path, Path]) -> None:
    X = read_faces(tables[1]).X
    models = emotion.load_models(trained)
    ballots = models.model_probabilities(X).argmax(axis=2)
    for experiment in EXPERIMENTS:
        fitted = joblib.load(trained / "fitted" / f"experiment_{experiment.number}.joblib")
        for name, said in fitted.probabilities(fitted.components(X)).items():
            assert (ballots[:, models.model_names.index(name)] == said.argmax(axis=1)).all()


def save_again(trained: Path, networks: Path, tables: tuple[Path, Path], out: Path) -> None:
    """Save what was fitted before, as training does when it has fitted it."""
    fitted = [joblib.load(trained / "fitted" / f"experiment_{n}.joblib") for n in config.MODELS_OF_PIPELINE]
    split = split_faces(*map(read_faces, tables))
    training.save_models(fitted, split, out, FAST, networks=networks, progress=False)


def test_models_that_would_vote_otherwise_do_not_replace_good_ones(
    trained: Path, networks: Path, tables: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, tmp_path / "models")
    before = {file.name: file.read_bytes() for file in (tmp_path / "models").iterdir() if file.is_file()}
    convert = training.model_to_onnx
    other = joblib.load(trained / "fitted" / "experiment_1.joblib").models["model_boost_1"]
    other[-1].set_params(n_estimators=1)
    shuffled = other.fit(*_other_way_round(tables[0], trained))
    monkeypatch.setattr(training, "model_to_onnx", lambda model, n_features: convert(shuffled, n_features))
    with pytest.raises(TrainingError, match="differs from the trained model"):
        save_again(trained, networks, tables, tmp_path / "models")
    after = {file.name: file.read_bytes() for file in (tmp_path / "models").iterdir() if file.is_file()}
    assert after == before


def _other_way_round(table: Path, trained: Path) -> tuple[np.ndarray, np.ndarray]:
    faces = read_faces(table)
    fitted = joblib.load(trained / "fitted" / "experiment_1.joblib")
    return fitted.pipeline.transform(faces.X.astype(np.float32)), fitted.labels.transform(faces.y)[::-1]


def test_a_fault_while_saving_leaves_the_old_models(
    trained: Path, networks: Path, tables: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, tmp_path / "models")
    before = {file: file.read_bytes() for file in (tmp_path / "models").iterdir() if file.is_file()}

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training, "save_report", full)
    with pytest.raises(TrainingError, match=r"cannot be written to .*models: No space left on device"):
        save_again(trained, networks, tables, tmp_path / "models")
    assert {file: file.read_bytes() for file in (tmp_path / "models").iterdir() if file.is_file()} == before


def test_small_classes_are_raised_and_no_class_is_emptied() -> None:
    counts = {0: 1000, 1: 900, 2: 20}
    X = np.random.default_rng(0).normal(size=(1920, 5)).astype(np.float32)
    y = np.repeat([0, 1, 2], list(counts.values()))
    for experiment in EXPERIMENTS:
        resampled = np.bincount(build_sampler(experiment, counts, seed=0).fit_resample(X, y)[1])
        assert resampled[0] == 1000
        assert resampled[1] == 900
        assert 400 < resampled[2] <= 600


def test_even_classes_pass_as_they_are() -> None:
    X, y = np.random.default_rng(0).normal(size=(60, 5)), np.repeat([0, 1, 2], 20)
    for experiment in EXPERIMENTS:
        assert len(build_sampler(experiment, {0: 20, 1: 20, 2: 20}, seed=0).fit_resample(X, y)[1]) == 60


@pytest.mark.hostile("which class cleaning has emptied")
def test_an_emptied_class_stops_the_training() -> None:
    with pytest.raises(TrainingError, match="Cleaning left 249 of 1000 rows of Sad"):
        check_resampled({0: 1000, 1: 1000}, {0: 249, 1: 1000}, ("Sad", "Happy"))


@pytest.mark.hostile("which class has too few faces, and how many are needed")
def test_a_class_too_small_for_the_folds_stops_the_training() -> None:
    with pytest.raises(TrainingError, match=r"^Sad has 5 different faces; 6 are needed\.$"):
        check_resampled({0: 5, 1: 9}, {0: 5, 1: 9}, ("Sad", "Happy"))


def test_a_folder_that_cannot_be_written_is_told_before_the_training(
    tables: tuple[Path, Path], networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").write_text("a file", encoding="utf-8")
    monkeypatch.setattr(training, "fit_experiments", None)  # not to be called
    with pytest.raises(TrainingError, match=r"cannot be written to .*models"):
        training.train(*tables, tmp_path / "models", FAST, networks=networks, progress=False)


@pytest.mark.parametrize("rows_of_each", [6, 15, 40])
def test_xgboost_of_two_small_classes_says_the_same_when_it_ships(rows_of_each: int) -> None:
    """With too few rows for any split, too: onnxmltools then writes another start of the sum."""
    random = np.random.default_rng(0)
    codes = np.repeat([0, 1], rows_of_each)
    X = (random.normal(size=(len(codes), 12)) + codes[:, None]).astype(np.float32)
    boost = build_boost(FULL, 12, 1, 1000).fit(X, codes)
    session = onnxruntime.InferenceSession(model_to_onnx(boost, 12))
    assert session.run(["probabilities"], {"X": X})[0] == pytest.approx(boost.predict_proba(X), abs=1e-5)


@pytest.mark.hostile("which class it is, and how many faces it has")
def test_a_class_of_two_faces_is_told() -> None:
    with pytest.raises(TrainingError, match=r"^Sad has 2 different faces; 3 are needed\.$"):
        check_counts({0: 10, 1: 2}, ("Happy", "Sad"))


@pytest.mark.hostile("which classes they are, how many faces each has, and how many are needed")
def test_all_small_classes_are_told_before_the_features_are_made() -> None:
    """Or whoever mends one is told of the next, each time after minutes of work."""
    with pytest.raises(TrainingError, match=r"^Angry has 5 different faces and Sad 3; 6 of each are needed\.$"):
        fitting.fit_experiments(synthetic_faces((5, 8, 3)), FAST, networks="nowhere", progress=False)


@pytest.mark.parametrize(("n_rows", "n_components"), [(500, 400), (120, None)])
def test_the_projection_keeps_400_components_where_there_are_as_many(n_rows: int, n_components: int | None) -> None:
    X = synthetic_faces((n_rows, 0, 0)).X[:, ::5].astype(np.float32)
    features = build_projection(*X.shape).fit_transform(X)
    assert features.dtype == np.float32
    if n_components:
        assert features.shape == (n_rows, n_components)
    else:
        assert 1 < features.shape[1] < n_rows


def test_the_commands_train_and_evaluate(
    tables: tuple[Path, Path], networks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the README says them. What they write into a file has no bars in it."""
    train, test = map(str, tables)
    out = str(tmp_path / "models")
    options = ["--data", train, "--test", test, "--out", out, "--networks", str(networks), "--fast"]
    assert cli.main(["train", *options]) == 0
    printed, bars = capsys.readouterr()
    assert bars == ""
    assert re.search(r"^all +480 .* 120 +0$", printed, re.MULTILINE)
    assert "always the commonest" in printed
    assert "How sure votes may be stays unmeasured." in printed
    assert re.search(r"Experiment 2, SMOTEENN: Angry (\d+) -> \1, Happy (\d+) -> \2, Sad \d+ -> \d+", printed)
    assert cli.main(["evaluate", "--data", test, "--models", out]) == 0
    printed = capsys.readouterr().out
    lines = {line.split("  ")[0]: line for line in printed.splitlines() if line}
    recorded = read_manifest(out)["scores"]["vote"]["test"]
    assert accuracy_told(recorded) in lines["vote"]
    assert "40 of 120 (26 to 42 %)" in lines["all Angry"], "what to compare it with"
    angry = recorded["classes"]["Angry"]
    assert told(angry["right"], 40) in lines["Angry"]
    assert told(angry["right"], angry["voted"]) in lines["Angry"]
    assert "120 faces are too few to say how far the votes' probabilities hold." in printed


def test_without_a_test_table_a_fifth_is_set_aside_and_a_tenth_to_calibrate_by(
    tables: tuple[Path, Path], networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are faces enough."""
    monkeypatch.setattr("emotion.data.splitting.SMALL", 360)
    for module in ("data.splitting", "training.calibration"):
        monkeypatch.setattr(f"emotion.{module}.LEAST_VALIDATION", 25)
    manifest = training.train(tables[0], None, tmp_path, FAST, networks=networks, progress=False)
    rows = manifest["rows"]
    assert manifest["judged"] == {"by": "test", "faces": 72}
    assert rows["test"] == 72
    assert rows["validation"] == manifest["calibration"]["faces"] >= 25
    assert manifest["calibration"]["interval"] is not None
    assert emotion.load_models(tmp_path).calibration.measured
    removed = rows["copies_removed"] + rows["validation_copies_removed"]
    assert rows["train"] + rows["validation"] + removed == 288


def test_the_networks_are_looked_at_before_anything_is_trained(tables: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match=r"no network_1\.onnx"):
        training.train(*tables, tmp_path, FAST, networks=tmp_path, progress=False)


def test_faces_that_networks_learnt_from_are_no_test_faces(
    tables: tuple[Path, Path], networks: Path, tmp_path: Path
) -> None:
    """Retraining on the networks' own data without its test part would otherwise report what was learnt by heart."""
    shutil.copytree(networks, tmp_path / "networks")
    test = read_faces(tables[1])
    SeenFaces(face_codes(test.X[::2]), NO_CODES).write(tmp_path / "networks")
    options = {"networks": tmp_path / "networks", "progress": False}
    rows = training.train(*tables, tmp_path / "models", FAST, **options)["rows"]
    assert (rows["test"], rows["seen_removed"]) == (60, 60)
    card = (tmp_path / "models" / "README.md").read_text(encoding="utf-8")
    assert "60 test faces that the networks had learnt were left out." in " ".join(card.split())
    SeenFaces(face_codes(test.X), NO_CODES).write(tmp_path / "networks")
    with pytest.raises(DatasetError, match="had learnt from every test face"):
        training.train(*tables, tmp_path / "models", FAST, **options)


def test_evaluation_tells_faces_that_were_trained_on(
    trained: Path, tables: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", "--data", str(tables[0]), "--models", str(trained)]) == 0
    rows = read_manifest(trained)["rows"]
    assert f"{rows['train'] + rows['validation']:,} of these 360 faces were trained on" in capsys.readouterr().out
    assert cli.main(["evaluate", "--data", str(tables[1]), "--models", str(trained)]) == 0
    assert "were trained on" not in capsys.readouterr().out
    unlisted = shutil.copytree(trained, tmp_path / "models")
    (unlisted / "seen_faces.npz").unlink()
    assert cli.main(["evaluate", "--data", str(tables[0]), "--models", str(unlisted)]) == 0
    assert "lacks seen_faces.npz: if these faces were trained on" in capsys.readouterr().out


def test_a_damaged_list_of_seen_faces_is_told(tmp_path: Path) -> None:
    (tmp_path / "seen_faces.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(ModelsError, match=r"seen_faces\.npz is damaged"):
        read_seen(tmp_path)


@pytest.mark.hostile("that the list of seen faces is damaged")
def test_wrong_bits_in_a_list_of_seen_faces_are_read_over_or_told(tmp_path: Path) -> None:
    """zip, zlib and numpy have errors of a dozen kinds for them."""
    random = np.random.default_rng(0)
    SeenFaces(random.integers(0, 2**63, 20, np.uint64), random.integers(0, 2**63, 20, np.uint64)).write(tmp_path)
    file = tmp_path / "seen_faces.npz"
    whole = file.read_bytes()
    refused = 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << random.integers(8)
        file.write_bytes(changed)
        try:
            read_seen(tmp_path)
        except ModelsError:
            refused += 1
    assert refused > len(whole) / 3


def test_models_can_be_trained_on_pixels(
    tables: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comparison in the README needs the same models without networks: neither these nor the faces that they know
    play a part.
    """
    (tmp_path / "networks").mkdir()
    SeenFaces(face_codes(read_faces(tables[1]).X), NO_CODES).write(tmp_path / "networks")
    out, options = tmp_path / "models", {"experiments": PIXEL_EXPERIMENTS, "networks": tmp_path / "networks"}
    manifest = training.train(*tables, out, FAST, **options, progress=False)
    assert {experiment["features"] for experiment in manifest["experiments"]} == {"pixels"}
    assert "train --data data.csv --features pixels --out FOLDER`" in (out / "README.md").read_text(encoding="utf-8")
    assert manifest["scores"]["vote"]["test"]["accuracy"] > 0.8
    assert cli.main(["evaluate", "--data", str(tables[1]), "--models", str(out)]) == 0
    assert "were trained on" not in capsys.readouterr().out, "a warning of faces that these models never saw"


@pytest.mark.hostile("the models, their card and reports, with these very names")
def test_classes_may_be_called_what_formulas_and_tables_begin_with(networks: Path, tmp_path: Path) -> None:
    """After all the fitting, a name is no reason to write nothing."""
    faces = synthetic_faces((100, 90, 60), seed=0)
    names = {"Angry": "$^$", "Happy": "A|b", "Sad": r"so_so *\*"}
    table = write_table(tmp_path / "data.csv", Faces(faces.X, np.array([names[label] for label in faces.y])))
    test = synthetic_faces((20, 20, 20), seed=1)
    names_of = np.array([names[label] for label in test.y])
    tables = table, write_table(tmp_path / "test.csv", Faces(test.X, names_of))
    training.train(*tables, tmp_path / "models", FAST, networks=networks, progress=False)
    card = (tmp_path / "models" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in card.splitlines() if line.startswith(r"| A\|b |")]
    bars = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    assert bars[0] == 8, "a name, three times a count before and after"
    assert set(bars[1:]) <= {5}, "a count, recall and precision"
    assert r"\$^\$" in card


def test_the_vote_is_scored_against_what_most_people_saw(networks: Path, tmp_path: Path) -> None:
    """FER2013's single labels are one opinion; ten people's are a better judge."""
    train = write_table(tmp_path / "train.csv", synthetic_faces((100, 90, 40), seed=0))
    faces = synthetic_faces((20, 20, 20), seed=1)
    names = [f"{label}/{i}.png" for i, label in enumerate(faces.y)]
    test = write_table(tmp_path / "test.csv", faces, names)
    columns = {"Angry": "anger", "Happy": "happiness", "Sad": "sadness"}
    rows = [
        {"file": name.split("/")[1], **dict.fromkeys(VOTES_COLUMNS, 0), columns[label]: 9}
        for name, label in list(zip(names, faces.y, strict=True))[:45]
    ]
    votes = write_votes(tmp_path / "votes.csv", rows)
    options = {"networks": networks, "votes": votes, "progress": False}
    manifest = training.train(train, test, tmp_path / "models", FAST, **options)
    assert manifest["labels"] == "table"
    assert manifest["scores"]["vote"]["ferplus_majority"]["faces"] == 45
    assert manifest["scores"]["dummy"]["ferplus_majority"]["accuracy"] == pytest.approx(20 / 45, abs=1e-4)
    assert "most of ten people, 45 faces" in score_table(manifest)
    evaluated = ["evaluate", "--data", str(test), "--models", str(tmp_path / "models"), "--votes", str(votes)]
    assert cli.main(evaluated) == 0


SEEN_AS: Final = {"Angry": "happiness", "Happy": "anger", "Sad": "sadness"}
"""What people see in the faces of each label: two are labelled wrongly throughout."""


def voted_table(path: Path, per_class: tuple[int, ...], seed: int, votes: list[dict[str, object]]) -> Path:
    """Write faces, and what ten people see in all but every tenth, on which they do not agree."""
    faces = synthetic_faces(per_class, seed)
    names = [f"{label}/{path.stem}{i}.png" for i, label in enumerate(faces.y)]
    for i, (name, label) in enumerate(zip(names, faces.y, strict=True)):
        nine = dict.fromkeys(VOTES_COLUMNS, 1) if i % 10 == 0 else {SEEN_AS[label]: 9}
        votes.append({"file": name.split("/")[1], **dict.fromkeys(VOTES_COLUMNS, 0), **nine})
    return write_table(path, faces, names)


def test_models_that_learn_votes_say_what_people_see(
    networks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not what the table says, in which one person's mistakes are labels. Faces on which they disagreed stay in."""
    rows: list[dict[str, object]] = []
    train = voted_table(tmp_path / "train.csv", (100, 90, 60), 0, rows)
    test = voted_table(tmp_path / "test.csv", (70, 70, 70), 1, rows)
    rows[-1].update(sadness=0, contempt=9)  # what is none of the classes
    votes = write_votes(tmp_path / "votes.csv", rows)
    typed = ["train", "--data", str(train), "--test", str(test), "--networks", str(networks), "--fast"]
    assert cli.main([*typed, "--votes", str(votes), "--learn-votes", "--out", str(tmp_path / "models")]) == 0
    manifest = read_manifest(tmp_path / "models")
    scores = manifest["scores"]["vote"]
    assert manifest["labels"] == "votes"
    assert manifest["classes"] == list(CLASSES)
    assert scores["test"]["faces"] == 210
    assert scores["test"]["accuracy"] < 0.6
    assert scores["ferplus_majority"]["faces"] == 188
    assert scores["ferplus_majority"]["accuracy"] > 0.8
    of_literature = scores["ferplus_protocol"]
    assert of_literature["faces"] == 189
    assert of_literature["classes"]["Contempt"] == {"faces": 1, "right": 0, "voted": 0}
    rows_of = manifest["rows"]
    parts = ("train", "validation", "test", "copies_removed", "validation_copies_removed")
    assert sum(rows_of[part] for part in parts) == rows_of["given"] == 460
    faces = read_faces(test)
    says = emotion.load_models(tmp_path / "models").predict(faces.X)
    assert (says[faces.y == "Angry"] == "Happy").mean() > 0.8
    card = (tmp_path / "models" / "README.md").read_text(encoding="utf-8")
    assert "Models learn these votes as they are" in card
    assert "--votes ferplus_votes.csv --learn-votes" in card
    capsys.readouterr()
    assert cli.main(["evaluate", "--data", str(test), "--models", str(tmp_path / "models"), "--votes", str(votes)]) == 0
    printed = capsys.readouterr().out
    assert "Against what at least five of ten people saw" in printed
    assert "in which they saw Contempt, as the literature counts" in printed
    held = manifest["reliability"]
    assert (tmp_path / "models" / "reliability.png").is_file(), "which the card shows"
    assert f"Against the share of people: votes claim {held['claimed']:.1%} on average" in printed


def test_each_face_is_taken_for_what_people_saw_as_often_as_they_saw_it() -> None:
    opinions = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.2, 0.0, 0.8]]).repeat(2000, axis=0)
    drawn = drawn_codes(opinions, seed=0).reshape(3, 2000)
    taken = np.stack([(drawn == code).mean(axis=1) for code in range(3)], axis=1)
    assert taken == pytest.approx(opinions[::2000], abs=0.04)
    assert (taken[opinions[::2000] == 0] == 0).all(), "nobody saw it"


def test_a_class_that_nobody_sees_is_told(networks: Path, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    train = voted_table(tmp_path / "train.csv", (60, 50, 40), 0, rows)
    faces = read_faces(train)
    faces.y[:3] = "Happy"
    labels = np.where(np.arange(len(faces)) < 3, "Tense", faces.y)
    write_table(train, Faces(faces.X, labels), faces.files.tolist())
    test = voted_table(tmp_path / "test.csv", (20, 20, 20), 1, rows)
    votes = write_votes(tmp_path / "votes.csv", rows)
    options = {"networks": networks, "votes": votes, "learn_votes": True, "progress": False}
    with pytest.raises(TrainingError, match=r"^By people's votes, Tense has \d different faces?; 3 are needed"):
        training.train(train, test, tmp_path / "models", FAST, **options)


def test_votes_on_a_set_without_a_test_part_are_told_before_the_training(networks: Path, tmp_path: Path) -> None:
    """They were for what is set aside: of few faces, that is nothing."""
    rows: list[dict[str, object]] = []
    train = voted_table(tmp_path / "train.csv", (20, 20, 20), 0, rows)
    options = {"networks": networks, "votes": write_votes(tmp_path / "votes.csv", rows), "progress": False}
    with pytest.raises(
        DatasetError, match=r"is for sets with a test part, and of 60 faces, fewer than 1,000, none is set aside"
    ):
        training.train(train, None, tmp_path / "models", FAST, **options)


def test_votes_to_be_learnt_must_be_given(tables: tuple[Path, Path], networks: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--votes"):
        training.train(*tables, tmp_path / "models", FAST, networks=networks, learn_votes=True, progress=False)


def test_the_networks_of_trained_models_serve_the_next_training_and_are_stored_once(
    trained: Path, tables: tuple[Path, Path], tmp_path: Path
) -> None:
    """A user retrains on own classes from what ships, without PyTorch; and the same tables train the same models."""
    folder = shutil.copytree(trained, tmp_path / "models")
    manifest = training.train(*tables, folder / "inner", FAST, networks=folder, progress=False)
    before = read_manifest(folder)
    assert manifest["scores"] == before["scores"]
    assert manifest["networks"] == before["networks"]
    assert not list((folder / "inner").glob("network_*"))
    assert len(emotion.load_models(folder / "inner").vote(read_faces(tables[1]).X[:2])) == 2


def test_votes_without_file_names_are_told_before_the_training(
    tables: tuple[Path, Path], networks: Path, tmp_path: Path
) -> None:
    votes = write_votes(tmp_path / "votes.csv", [{"file": "a.png", **dict.fromkeys(VOTES_COLUMNS, 1)}])
    with pytest.raises(DatasetError, match="--keep-names"):
        training.train(*tables, tmp_path / "models", FAST, networks=networks, votes=votes, progress=False)


def test_faces_with_unknown_emotions_cannot_be_scored(trained: Path) -> None:
    faces = synthetic_faces((3, 3, 3))
    faces.y[:] = "Bored"
    with pytest.raises(DatasetError, match="not: Bored"):
        evaluate(emotion.load_models(trained), faces)


def test_the_fingerprint_follows_the_faces(trained: Path, tables: tuple[Path, Path]) -> None:
    split = split_faces(*map(read_faces, tables))
    recorded = json.loads((trained / "manifest.json").read_text(encoding="utf-8"))["data_fingerprint"]
    assert split.fingerprint == recorded
    split.test.X[0, 0] ^= 1
    assert split.fingerprint != recorded


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_a_support_vector_machine_says_the_same_when_it_ships(n_classes: int) -> None:
    """It is written out as products of matrices; a sign or a pair of classes mixed up would cost votes."""
    random = np.random.default_rng(n_classes)
    codes = random.integers(0, n_classes, 600)
    X = (random.normal(size=(n_classes, 10))[codes] + 1.5 * random.normal(size=(600, 10))).astype(np.float32)
    machine = CalibratedClassifierCV(BoundedSVC(class_weight="balanced"), ensemble=False, cv=2).fit(
        X[:300], codes[:300]
    )
    session = onnxruntime.InferenceSession(model_to_onnx(machine, 10))
    labels, probabilities = session.run(None, {"X": X[300:]})
    assert (labels == machine.predict(X[300:])).all()
    assert probabilities == pytest.approx(machine.predict_proba(X[300:]), abs=1e-4)
    assert 0.3 < (labels == codes[300:]).mean() < 0.95, "too easy, or nothing was learnt"
