"""Fitted scikit-learn objects -> the ONNX files that ship, and proof that they say the same."""

import hashlib
import itertools
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxmltools.convert.xgboost.common import get_xgb_params
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from skl2onnx.operator_converters.support_vector_machines import convert_sklearn_svm_classifier
from skl2onnx.shape_calculators.support_vector_machines import calculate_sklearn_svm_output_shapes
from sklearn.base import ClassifierMixin
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from emotion import config
from emotion.data.embedding import EMBEDDING, store_in_half_precision
from emotion.errors import TrainingError
from emotion.faces.crop import FaceVectors
from emotion.training.recipes import BoundedSVC
from emotion.vote.ensemble import Ensemble

_OPSET: Final = {"": 18, "ai.onnx.ml": 3}
_CLASSIFIER_OPTIONS: Final = {
    "nocl": [True, False],
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "raw_scores": [True, False],
}

MAX_DIFFERING_BALLOTS: Final = 0.001
"""Share of held-out faces. ONNX computes in float32 throughout; a value next to a tree's threshold may fall to its
other side, which tips a ballot once in a great while."""


def _convert_svc(scope: Any, operator: Any, container: Any) -> None:
    """Write a support vector machine as products of matrices, which onnxruntime computes ten times as fast as its own
    operator, and its decisions between pairs of classes as scikit-learn sums them up (`_ovr_decision_function`).
    """
    svc = operator.raw_operator
    if len(svc.classes_) == 2:
        convert_sklearn_svm_classifier(scope, operator, container)
        return
    pairs = list(itertools.combinations(range(len(svc.classes_)), 2))
    ends = np.cumsum(svc.n_support_)
    rows = [slice(end - count, end) for end, count in zip(ends, svc.n_support_, strict=True)]
    coefficients = np.zeros((len(svc.support_vectors_), len(pairs)))
    winner, loser = np.zeros((2, len(pairs), len(svc.classes_)))
    for number, (first, second) in enumerate(pairs):
        coefficients[rows[first], number] = svc.dual_coef_[second - 1, rows[first]]
        coefficients[rows[second], number] = svc.dual_coef_[first, rows[second]]
        winner[number, first] = loser[number, second] = 1
    constants: dict[str, Any] = {
        "axis": np.array([1]),
        "vectors": 2 * svc._gamma * svc.support_vectors_.T,
        "lengths": -svc._gamma * np.square(svc.support_vectors_).sum(axis=1),
        "minus_gamma": [-svc._gamma],
        "coefficients": coefficients,
        "intercept": svc.intercept_,
        "to_first": winner - loser,
        "to_second": loser - winner,
        "all_first": winner.sum(axis=0),
        "nought": [0.0],
        "one": [1.0],
        "third": [1 / 3],
    }
    names = {name: scope.get_unique_variable_name(f"svc_{name}") for name in constants}
    for name, values in constants.items():
        array = np.asarray(values)
        kind = onnx.TensorProto.INT64 if array.dtype == np.int64 else onnx.TensorProto.FLOAT
        container.add_initializer(names[name], kind, array.shape, array.ravel())

    def node(kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        output = output or scope.get_unique_variable_name("svc")
        inputs = tuple(names.get(name, name) for name in inputs)
        unique = scope.get_unique_operator_name(kind)
        container.add_node(kind, list(inputs), [output], op_version=13, name=unique, **attributes)
        return output

    # exp(-gamma |x - s|^2), the square written out.
    X = operator.inputs[0].full_name
    length = node("ReduceSum", node("Mul", X, X), "axis", keepdims=1)
    near = node("Add", node("Gemm", X, "vectors", "lengths"), node("Mul", length, "minus_gamma"))
    decisions = node("Gemm", node("Exp", near), "coefficients", "intercept")
    to_second = node("Cast", node("Less", decisions, "nought"), to=onnx.TensorProto.FLOAT)
    votes = node("Gemm", to_second, "to_second", "all_first")
    sure = node("MatMul", decisions, "to_first")
    share = node("Mul", node("Div", sure, node("Add", node("Abs", sure), "one")), "third")
    label, scores = (output.full_name for output in operator.outputs)
    node("ArgMax", node("Add", votes, share, output=scores), output=label, axis=1, keepdims=0)


def _convert_boost(scope: Any, operator: Any, container: Any) -> None:
    """Write XGBoost as onnxmltools (1.16) does, but for its mistake with two classes: where too few rows leave the
    first tree no split, it takes the probability that the sum of trees starts from for the log odds that it is to be.
    """
    before = len(container.nodes)
    convert_xgboost(scope, operator, container)
    boost = operator.raw_operator
    if len(boost.classes_) > 2:
        return
    [start] = get_xgb_params(boost)["base_score"]
    for node in container.nodes[before:]:
        if node.op_type == "TreeEnsembleClassifier":
            others = [attribute for attribute in node.attribute if attribute.name != "base_values"]
            log_odds = onnx.helper.make_attribute("base_values", [float(np.log(start / (1 - start)))])
            del node.attribute[:]
            node.attribute.extend([*others, log_odds])


update_registered_converter(
    XGBClassifier,
    "XGBoostXGBClassifier",
    calculate_linear_classifier_output_shapes,
    _convert_boost,
    options=_CLASSIFIER_OPTIONS,
)
update_registered_converter(
    BoundedSVC,
    "BoundedSVC",
    calculate_sklearn_svm_output_shapes,
    _convert_svc,
    options=_CLASSIFIER_OPTIONS,
)


def pipeline_to_onnx(pipeline: Pipeline) -> bytes:
    """Convert what a fitted pipeline does behind its network: scaler and PCA.

    Parameters
    ----------
    pipeline : Pipeline, (n, 2304) -> (n, n_components), its components rounded by
        `emotion.training.fitting.round_components`

    Returns
    -------
    bytes of an ONNX file: input ``X`` (n, d) float32, embeddings, or pixels where there is no network; one output
    (n, n_components) float32
    """
    projection = Pipeline([(name, step) for name, step in pipeline.steps if name != EMBEDDING])
    converted = _converted(projection, projection["scaler"].n_features_in_, {})
    store_in_half_precision(converted)
    return bytes(converted.SerializeToString())


def model_to_onnx(model: ClassifierMixin, n_features: int) -> bytes:
    """Convert a fitted classifier.

    Parameters
    ----------
    model : classifier, fitted on class codes
    n_features : int, what its pipeline gives

    Returns
    -------
    bytes of an ONNX file: input ``X`` (n, n_features) float32; outputs ``label`` (n,) int64 and ``probabilities``
    (n, n_classes) float32
    """
    return bytes(_converted(model, n_features, {id(model): {"zipmap": False}}).SerializeToString())


def _converted(model: Any, width: int, options: dict[int, dict[str, Any]]) -> onnx.ModelProto:
    with warnings.catch_warnings():
        # The converter asks a support vector machine for probabilities that scikit-learn 1.9 deprecates; it has none.
        warnings.filterwarnings("ignore", "Attribute `prob[AB]_` was deprecated", FutureWarning)
        converted: onnx.ModelProto = to_onnx(
            model,
            initial_types=[("X", FloatTensorType([None, width]))],
            options=options or None,
            target_opset=_OPSET,
        )
    return converted


def write_pipeline(folder: Path, number: int, pipeline: Pipeline, classes: Sequence[str]) -> str | None:
    """Write ``network_N.onnx``, ``pipeline_N.onnx`` behind it, and the class list that goes with them,
    ``labels_N.json``.

    Parameters
    ----------
    folder : Path
    number : int, of the experiment
    pipeline : Pipeline, fitted
    classes : sequence of str

    Returns
    -------
    str, the SHA-256 of the network's file, hexadecimal; None where the pipeline begins with none
    """
    (folder / f"pipeline_{number}.onnx").write_bytes(pipeline_to_onnx(pipeline))
    (folder / f"labels_{number}.json").write_text(json.dumps(list(classes)) + "\n", encoding="utf-8")
    if EMBEDDING not in pipeline.named_steps:
        return None
    network = pipeline[EMBEDDING].network_
    (folder / f"network_{number}.onnx").write_bytes(network)
    return hashlib.sha256(network).hexdigest()


def checksums(folder: Path) -> dict[str, str]:
    """Compute the SHA-256 of every file that serving reads, besides the networks.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict of file name to hexadecimal digest
    """
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in served_files()}


def served_files() -> Iterator[str]:
    """Name the files that `emotion.load_models` reads, besides the manifest and the networks.

    Yields
    ------
    str, a file name
    """
    for number in config.MODELS_OF_PIPELINE:
        yield f"pipeline_{number}.onnx"
        yield f"labels_{number}.json"
    for name in config.MODEL_NAMES:
        yield f"{name}.onnx"


def check_ballots(
    ensemble: Ensemble, fitted_codes: Mapping[str, NDArray[np.integer]], held_out: FaceVectors
) -> dict[str, int]:
    """Compare the ballots of the files that ship with those of the objects that were fitted.

    Parameters
    ----------
    ensemble : Ensemble, loaded from the files
    fitted_codes : mapping of model name to ndarray of shape (n,), class codes that scikit-learn predicted
    held_out : ndarray of shape (n, 2304), uint8; never training rows, which lie exactly on the trees' thresholds

    Returns
    -------
    dict of model name to the number of ballots that differ

    Raises
    ------
    TrainingError
        If more than one ballot in a thousand of a model differs, and more than one at all.
    """
    ballots = ensemble.model_probabilities(held_out).argmax(axis=2)
    differing = {
        name: int((ballots[:, ensemble.model_names.index(name)] != codes).sum()) for name, codes in fitted_codes.items()
    }
    for name, count in differing.items():
        if count > max(1, MAX_DIFFERING_BALLOTS * len(held_out)):
            raise TrainingError(
                f"{name}.onnx differs from the trained model on {count} of {len(held_out)} held-out faces; the "
                "models that were there stay."
            )
    return differing
