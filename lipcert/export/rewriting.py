"""The bytes of a model file with some of its tensors scaled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lipcert.errors import RefusedModelError
from lipcert.export.exported import scale_exported
from lipcert.export.onnx_file import scale_onnx
from lipcert.export.torchscript import scale_torchscript
from lipcert.load.source import Format
from lipcert.pipeline import AnalyzeRequest

Rewrite = Callable[[AnalyzeRequest, bytes, Mapping[str, float]], bytes]

_WRITERS: dict[Format, Rewrite] = {
    "onnx": scale_onnx,
    "torchscript": scale_torchscript,
    "exported": scale_exported,
}


def scaled_file(format_name: Format, request: AnalyzeRequest, data: bytes, factors: Mapping[str, float]) -> bytes:
    """The file once more, each named tensor multiplied by its factor in float64 and rounded to its own dtype.

    Raises RefusedModelError, naming it, for a tensor that cannot be written.
    """
    writer = _WRITERS.get(format_name)
    if writer is None:
        raise RefusedModelError(f"a model of format {format_name} is not written back")
    return writer(request, data, factors)
