"""Activations of the form x * gate(x), spelt out in several ops as exporters do."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from lipcert.graph.node import Node

Gate = Literal["sigmoid", "hardsigmoid", "one plus erf", "tanh of softplus", "shifted clamp"]


def self_gate(node: Node) -> tuple[Node, Gate] | None:
    """(u, gate) where the product `node` is u * gate(u / c) for a number c; None where it is not so.

    As a function of u its slopes are those of x * gate(x), whatever c is.

    one plus erf      1 + erf(s x) for any number s: gelu up to a factor
    tanh of softplus  mish
    shifted clamp     clamp(x + 3, 0, 6): hardswish up to a factor
    """
    first, second = node.args[:2]
    for factor, gate in ((first, second), (second, first)):
        if not isinstance(factor, Node) or not isinstance(gate, Node):
            return None
        found = _gate(gate)
        if found is None:
            continue
        kind, source = found
        if source in {factor, unscaled(factor)} and node.shape == source.shape == factor.shape:
            return factor, kind
    return None


def _gate(node: Node) -> tuple[Gate, Node] | None:
    """What gate a value is, and of what."""
    if node.op in {"sigmoid", "hardsigmoid"}:
        return ("sigmoid" if node.op == "sigmoid" else "hardsigmoid"), node.inputs[0]
    shifted = _shifted(node, 1.0)
    if shifted is not None and shifted.op == "erf":
        return "one plus erf", unscaled(shifted.inputs[0])
    if node.op == "tanh" and _plain_softplus(node.inputs[0]):
        return "tanh of softplus", node.inputs[0].inputs[0]
    if node.op in {"clamp", "hardtanh"} and [_number(end) for end in node.args[1:3]] == [0.0, 6.0]:
        source = _shifted(node.inputs[0], 3.0)
        return None if source is None else ("shifted clamp", source)
    return None


def _plain_softplus(node: Node) -> bool:
    return node.op == "softplus" and (len(node.args) < 2 or _number(node.args[1]) == 1.0) and is_smooth(node)


def is_smooth(softplus: Node) -> bool:
    """Whether softplus is the function of that name but for rounding.

    Where beta x passes its threshold t the op returns x, which lies exp(-t) / |beta| away: a jump, which for t >= 17
    (20 unless set) is below the rounding of float32.
    """
    return len(softplus.args) < 3 or float(softplus.args[2]) >= _THRESHOLD


_THRESHOLD = 17.0


def _shifted(node: Node, amount: float) -> Node | None:
    """V where the node is v + amount; None where it is not."""
    if node.op != "add" or node.kwargs or len(node.inputs) != 1 or len(node.args) != 2:
        return None
    constant = node.args[1] if isinstance(node.args[0], Node) else node.args[0]
    return node.inputs[0] if _number(constant) == amount else None


def unscaled(node: Node) -> Node:
    """V where the node is v times or by a number other than zero; the node itself where it is not."""
    if node.op not in {"mul", "div"} or node.kwargs or len(node.inputs) != 1 or not isinstance(node.args[0], Node):
        return node
    return node.args[0] if _number(node.args[1]) else node


def _number(value: Any) -> float | None:
    """A constant that is one number."""
    if isinstance(value, Node) or value is None:
        return None
    tensor: Tensor = torch.as_tensor(value)
    return float(tensor) if tensor.numel() == 1 else None
