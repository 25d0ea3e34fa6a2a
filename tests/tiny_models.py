"""A folder of models that can be reasoned about: what each says depends on the brightness of the face alone."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from emotion import config

CLASSES = ("Angry", "Happy", "Sad")


def write_tiny_models(folder: Path, classes: tuple[str, ...] = CLASSES) -> Path:
    """Write five models: a black face is certainly the first class, a white one the last, the others lie between."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in config.MODELS_OF_PIPELINE:
        onnx.save(mean_brightness_pipeline(), folder / f"pipeline_{number}.onnx")
        (folder / f"labels_{number}.json").write_text(json.dumps(list(classes)), encoding="utf-8")
    for name in config.MODEL_NAMES:
        onnx.save(brightness_model(len(classes)), folder / f"{name}.onnx")
    write_manifest(folder, classes)
    return folder


def write_tiny_networks(folder: Path) -> Path:
    """Write three networks that give the mean brightness of each block of 4x4 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = config.FACE_SIDE // 4
    nodes = [
        helper.make_node("Reshape", ["X", "shape"], ["blocks"]),
        helper.make_node("ReduceMean", ["blocks", "axes"], ["means"], keepdims=0),
        helper.make_node("Reshape", ["means", "row"], ["embedding"]),
    ]
    constants = {"shape": [-1, blocks, 4, blocks, 4], "axes": [2, 4], "row": [-1, blocks * blocks]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, config.N_PIXELS])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [None, blocks * blocks])],
        [numpy_helper.from_array(np.array(value, dtype=np.int64), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    for number in config.MODELS_OF_PIPELINE:
        onnx.save(model, folder / f"network_{number}.onnx")
    return folder


def write_manifest(folder: Path, classes: tuple[str, ...]) -> None:
    """Write a manifest with the checksums of what is in the folder."""
    files = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.iterdir())
        if file.is_file() and file.name != config.MANIFEST_FILE
    }
    networks = {
        str(n): files.pop(f"network_{n}.onnx") for n in config.MODELS_OF_PIPELINE if f"network_{n}.onnx" in files
    }
    manifest = {
        "format_version": config.MANIFEST_FORMAT,
        "classes": list(classes),
        "files": files,
        "networks": networks,
        "calibration": {
            "exponents": [1.0] * len(classes),
            "shifts": [0.0] * len(classes),
            "uncertain_below": 0.5,
        },
    }
    (folder / config.MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")


def mean_brightness_pipeline(n_pixels: int = config.N_PIXELS) -> onnx.ModelProto:
    """2304 pixels -> one feature, 0 (black) to 1 (white)."""
    weights = np.full((n_pixels, 1), 1 / (255 * n_pixels), dtype=np.float32)
    node = helper.make_node("MatMul", ["X", "weights"], ["variable"])
    return _graph([node], {"weights": weights}, n_pixels, "variable", 1)


def brightness_model(n_classes: int, n_features: int = 1) -> onnx.ModelProto:
    """One feature -> probabilities, by the distance of the feature to each class's place between 0 and 1."""
    places = np.linspace(0, 1, n_classes, dtype=np.float32)
    # The softmax of -40 (x - place)^2, written out without the term that all classes share.
    slope = np.zeros((n_features, n_classes), dtype=np.float32)
    slope[0] = 80 * places
    nodes = [
        helper.make_node("MatMul", ["X", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    return _graph(nodes, {"slope": slope, "offset": -40 * places**2}, n_features, "probabilities", n_classes)


def _graph(
    nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], width: int, output: str, output_width: int
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, output_width])],
        [numpy_helper.from_array(np.float32(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
