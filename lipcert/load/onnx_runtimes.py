"""Runtimes that were not written here and can run an ONNX model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, version_converter
from onnx.reference import ReferenceEvaluator

Run: TypeAlias = Callable[[Mapping[str, NDArray[Any]]], NDArray[Any]]
Runtime: TypeAlias = Callable[[ModelProto], Run]

_CONVERTED = (7, 9, 11, 13, 17)
"""Operator sets tried one after another for a file older than what onnxruntime implements."""

THREADS = 2


def onnxruntime_cpu(model: ModelProto) -> Run:
    """Onnxruntime on the CPU, quiet, on at most two threads, with no library of custom operators.

    A graph of quantised pairs is run as written: fused integer kernels round at other places, and on some
    processors saturate.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised as well
    if any(node.op_type == "DequantizeLinear" for node in model.graph.node):
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    output = session.get_outputs()[0].name
    return lambda feed: np.asarray(session.run([output], dict(feed))[0])


def converted(model: ModelProto) -> Run:
    """Onnxruntime on the model rewritten by onnx's version converter for a newer operator set."""
    errors: list[str] = []
    for version in _CONVERTED:
        try:
            return onnxruntime_cpu(version_converter.convert_version(model, version))
        except Exception as error:  # noqa: BLE001  the converter and onnxruntime raise kinds of their own
            errors.append(f"operator set {version}: {error}")
    raise ValueError(errors[-1])


def reference(model: ModelProto) -> Run:
    """The reference implementation inside the onnx package, in numpy."""
    evaluator = ReferenceEvaluator(model)
    return lambda feed: np.asarray(evaluator.run(None, dict(feed))[0])  # type: ignore[index]


RUNTIMES: Mapping[str, Runtime] = {
    f"onnxruntime {onnxruntime.__version__}": onnxruntime_cpu,
    f"onnx.reference {onnx.__version__}": reference,
    f"onnxruntime {onnxruntime.__version__} after onnx.version_converter": converted,
}
"""In the order in which they are asked."""
