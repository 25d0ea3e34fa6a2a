"""The models' folder is checked before anything of it runs, and what it says has the promised shapes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

import emotion
from emotion import config
from emotion.errors import ModelsError
from emotion.runtime.files import put_into_place
from emotion.vote import loading
from emotion.vote.loading import NEW_FOLDER, read_settled
from tests.tiny_models import (
    CLASSES,
    brightness_model,
    mean_brightness_pipeline,
    write_manifest,
    write_tiny_models,
    write_tiny_networks,
)


def graph_of(operator: str, shape: tuple[int | None, int], output: str = "variable", **options: int) -> onnx.ModelProto:
    """A file of one operator, whose results nothing is said about."""
    graph = helper.make_graph(
        [helper.make_node(operator, ["X"], [output], **options)],
        "one",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, shape)],
        [helper.make_empty_tensor_value_info(output)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def one_face_at_a_time() -> onnx.ModelProto:
    pipeline = mean_brightness_pipeline()
    pipeline.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return pipeline


GREYS = np.stack([np.full(config.N_PIXELS, value, np.uint8) for value in (0, 127, 255)])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> emotion.Ensemble:
    return emotion.load_models(write_tiny_models(tmp_path_factory.mktemp("models")))


def test_each_face_gets_its_label(models: emotion.Ensemble) -> None:
    assert models.classes == CLASSES
    assert models.predict(GREYS).tolist() == ["Angry", "Happy", "Sad"]
    assert [vote.label for vote in models.vote(GREYS)] == ["Angry", "Happy", "Sad"]
    assert models.vote(GREYS)[2].ballots == ("Sad",) * 5


def test_probabilities_are_ordered_as_the_classes(models: emotion.Ensemble) -> None:
    probabilities = models.predict_proba(GREYS)
    assert probabilities.shape == (3, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 2]
    assert list(models.vote(GREYS)[0].probabilities.values()) == pytest.approx(probabilities[0])


@given(values=st.lists(st.integers(0, 255), min_size=0, max_size=12))
def test_a_face_is_judged_alike_alone_and_among_others(models: emotion.Ensemble, values: list[int]) -> None:
    X = np.array(values, np.uint8)[:, None].repeat(config.N_PIXELS, axis=1)
    together = models.predict(X)
    assert together.shape == (len(values),)
    assert together.tolist() == [models.predict(X[i : i + 1])[0] for i in range(len(X))]


def test_more_faces_than_one_part_keep_their_order(models: emotion.Ensemble) -> None:
    X = GREYS[np.arange(2500) % 3]
    assert (models.predict(X) == np.array(CLASSES)[np.arange(2500) % 3]).all()


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        (GREYS.astype(np.float32), "and these are float32: pixels are whole numbers from 0 to 255, of type uint8"),
        (GREYS[0], r"and this has the shape \(2304,\): a single face is X\[None\]"),
        (GREYS[:, :100], r"and this has the shape \(3, 100\): emotion.Recognizer\(models\).recognize\(picture\)"),
        (GREYS.reshape(3, 48, 48), r"the shape \(3, 48, 48\): pictures of 48x48 are X.reshape\(-1, 2304\)"),
        (np.zeros((90, 120, 3), np.uint8), r"the shape \(90, 120, 3\): emotion.Recognizer"),
        (pd.DataFrame(GREYS), r'not DataFrame: take its pixel columns with .to_numpy\("uint8"\)'),
        (None, "not None: emotion.Recognizer"),
        ("face.png", "not str: emotion.Recognizer"),
    ],
)
def test_what_are_no_face_vectors_is_refused(models: emotion.Ensemble, X: Any, sentence: str) -> None:
    for call in (models.predict, models.predict_proba, models.vote):
        with pytest.raises(ValueError, match=rf"^Face vectors are an array of uint8 of shape \(n, 2304\).*{sentence}"):
            call(X)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (None, "A folder of models is asked for, as models, and not None"),
        ("", "A folder of models is asked for, as models, and not ''"),
        (config.MODELS / "model_1.onnx", "model_1.onnx is a file, and not a folder of models: name the folder"),
        ("nowhere", "There are no trained models in nowhere"),
    ],
)
def test_what_is_no_folder_of_models_is_refused(path: Any, sentence: str) -> None:
    with pytest.raises(ModelsError, match=sentence):
        emotion.load_models(path)


SERVED = [
    "pipeline_1.onnx",
    "pipeline_2.onnx",
    "pipeline_3.onnx",
    "labels_1.json",
    "labels_2.json",
    "labels_3.json",
    *(f"{name}.onnx" for name in config.MODEL_NAMES),
]


@pytest.mark.parametrize("name", SERVED)
@pytest.mark.hostile("FILE is missing or cannot be read: restore the folder, or train anew")
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write_tiny_models(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelsError, match=f"{name} is missing"):
        emotion.load_models(tmp_path)


@pytest.mark.parametrize("name", SERVED)
@pytest.mark.hostile("FILE is not the file that was trained, its checksum differs")
def test_a_changed_file_is_named(tmp_path: Path, name: str) -> None:
    write_tiny_models(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelsError, match=f"{name} is not the file that was trained"):
        emotion.load_models(tmp_path)


@pytest.mark.parametrize(
    "content", [b"[", b"\xff\xfe", b"[" * 100_000, b'["Angry"]', b"{}"], ids=lambda content: ascii(content[:10])
)
@pytest.mark.hostile("labels_2.json is damaged, or does not fit to the other files of the folder")
def test_wrong_labels_are_named(tmp_path: Path, content: bytes) -> None:
    write_tiny_models(tmp_path)
    (tmp_path / "labels_2.json").write_bytes(content)
    write_manifest(tmp_path, CLASSES)
    with pytest.raises(ModelsError, match=r"labels_2\.json (is damaged|does not fit)"):
        emotion.load_models(tmp_path)


@pytest.mark.parametrize("exponent", [0, -1, 1e9, None, "warm", "nan"])
@pytest.mark.hostile("the manifest lacks the calibration of the vote")
def test_a_senseless_calibration_is_refused(tmp_path: Path, exponent: object) -> None:
    write_tiny_models(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    manifest["calibration"]["exponents"][1] = exponent
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelsError, match="lacks the calibration of the vote"):
        emotion.load_models(tmp_path)


@pytest.mark.hostile("There are no trained models, and how to get some")
def test_an_empty_folder_says_how_to_get_models(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match=r"no trained models in .*python -m emotion train"):
        emotion.load_models(tmp_path)


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        ('{"format_version": 99}', "format 99"),
        ('{"format_version": 2}', "format 2, this program reads 3"),
        ('{"format_version": 3}', "lacks"),
        ("[" * 100_000, "damaged"),
        ('{"format_version": 3, "files": {}, "classes": ["Happy", "Happy"]}', "lacks"),
        ('{"format_version": 3, "files": {}, "classes": ["Happy", null]}', "lacks"),
        ('{"format_version": 3, "files": {}, "classes": ["Happy", ["Sad"]]}', "lacks"),
        ('{"format_version": 3, "files": {}, "classes": ["Happy", " "]}', "lacks"),
    ],
)
@pytest.mark.hostile("the manifest is damaged, or of another format")
def test_a_manifest_of_another_kind_is_refused(tmp_path: Path, manifest: str, sentence: str) -> None:
    write_tiny_models(tmp_path)
    (tmp_path / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(ModelsError, match=sentence):
        emotion.load_models(tmp_path)


@pytest.mark.parametrize(
    ("name", "graph"),
    [
        ("pipeline_2.onnx", mean_brightness_pipeline(100)),  # takes other faces
        ("model_3.onnx", brightness_model(3, n_features=2)),  # takes other features
        ("model_boost_1.onnx", brightness_model(4)),  # knows other classes
        ("model_1.onnx", mean_brightness_pipeline()),  # no classifier
        ("pipeline_1.onnx", graph_of("Cast", (None, 2304), to=TensorProto.DOUBLE)),  # gives another type
        ("pipeline_1.onnx", graph_of("ReduceMean", (None, 2304), keepdims=0)),  # gives one number for all faces
        ("pipeline_1.onnx", one_face_at_a_time()),  # takes one face at a time
        ("pipeline_1.onnx", graph_of("Log", (None, 2304))),  # gives what is no number
        ("model_2.onnx", graph_of("Identity", (None, 1), output="probabilities")),  # gives no probabilities
    ],
)
@pytest.mark.hostile("FILE does not fit to the other files of the folder")
def test_files_that_do_not_fit_together_are_named(tmp_path: Path, name: str, graph: onnx.ModelProto) -> None:
    write_tiny_models(tmp_path)
    onnx.save(graph, tmp_path / name)
    write_manifest(tmp_path, CLASSES)
    with pytest.raises(ModelsError, match=f"{name} does not fit"):
        emotion.load_models(tmp_path)


def test_where_nothing_was_measured_no_vote_is_called_improbable(tmp_path: Path) -> None:
    """Models of few faces called every other vote uncertain, below a bound that nobody had measured."""
    file = write_tiny_models(tmp_path) / config.MANIFEST_FILE
    manifest = json.loads(file.read_text("utf-8"))
    manifest["calibration"] |= {"uncertain_below": 0.9, "interval": None}
    file.write_text(json.dumps(manifest), encoding="utf-8")
    [vote] = emotion.load_models(tmp_path).vote(np.full((1, config.N_PIXELS), 64, dtype=np.uint8))
    assert max(vote.probabilities.values()) < 0.9
    assert not vote.uncertain


@pytest.mark.parametrize(
    "calibration",
    [
        None,
        {},
        {"exponents": [1.0] * 3, "shifts": [0.0] * 3},
        {"exponents": [1.0] * 2, "shifts": [0.0] * 2, "uncertain_below": 0.5},  # of other classes
        {"temperature": 1.0, "uncertain_below": 0.5},  # of version 1.0
    ],
)
@pytest.mark.hostile("the manifest lacks the calibration of the vote")
def test_a_manifest_without_a_calibration_is_refused(tmp_path: Path, calibration: object) -> None:
    """Without one, what the page calls certain would mean nothing."""
    write_tiny_models(tmp_path)
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"calibration": calibration}), encoding="utf-8")
    with pytest.raises(ModelsError, match="lacks the calibration"):
        emotion.load_models(tmp_path)


def test_the_calibration_of_the_manifest_is_applied(tmp_path: Path) -> None:
    write_tiny_models(tmp_path)
    grey = np.full((1, config.N_PIXELS), 150, np.uint8)
    before = emotion.load_models(tmp_path).vote(grey)[0]
    file = tmp_path / "manifest.json"
    hotter = {"exponents": [0.25] * 3, "shifts": [0.0] * 3, "uncertain_below": 0.9}
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"calibration": hotter}), encoding="utf-8")
    models = emotion.load_models(tmp_path)
    after = models.vote(grey)[0]
    assert after.label == before.label
    assert after.probabilities[after.label] < before.probabilities[before.label]
    assert (before.uncertain, after.uncertain) == (False, True)
    assert models.predict_proba(grey)[0].tolist() == pytest.approx(list(after.probabilities.values()))


def with_networks(folder: Path) -> Path:
    """Tiny models behind tiny networks of their own: an image's mean brightness is that of its blocks."""
    write_tiny_models(folder)
    write_tiny_networks(folder)
    for number in config.MODELS_OF_PIPELINE:
        onnx.save(mean_brightness_pipeline(144), folder / f"pipeline_{number}.onnx")
    write_manifest(folder, CLASSES)
    return folder


def test_sets_on_the_same_networks_share_them_and_vote_on_what_these_said_once(tmp_path: Path) -> None:
    """The networks take nearly all of the time: a second set, or a personal model, must not run them again."""
    first = emotion.load_models(with_networks(tmp_path / "models"))
    inner = with_networks(tmp_path / "models" / "others")
    for file in inner.glob("network_*.onnx"):  # those of the folder around it are found
        file.unlink()
    second = emotion.load_models(inner)
    assert second.embedder.digests == first.embedder.digests
    assert all(second.embedder._sessions[digest] is session for digest, session in first.embedder._sessions.items())
    embedded = first.embedder.embed(GREYS)
    assert second.combiner.votes(second.heads.probabilities(embedded)) == second.vote(GREYS)
    assert first.predict(GREYS).tolist() == ["Angry", "Happy", "Sad"]


@pytest.mark.hostile("network_1.onnx is missing, or is not the file that was trained")
def test_a_network_that_is_missing_or_another_is_named(tmp_path: Path) -> None:
    with_networks(tmp_path / "models")
    network = tmp_path / "models" / "network_1.onnx"
    content = network.read_bytes()
    network.write_bytes(content + b"\0")
    with pytest.raises(ModelsError, match=r"network_1\.onnx is not the file that was trained"):
        emotion.load_models(tmp_path / "models")
    network.unlink()
    with pytest.raises(ModelsError, match=r"network_1\.onnx is missing"):
        emotion.load_models(tmp_path / "models")


@pytest.mark.parametrize("networks", [None, [], {"1": 3}])
@pytest.mark.hostile("the manifest lacks the networks of the models")
def test_a_manifest_without_networks_is_refused(tmp_path: Path, networks: object) -> None:
    write_tiny_models(tmp_path)
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"networks": networks}), encoding="utf-8")
    with pytest.raises(ModelsError, match="lacks the networks"):
        emotion.load_models(tmp_path)


def new_set(folder: Path, classes: tuple[str, ...]) -> Path:
    """Models as a training has written them whole, not yet in their places."""
    staging = write_tiny_models(folder / "staging" / NEW_FOLDER, classes)
    (staging / "README.md").write_text("new", encoding="utf-8")
    return staging


def test_a_training_killed_while_it_put_models_into_their_places_has_put_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every number of files that were moved, one whole set is loaded: the new one."""
    classes = ("Calm", "Glad", "Tired")
    n_files = len(list(new_set(tmp_path / "count", classes).iterdir()))
    move = Path.replace
    for moved in range(n_files):
        folder = write_tiny_models(tmp_path / str(moved))
        left = iter(range(moved))

        def killed(file: Path, target: Path, left: Iterator[int] = left) -> Path:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return move(file, target)

        monkeypatch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            put_into_place(new_set(folder, classes), folder)
        monkeypatch.setattr(Path, "replace", move)
        assert emotion.load_models(folder).classes == classes
        assert read_settled(folder, "README.md") == b"new"
        put_into_place(new_set(folder, ("A", "B")), folder)  # the next one tidies up
        assert emotion.load_models(folder).classes == ("A", "B")
        assert not (folder / NEW_FOLDER).exists()


def test_a_training_killed_before_its_models_are_whole_leaves_those_that_were_there(tmp_path: Path) -> None:
    folder = write_tiny_models(tmp_path / "models")
    (new_set(folder, ("Calm", "Glad", "Tired")) / "model_1.onnx").unlink()
    assert emotion.load_models(folder).classes == CLASSES


def test_models_that_are_replaced_while_they_are_loaded_come_as_one_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And under the checksum of their own manifest, by which the page knows whose votes it shows."""
    folder = write_tiny_models(tmp_path / "models")
    before = emotion.load_models(folder).origin[1]
    other = write_tiny_models(tmp_path / "others", ("Calm", "Glad", "Tired"))
    read, waiting = loading._read_classes, [other]

    def replaced_meanwhile(folder: Path, manifest: dict[str, Any]) -> list[str]:
        for others in iter(lambda: waiting.pop() if waiting else None, None):
            for file in others.iterdir():
                (folder / file.name).write_bytes(file.read_bytes())
        return read(folder, manifest)

    monkeypatch.setattr(loading, "_read_classes", replaced_meanwhile)
    models = emotion.load_models(folder)
    assert models.classes == ("Calm", "Glad", "Tired")
    assert models.origin[1] == loading.manifest_checksum(folder) != before


def test_models_that_are_not_those_of_another_machine_do_not_vote_for_it(tmp_path: Path) -> None:
    """One file would hold the votes of two ensembles."""
    folder = write_tiny_models(tmp_path / "models")
    checksum = loading.manifest_checksum(folder)
    write_tiny_models(folder, ("Angry", "Sad"))
    with pytest.raises(ModelsError, match=r"/models on .* holds other models than here; copy these there\.$"):
        loading.same_models(str(folder), checksum)


@pytest.mark.hostile("FILE does not fit to the other files of the folder")
def test_a_class_list_that_does_not_fit_is_named(tmp_path: Path) -> None:
    write_tiny_models(tmp_path)
    (tmp_path / "labels_2.json").write_text(json.dumps(["Angry", "Sad", "Happy"]), encoding="utf-8")
    write_manifest(tmp_path, CLASSES)
    with pytest.raises(ModelsError, match=r"labels_2\.json does not fit"):
        emotion.load_models(tmp_path)


def graph_with(domain: str = "", *, outside: bool = False, nested: bool = False) -> onnx.ModelProto:
    """A classifier with a part that it must not have."""
    model = brightness_model(3)
    if domain:
        node = helper.make_node("Run", ["X"], ["run"], domain=domain)
        model.opset_import.append(helper.make_opsetid(domain, 1))
        if nested:
            inner = helper.make_graph([node], "inner", [], [helper.make_tensor_value_info("run", 1, None)])
            node = helper.make_node("If", ["X"], ["run"], then_branch=inner, else_branch=inner)
        model.graph.node.append(node)
    if outside:
        weights = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
        weights.external_data.add(key="location", value="../../etc/passwd")
        model.graph.initializer.append(weights)
    return model


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no ONNX file|cannot be loaded"),
        (b"no graph", "is no ONNX file"),
        (b"\x80\x04\x95\x0b\x00\x00\x00", "is no ONNX file"),  # a pickle's beginning
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "run git lfs pull"),
        (brightness_model(3).SerializeToString()[:-20], "is no ONNX file|cannot be loaded"),
        (graph_with("com.example").SerializeToString(), "the operator Run of com.example"),
        (graph_with("com.microsoft").SerializeToString(), "the operator Run of com.microsoft"),
        (graph_with("com.example", nested=True).SerializeToString(), "the operator Run of com.example"),
        (graph_with(outside=True).SerializeToString(), "takes weights from another file"),
    ],
    ids=[
        "empty",
        "text",
        "pickle",
        "LFS pointer",
        "truncated",
        "custom operator",
        "runtime's own operator",
        "custom operator in a branch",
        "weights outside",
    ],
)
@pytest.mark.hostile("FILE is no ONNX file, or what it must not hold")
def test_a_file_that_is_no_plain_graph_is_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Even where the manifest vouches for it."""
    write_tiny_models(tmp_path)
    (tmp_path / "model_2.onnx").write_bytes(content)
    write_manifest(tmp_path, CLASSES)
    with pytest.raises(ModelsError, match=rf"model_2\.onnx.*({sentence})"):
        emotion.load_models(tmp_path)
