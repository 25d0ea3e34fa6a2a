"""Networks as ONNX files: written in eight-bit integers, and read back to be trained further.

Eight bits take a third of the time and half of the file, and give nearly the same labels.
"""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn
from torch.nn import functional

from emotion import config
from emotion.data.embedding import EMBEDDING, convolutions, read_network
from emotion.errors import TrainingError
from emotion.faces.crop import FaceVectors
from emotion.networks.designs import NetworkDesign
from emotion.networks.modules import (
    EmbeddingGraph,
    FaceNetwork,
    best_device,
    half_precision,
    to_device,
)
from emotion.networks.network_data import NetworkData
from emotion.runtime.files import replacing

CALIBRATION_FACES: Final = 256
PERCENTILE: Final = 99.999
"""Of the values that a result takes on those faces; the few beyond are cut off, for a finer scale. Chosen on validation
faces: the mean of the three networks gives 99 % of them the label that it gives without rounding."""

RESTORING_FACES: Final = 2000
"""Training faces, at most, that the normalisations of an exported network are found again by."""


HEADS_DECAY: Final = 1e-4
"""Of the squared weights of heads that are fitted to a network that was exported without."""

_BATCH_ROWS: Final = 64


def quantized(model: onnx.ModelProto, faces: FaceVectors) -> onnx.ModelProto:
    """Round the weights and intermediate results of a network to eight bits (Jacob et al., 2018, arXiv:1712.05877).

    Each channel's weights, and each result, get a scale of their own; those of the results span what the faces show.
    Weights use seven of the eight bits: processors without VNNI add pairs of products in sixteen bits, which would
    overflow otherwise. The first convolution stays in floating point: rounding what comes into it changed most labels.

    Parameters
    ----------
    model : ModelProto: input ``X`` (n, 2304) float32, 0-255
    faces : ndarray of shape (n, 2304), uint8, 0-255
        Training faces; about `CALIBRATION_FACES` of them are used, evenly spread.

    Returns
    -------
    ModelProto, of the same input and output
    """
    chosen = np.linspace(0, len(faces) - 1, min(len(faces), CALIBRATION_FACES)).astype(int)
    with tempfile.TemporaryDirectory() as folder:
        given, fused, rounded = (Path(folder) / f"{name}.onnx" for name in ("given", "fused", "rounded"))
        onnx.save(model, given)
        with _quiet():
            quant_pre_process(given, fused, skip_symbolic_shape=True)
            try:
                _round(fused, rounded, faces[chosen], CalibrationMethod.Percentile)
            except ValueError:  # some result hardly varies, in a network that has learnt next to nothing
                _round(fused, rounded, faces[chosen], CalibrationMethod.MinMax)
        result = onnx.load(rounded)
    used = {node.domain for node in result.graph.node}
    for stated in [domain for domain in result.opset_import if domain.domain not in used]:  # onnxruntime states all
        result.opset_import.remove(stated)
    return result


def _round(fused: Path, rounded: Path, faces: FaceVectors, method: CalibrationMethod) -> None:
    convolutions = [node.name for node in onnx.load(fused).graph.node if node.op_type == "Conv"]
    quantize_static(
        fused,
        rounded,
        _Batches(faces),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=convolutions[:1],
        calibrate_method=method,
        extra_options={"CalibPercentile": PERCENTILE},
    )


class _Batches(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, faces: FaceVectors) -> None:
        # All of one size, as onnxruntime's percentiles need them: what is left over is left out.
        size = min(len(faces), _BATCH_ROWS)
        self._batches = iter([faces[end - size : end] for end in range(size, len(faces) + 1, size)])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"X": batch.astype(np.float32)}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep onnxruntime from telling its steps, and from advising what has been done."""

    def is_no_advice(record: logging.LogRecord) -> bool:
        return "pre-process" not in record.getMessage()

    logging.getLogger().addFilter(is_no_advice)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.getLogger().removeFilter(is_no_advice)


def export_network(network: FaceNetwork, path: Path, faces: FaceVectors) -> None:
    """Write a network as an ONNX graph in eight-bit integers.

    Parameters
    ----------
    network : FaceNetwork, on the processor
    path : Path
    faces : ndarray of shape (n, 2304), uint8, 0-255, of its training; see `emotion.networks.exporting.quantized`

    Raises
    ------
    TrainingError
        If the file cannot be written.
    """
    rows = torch.zeros(2, config.N_PIXELS)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of libraries that are not needed
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of the exporter's own use of PyTorch
        program = torch.onnx.export(
            EmbeddingGraph(network).eval(),
            (rows,),
            dynamo=True,
            input_names=["X"],
            output_names=[EMBEDDING],
            dynamic_shapes={"rows": {0: torch.export.Dim("n")}},
            opset_version=18,
        )
    assert program is not None, "as it is without dynamo"
    model = quantized(program.model_proto, faces)
    try:
        with replacing(path) as partial:
            partial.write_bytes(model.SerializeToString())
    except OSError as error:
        raise TrainingError(f"The network {path} cannot be written: {error.strerror or error}.") from error


@torch.no_grad()  # type: ignore[untyped-decorator]
def restore_network(network: FaceNetwork, path: Path | str, faces: FaceVectors) -> None:
    """Give a network the embedding of an exported one, to be trained further. Its heads, which are not in the file,
    stay as they are.

    An exported network has its normalisations folded into its convolutions. Here they are separated again: filters get
    the length that new ones have, and each normalisation the scale and shift that undo what faces do to the mean and
    deviation behind the filters.

    Parameters
    ----------
    network : FaceNetwork, on the processor
    path : path of a network, as `emotion.data.embedding.read_network` takes it
    faces : ndarray of shape (n, 2304), uint8, 0-255, of its training, some hundreds or more

    Raises
    ------
    ModelsError
        If the file is missing, damaged, or holds no network.
    TrainingError
        If the file holds a network of another design.
    """
    exported = convolutions(read_network(path))
    modules = dict(network.named_modules(prefix="network"))
    shapes = {name: tuple(m.weight.shape) for name, m in modules.items() if isinstance(m, nn.Conv2d)}
    if shapes != {name: weight.shape for name, (weight, _) in exported.items()}:
        raise TrainingError(f"{path} holds a network of another design; train anew, without one to start from.")
    hooks = []
    for name, (weight, bias) in exported.items():
        convolution, weights, shifts = modules[name], torch.from_numpy(weight), torch.from_numpy(bias)
        if convolution.bias is not None:
            convolution.weight.copy_(weights)
            convolution.bias.copy_(shifts)
            continue
        lengths = weights.flatten(1).norm(dim=1).clamp_min(1e-6) / _NEW_LENGTH
        convolution.weight.copy_(weights / lengths[:, None, None, None])
        normalisation = modules[name.removesuffix("0") + "1"]
        hooks.append(normalisation.register_forward_pre_hook(_set_normalisation(lengths, shifts)))
    network.eval()
    network.embed(torch.from_numpy(faces).reshape(-1, 1, config.FACE_SIDE, config.FACE_SIDE).float())
    for hook in hooks:
        hook.remove()


_NEW_LENGTH: Final = 3**-0.5
"""Of a filter as PyTorch draws it: each of its n weights has the variance 1/(3n)."""


def _set_normalisation(lengths: Tensor, shifts: Tensor) -> Any:
    def set_to_what_comes(normalisation: nn.BatchNorm2d, arguments: tuple[Tensor]) -> None:
        variance, mean = torch.var_mean(arguments[0], (0, 2, 3))
        normalisation.running_mean.copy_(mean)
        normalisation.running_var.copy_(variance)
        normalisation.weight.copy_(lengths * (variance + normalisation.eps).sqrt())
        normalisation.bias.copy_(shifts + lengths * mean)

    return set_to_what_comes


def restored(design: NetworkDesign, path: Path | str, data: NetworkData) -> FaceNetwork:
    """Make a network out of an exported one, with heads that say what people said of the training faces.

    Parameters
    ----------
    design : NetworkDesign
    path : path of a network
    data : NetworkData
        Its training faces, with labels and votes, are what the heads are fitted to; no watched face is.

    Returns
    -------
    FaceNetwork, on the processor or the graphics card, whichever is the best

    Raises
    ------
    ModelsError
        If the file is missing, damaged, or holds no network.
    TrainingError
        If the file holds a network of another design.
    """
    network = FaceNetwork(design, data.n_classes)
    restore_network(network, path, data.X[:: len(data.X) // RESTORING_FACES + 1])
    device = best_device()
    to_device(network, device)
    embedded = _embedded(network, data.X)
    heads = {network.label_head: data.targets, network.vote_head: data.votes}
    weights = [weight for head in heads for weight in head.parameters()]
    optimizer = torch.optim.LBFGS(weights, max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        said = sum(
            functional.cross_entropy(head(embedded), torch.from_numpy(aim).to(device)) for head, aim in heads.items()
        )
        total: Tensor = said + HEADS_DECAY * sum(weight.square().sum() for weight in weights)
        total.backward()
        return total

    optimizer.step(loss)
    return network


@torch.no_grad()  # type: ignore[untyped-decorator]
def _embedded(network: FaceNetwork, X: FaceVectors) -> Tensor:
    """Compute what ships of a network: (n, 2304) uint8 -> (n, n_features) float32, on the network's device."""
    device = next(network.parameters()).device
    graph = EmbeddingGraph(network).eval()
    parts = []
    for start in range(0, len(X), 256):
        with half_precision(device):
            parts.append(graph(torch.from_numpy(X[start : start + 256]).to(device).float()).float())
    return torch.cat(parts)
