"""Which nodes of a graph can be read, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import onnx
from onnx import ModelProto, inliner

from lipcert.errors import RefusedModelError, UnsupportedOperatorError
from lipcert.load.onnx_graph import OnnxGraph, OnnxNode, opset_versions
from lipcert.load.onnx_ops import OPERATORS

_REFUSED = {
    "control flow": "If Loop Scan SequenceMap",
    "a recurrent layer": "LSTM GRU RNN",
    "random numbers": "RandomNormal RandomNormalLike RandomUniform RandomUniformLike Bernoulli Multinomial",
    "a result whose size depends on the data": "NonMaxSuppression Unique",
    "text": "StringNormalizer StringSplit StringConcat RegexFullMatch TfIdfVectorizer",
    "a file decoder": "ImageDecoder",
}
REASONS = {op: reason for reason, ops in _REFUSED.items() for op in ops.split()}
"""Operators of ONNX's own domain that have no place in a feed-forward classifier, and what they bring in."""


def supported_operators() -> tuple[str, ...]:
    """Every operator that is read, sorted; those outside ONNX's own domain as `domain::operator`."""
    return tuple(sorted(OPERATORS))


def inline_known(model: ModelProto) -> ModelProto:
    """Put the definitions that ONNX gives of some operators in place of nodes there is no handler for."""
    version = opset_versions(model)[""]
    wanted = sorted({n.op_type for n in model.graph.node if n.domain in ("", "ai.onnx") and n.op_type not in OPERATORS})
    composed = [("", op) for op in wanted if op not in REASONS and _has_body(op, version)]
    if not composed:
        return model
    try:
        return inliner.inline_selected_functions(model, composed, exclude=False, inline_schema_functions=True)
    except Exception:  # noqa: BLE001  then the nodes stay, and are reported as unsupported
        return model


def _has_body(op: str, version: int) -> bool:
    if not onnx.defs.has(op, version):
        return False
    schema: Any = onnx.defs.get_schema(op, version)  # the stubs leave out how a schema knows its body
    return bool(schema.has_function or schema.has_context_dependent_function)


def check_operators(graph: OnnxGraph) -> None:
    """Raise on nodes that cannot be read, all of them at once, saying how many can.

    Raises:
        RefusedModelError: control flow, recurrence, randomness, or a domain other than ONNX's own.
        UnsupportedOperatorError: operators of ONNX's own that have no interpretation here.
    """
    blocked = [node for node in graph.nodes if node.op not in OPERATORS]
    if not blocked:
        return
    supported, total = len(graph.nodes) - len(blocked), len(graph.nodes)
    summary = f"{supported} of {total} nodes are supported; blocked by {_listed(blocked)}"
    reasons = sorted({reason for node in blocked if (reason := _reason(node.op))})
    if reasons:
        raise RefusedModelError(
            f"the model contains {' and '.join(reasons)}: {summary}",
            hint="export the plain feed-forward classifier with operators of the ai.onnx domain only",
        )
    raise UnsupportedOperatorError(summary, operators=tuple(node.op for node in blocked))


def _reason(op: str) -> str | None:
    """Why an operator is refused rather than only unsupported."""
    if "::" in op:
        domain = op.split("::", 1)[0]
        if domain == "ai.onnx.ml":
            return "classical machine-learning operators (ai.onnx.ml)"
        return f"operators of the custom domain {domain!r}"
    return "sequences or optional values" if op.startswith(("Sequence", "Optional", "SplitTo")) else REASONS.get(op)


def _listed(nodes: Iterable[OnnxNode]) -> str:
    """Operators with the names of their nodes, the first few of each."""
    by_op: dict[str, list[str]] = {}
    for node in nodes:
        by_op.setdefault(node.op, []).append(node.name)
    return ", ".join(
        f"{op} ({', '.join(names[:4])}{f' and {len(names) - 4} more' if len(names) > 4 else ''})"
        for op, names in sorted(by_op.items())
    )
