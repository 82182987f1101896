"""The node test suite inside the onnx package, as cases for the interpreter."""

import re
import warnings
from collections import Counter
from functools import cache

import numpy as np
import onnx
import torch
from onnx import ModelProto, TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

from lipcert.errors import LipcertError, UnsupportedOperatorError
from lipcert.load.onnx_graph import read_graph
from lipcert.load.onnx_interpreter import OnnxInterpreter
from lipcert.load.onnx_support import check_operators, inline_known
from lipcert.load.onnx_tensor import to_tensor

FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)

# Cases of operators that no feed-forward classifier of images or feature vectors is made of.
NOT_FOR_CLASSIFIERS = re.compile(
    "attention|rotary|rnn|gru|lstm|scan|loop|test_if|sequence|optional|dft|stft|deform|bernoulli|det_|loss|sce_|nll"
    "|nonmax|unique|roialign|col2im|affine|unpool|tensorscatter|tensor_scatter|range|eyelike|training|castlike|sequence"
)


@cache
def collect():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(collect_testcases(None))


def proto(value, name):
    """An array or message of the suite as a named message; None for sequences and optionals."""
    if isinstance(value, TensorProto):
        named = TensorProto()
        named.CopyFrom(value)
        named.name = name
        return named
    return None if value is None or isinstance(value, list | dict) else numpy_helper.from_array(np.asarray(value), name)


def messages(case):
    """Input and output messages of a case, None among them where one is no tensor."""
    inputs, outputs = case.data_sets[0]
    given = [proto(value, declared.name) for value, declared in zip(inputs, case.model.graph.input, strict=False)]
    return given, [proto(value, "expected") for value in outputs]


def kind(case):
    """Which group a case is counted in: "float", "float and parameters", or "other"."""
    given, expected = messages(case)
    if any(message is None for message in [*given, *expected]) or any(o.domain for o in case.model.opset_import):
        return "other"
    types = {message.data_type for message in [*given, *expected]}
    if types == {TensorProto.FLOAT}:
        return "float"
    mixed = types <= {TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL} and TensorProto.FLOAT in types
    return "float and parameters" if mixed else "other"


def prepare(case):
    """The interpreter of a case, its live input (none where the first is no float), and what is expected.

    Every input but the first is a constant of the model, as weights and parameters are.
    """
    given, expected = messages(case)
    if any(message is None for message in [*given, *expected]):
        raise UnsupportedOperatorError("a sequence or an optional value", operators=("sequence",))
    model = ModelProto()
    model.CopyFrom(case.model)
    live = given[:1] if given and given[0].data_type in FLOATS else []
    model.graph.initializer.extend(given[len(live) :])
    graph = read_graph(inline_known(model))
    check_operators(graph)
    inputs = [to_tensor(message) for message in live[: len(graph.inputs)]]
    return OnnxInterpreter(graph), inputs, [to_tensor(message) for message in expected]


def agrees(ours, theirs, case):
    """Same shape, same type, and close: as the law states, or as the case itself asks; two units in half precision."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return False
    a, b = ours.to(torch.float64), theirs.to(torch.float64)
    own = max(case.rtol, 2 * torch.finfo(theirs.dtype).eps if theirs.dtype in (torch.float16, torch.bfloat16) else 0)
    return any(
        torch.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True) for rtol, atol in ((1e-4, 1e-5), (own, case.atol))
    )


def reason(error):
    """Why a case is refused, in words that do not depend on names and shapes."""
    if isinstance(error, UnsupportedOperatorError):
        return "unsupported: " + ", ".join(error.operators)
    node = re.match(r"node '.*?' \((\w+), opset \d+\): (.*)", error.message)
    if node:
        return f"{node[1]}: {re.split(r' of shape|;|, so|, got', node[2])[0]}"
    return re.sub(r": \d+ of \d+ nodes.*", "", error.message)


@cache
def outcomes():
    """What becomes of every case: name -> "pass", "wrong" or the reason of its refusal."""
    return {case.name: _outcome(case) for case in collect()}


def _outcome(case):
    try:
        interpreter, inputs, expected = prepare(case)
        got = interpreter(*inputs)
    except LipcertError as error:
        return reason(error)
    return "pass" if all(agrees(a, b, case) for a, b in zip(got, expected, strict=True)) else "wrong"


def refusals():
    """How many cases are refused for each reason."""
    return Counter(outcome for outcome in outcomes().values() if outcome not in ("pass", "wrong"))


ONNX_VERSION = ".".join(onnx.__version__.split(".")[:2])
