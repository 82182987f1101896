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
    """The CPU provider of onnxruntime, quiet, on at most two threads, with no library of custom operators.

    A graph of quantised pairs is run as written, since fused integer kernels round at other places. Products of
    8-bit integers are summed exactly where onnxruntime can: the fast kernels of some processors saturate at 16 bits.
    """
    content = model.SerializeToString()
    try:
        session = _session(content, exact_sums=True)
    except Exception:  # noqa: BLE001  onnxruntime has no common base for what it raises
        session = _session(content, exact_sums=False)
    output = session.get_outputs()[0].name
    return lambda feed: np.asarray(session.run([output], dict(feed))[0])


def _session(content: bytes, *, exact_sums: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    # What goes wrong is raised as well; loading speaks through the default logger, not the session's.
    options.log_severity_level = 4
    onnxruntime.set_default_logger_severity(4)
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.add_session_config_entry("session.x64quantprecision", "1" if exact_sums else "0")
    # Without the fallback that tries the same again and says so on stdout.
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"], enable_fallback=0)


def converted(model: ModelProto) -> Run:
    """Onnxruntime on the model rewritten by onnx's version converter for a newer operator set."""
    errors: list[str] = []
    for version in _CONVERTED:
        try:
            newer = version_converter.convert_version(model, version)
            del newer.graph.value_info[:]  # the converter leaves values without a type there
            return onnxruntime_cpu(newer)
        except Exception as error:  # noqa: BLE001  the converter and onnxruntime raise kinds of their own
            errors.append(f"operator set {version}: {error}")
    raise ValueError(errors[-1])


def reference(model: ModelProto) -> Run:
    """The reference implementation inside the onnx package, in numpy."""
    evaluator = ReferenceEvaluator(model)
    return lambda feed: np.asarray(evaluator.run(None, dict(feed))[0])  # type: ignore[index]


RUNTIMES: Mapping[str, Runtime] = {
    f"onnxruntime {onnxruntime.__version__}": onnxruntime_cpu,
    f"onnxruntime {onnxruntime.__version__} after onnx.version_converter": converted,
    f"onnx.reference {onnx.__version__}": reference,
}
"""In the order in which they are asked: the reference last, since it does not do all old operator sets justice."""
