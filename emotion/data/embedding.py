"""Embeddings of faces as features: a scikit-learn transformer over an ONNX network, for training."""

import copy
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from emotion import config
from emotion.errors import ModelsError
from emotion.faces.crop import FaceVectors
from emotion.vote.loading import settled

EMBEDDING: Final = "embedding"
"""The name of a network's output."""

_BATCH_ROWS: Final = 256

_REMEDY: Final = (
    "train networks with: python -m emotion train-networks, or restore the folder models from the repository"
)


def network_file(folder: Path | str, number: int) -> Path:
    """Find the network of an experiment.

    Parameters
    ----------
    folder : path of a folder that `python -m emotion train-networks` wrote, or of a folder of models
    number : int, of the experiment

    Returns
    -------
    Path

    Raises
    ------
    ModelsError
        If it is not there.
    """
    file = settled(folder, f"network_{number}.onnx")
    if not file.is_file():
        raise ModelsError(f"{folder} has no network_{number}.onnx; {_REMEDY}.")
    return file


def read_network(path: Path | str) -> onnx.ModelProto:
    """Read a network.

    Parameters
    ----------
    path : path of an ONNX file

    Returns
    -------
    ModelProto: input ``X`` (n, 2304) float32, 0-255; output ``embedding`` (n, d) float32

    Raises
    ------
    ModelsError
        If the file is missing, damaged, or has no such parts.
    """
    try:
        model = onnx.load_model_from_string(Path(path).read_bytes())
        onnx.checker.check_model(model)
        ends = [[value.name for value in values] for values in (model.graph.input, model.graph.output)]
        if ends != [["X"], [EMBEDDING]]:
            raise ValueError(f"a graph from {ends[0]} to {ends[1]}")
    except OSError as error:
        raise ModelsError(f"The network {path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # onnx's and protobuf's errors share no other base
        raise ModelsError(f"{path} holds no network from X to {EMBEDDING}, or is damaged; {_REMEDY}.") from error
    return model


def convolutions(model: onnx.ModelProto) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Read the weights of a network's convolutions, also where they are stored as integers or in half precision.

    Parameters
    ----------
    model : ModelProto, as `read_network` gives it

    Returns
    -------
    dict of the name of a layer to its weights (wider, width, side, side) and shifts (wider,)
    """
    layers = [node.input for node in model.graph.node if node.op_type == "Conv"]
    values = _constants(model, [name for _, *constants in layers for name in constants])
    return {
        # Shifts that are all nought are left out when a network is exported.
        weight.partition(".weight")[0]: (
            values[weight],
            values[shift[0]] if shift else np.zeros(len(values[weight]), dtype=np.float32),
        )
        for _, weight, *shift in layers
    }


def _constants(model: onnx.ModelProto, names: list[str]) -> dict[str, NDArray[np.float32]]:
    model = copy.deepcopy(model)
    del model.graph.output[:]
    for name in names:
        # What is stored as it is can be an output only by way of a node.
        model.graph.node.append(onnx.helper.make_node("Identity", [name], [f"{name}_value"]))
        model.graph.output.append(onnx.helper.make_tensor_value_info(f"{name}_value", onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = session.run(None, {"X": np.zeros((1, config.N_PIXELS), dtype=np.float32)})
    return dict(zip(names, values, strict=True))


def store_in_half_precision(model: onnx.ModelProto) -> None:
    """Store the matrices and convolutions of a graph as float16, to be widened when it is loaded: half the file.

    Parameters
    ----------
    model : ModelProto, changed in place; values that float16 does not hold are rounded
    """
    graph = model.graph
    for constant in [c for c in graph.initializer if len(c.dims) >= 2 and c.data_type == onnx.TensorProto.FLOAT]:
        values = onnx.numpy_helper.to_array(constant)
        stored = onnx.numpy_helper.from_array(values.astype(np.float16), f"{constant.name}_float16")
        graph.initializer.remove(constant)
        graph.initializer.append(stored)
        cast = onnx.helper.make_node("Cast", [stored.name], [constant.name], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, cast)


class OnnxEmbedding(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Maps faces to embeddings by a network that stays as it is. May be shared between threads.

    Parameters
    ----------
    path : path of an ONNX file, as `read_network` takes it
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path

    def fit(self, X: FaceVectors, y: Any = None) -> "OnnxEmbedding":
        """Open the network; nothing is learnt.

        Parameters
        ----------
        X, y : ignored

        Returns
        -------
        self

        Raises
        ------
        ModelsError
            If the network is missing or damaged.
        """
        read_network(self.path)
        self.network_ = Path(self.path).read_bytes()
        self._open()
        return self

    def _open(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count() or 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(self.network_, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no other base
            raise ModelsError(f"{self.path} cannot be loaded by onnxruntime; {_REMEDY}.") from error

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_session"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "network_" in state:
            self._open()

    def transform(self, X: FaceVectors) -> NDArray[np.float32]:
        """Compute embeddings.

        Parameters
        ----------
        X : ndarray of shape (n, 2304), uint8, 0-255

        Returns
        -------
        ndarray of shape (n, d), float32

        Raises
        ------
        ValueError
            If `X` has another shape.
        """
        X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != config.N_PIXELS:
            raise ValueError(f"X must be face vectors of shape (n, {config.N_PIXELS}), got {X.shape}")
        first = self._embedded(X[:_BATCH_ROWS])
        # Written into place: parts that are joined in the end would be in memory twice.
        embeddings = np.empty((len(X), first.shape[1]), dtype=np.float32)
        embeddings[:_BATCH_ROWS] = first
        for start in range(_BATCH_ROWS, len(X), _BATCH_ROWS):
            embeddings[start : start + _BATCH_ROWS] = self._embedded(X[start : start + _BATCH_ROWS])
        return embeddings

    def _embedded(self, X: FaceVectors) -> NDArray[np.float32]:
        [embeddings] = self._session.run([EMBEDDING], {"X": X.astype(np.float32)})
        return np.asarray(embeddings)


def embeddings(folder: Path | str, X: FaceVectors) -> dict[int, NDArray[np.float32]]:
    """Compute what each network of a folder makes of faces.

    Parameters
    ----------
    folder : path, as `network_file` takes it
    X : ndarray of shape (n, 2304), uint8

    Returns
    -------
    dict of each network's number to ndarray of shape (n, d), float32

    Raises
    ------
    ModelsError
        If a network is missing or damaged.
    """
    numbers = config.MODELS_OF_PIPELINE
    return {number: OnnxEmbedding(network_file(folder, number)).fit(X).transform(X) for number in numbers}
