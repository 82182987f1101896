"""Small rewrites after which every remaining node computes something."""

from __future__ import annotations

from typing import Any

import torch
import torch.fx
from torch import Tensor

aten = torch.ops.aten
_ALIASES = (
    aten.clone.default,
    aten.alias.default,
    aten.detach.default,
    aten.detach_.default,
    aten.lift_fresh_copy.default,
)
_RESHAPING = (aten.expand.default, aten.reshape.default, aten._to_copy.default, aten.view.default)
_END = 2**63 - 1


def normalise(module: torch.fx.GraphModule) -> torch.fx.GraphModule:
    """Drop nodes that return their input: aliases, and reshapes, casts and slices that change nothing."""
    for node in list(module.graph.nodes):
        if node.op != "call_function":
            continue
        if node.target is aten.slice.Tensor:
            _clamp_slice(node)
        if _changes_nothing(node):
            node.replace_all_uses_with(node.args[0])
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def _clamp_slice(node: torch.fx.Node) -> None:
    """An open end is written as 2**63 - 1, which vmap rejects; the axis length serves, except on the batch axis."""
    axis, _, end = _slice(node)
    source = _value(node.args[0])
    if end >= _END and axis != 0 and source is not None and len(node.args) > 3:
        node.args = (*node.args[:3], source.shape[axis], *node.args[4:])


def _slice(node: torch.fx.Node) -> tuple[int, int, int]:
    """Axis, start and end of a slice node; absent ones are 0, 0 and the largest integer."""
    axis, start, end = (*node.args[1:4], *(0, None, None)[len(node.args) - 1 :])[:3]
    assert isinstance(axis, int)
    return axis, 0 if start is None else _number(start), _END if end is None else _number(end)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0  # a node: an end that depends on the batch, never open


def _value(node: Any) -> Tensor | None:
    value = node.meta.get("val") if isinstance(node, torch.fx.Node) else None
    return value if isinstance(value, Tensor) else None


def _changes_nothing(node: torch.fx.Node) -> bool:
    if node.target in _ALIASES:
        return True
    result, source = _value(node), _value(node.args[0] if node.args else None)
    if result is None or source is None or result.shape != source.shape or result.dtype != source.dtype:
        return False
    if node.target is aten.slice.Tensor:
        return len(node.args) < 5 or bool(node.args[4] == 1)
    return bool(node.target in _RESHAPING)
