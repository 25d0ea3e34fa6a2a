"""What a model file may hold: standard operators and weights of its own, nothing that is taken from elsewhere."""

from collections.abc import Iterator
from typing import Any, Final

import onnx
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]

_DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml"})
"""ONNX's own operators; any other would need code from somewhere."""


def objection_to(data: bytes) -> str | None:
    """Look for what a model file must not hold, before any runtime opens it.

    Parameters
    ----------
    data : bytes, of an ONNX file

    Returns
    -------
    str, the reason why it is not to be opened, to stand behind the file's name; None where there is none
    """
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError:
        return "is no ONNX file"
    for part in _parts(model):
        if isinstance(part, onnx.TensorProto) and (part.external_data or part.data_location == part.EXTERNAL):
            return "takes weights from another file"
        if isinstance(part, onnx.NodeProto) and part.domain not in _DOMAINS:
            return f"needs the operator {part.op_type} of {part.domain}, which is not one of ONNX's own"
    return None


def _parts(message: Any) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if isinstance(value, (list, tuple)) or hasattr(value, "add") else [value]:
                yield from _parts(inner)
