"""Embeddings as features: the network that training used must be the one that ships."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import onnx
import pytest
from sklearn.base import clone

from emotion.data.embedding import OnnxEmbedding, network_file, read_network, store_in_half_precision
from emotion.errors import ModelsError
from tests.synthetic import synthetic_faces
from tests.tiny_models import brightness_model, write_tiny_models, write_tiny_networks

FACES = synthetic_faces((150, 150, 0)).X


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_tiny_networks(tmp_path) / "network_1.onnx"


def test_a_face_is_embedded_the_same_alone_and_among_others(network: Path) -> None:
    embedding = OnnxEmbedding(network).fit(FACES)
    together = embedding.transform(FACES)
    assert together.dtype == np.float32
    assert together.shape == (300, 144)  # more than one batch
    assert (embedding.transform(FACES[280:281]) == together[280]).all()
    assert embedding.transform(FACES[:0]).shape == (0, 144)
    blocks = FACES[0].reshape(12, 4, 12, 4).mean(axis=(1, 3)).ravel()
    assert together[0] == pytest.approx(blocks)


def test_threads_may_share_it(network: Path) -> None:
    embedding = OnnxEmbedding(network).fit(FACES)
    expected = embedding.transform(FACES)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: embedding.transform(FACES), range(8)):
            assert (result == expected).all()


def test_it_behaves_as_a_transformer_of_scikit_learn(network: Path) -> None:
    """Notebooks keep fitted objects; the file may be gone when they are opened again."""
    embedding = OnnxEmbedding(network).fit(FACES)
    assert clone(embedding).path == network
    joblib.dump(embedding, network.with_suffix(".joblib"))
    network.unlink()
    kept = joblib.load(network.with_suffix(".joblib"))
    assert (kept.transform(FACES[:3]) == embedding.transform(FACES[:3])).all()


@pytest.mark.parametrize("content", [b"", b"no graph", onnx.ModelProto().SerializeToString()])
def test_a_damaged_network_is_one_clear_error(network: Path, content: bytes) -> None:
    network.write_bytes(content)
    with pytest.raises(ModelsError, match=r"network_1\.onnx holds no network .* or is damaged"):
        OnnxEmbedding(network).fit(FACES)


def test_a_truncated_network_is_one_clear_error(network: Path) -> None:
    network.write_bytes(network.read_bytes()[:-40])
    with pytest.raises(ModelsError, match="or is damaged"):
        OnnxEmbedding(network).fit(FACES)


def test_a_network_that_needs_another_onnxruntime_is_one_clear_error(network: Path) -> None:
    """As one of a later version of the program: that it is a network, its file says."""
    model = onnx.load(network)
    model.graph.node[1].domain = "of.the.future"
    model.opset_import.append(onnx.helper.make_opsetid("of.the.future", 1))
    onnx.save(model, network)
    with pytest.raises(ModelsError, match=r"network_1\.onnx cannot be loaded by onnxruntime; train networks with: "):
        OnnxEmbedding(network).fit(FACES)


def test_a_missing_network_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match="train-networks"):
        network_file(tmp_path, 1)
    with pytest.raises(ModelsError, match="cannot be read: No such file"):
        read_network(tmp_path / "network_1.onnx")


def test_models_without_networks_are_no_place_to_take_networks_from(tmp_path: Path) -> None:
    """As after a training on pixels."""
    write_tiny_models(tmp_path)
    with pytest.raises(ModelsError, match=r"has no network_1\.onnx"):
        OnnxEmbedding(network_file(tmp_path, 1)).fit(FACES)


def test_rows_of_another_width_are_refused(network: Path) -> None:
    with pytest.raises(ValueError, match="2304"):
        OnnxEmbedding(network).fit(FACES).transform(FACES[:, :100])


def test_half_precision_halves_the_matrices_and_keeps_what_they_compute() -> None:
    model = brightness_model(7, n_features=400)
    before = len(model.SerializeToString())
    store_in_half_precision(model)
    store_in_half_precision(model)  # what is stored so already stays
    onnx.checker.check_model(model)
    assert len(model.SerializeToString()) < 0.6 * before
    assert [value.data_type for value in model.graph.initializer].count(onnx.TensorProto.FLOAT16) == 1
