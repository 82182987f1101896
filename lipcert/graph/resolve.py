"""From torch.fx nodes to live nodes with constant arguments."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
import torch.fx
from torch import Size, Tensor

from lipcert.graph.batch import batch_of
from lipcert.graph.node import Node

_ROLE = re.compile(r"[./_]?(weight|bias|kernel|gamma|beta|weights|biases|w|b|W|B)(:\d+)?$")


def resolve(module: torch.fx.GraphModule, names: Mapping[str, str], sample: Tensor) -> tuple[Node, ...]:
    """Live nodes of `module` in order of execution, the input first and the output's value last.

    names   attribute of the module -> the user's name of that tensor
    sample  a batch of one, shape (1, *input_shape); only shapes and constants come from running it
    """
    values: dict[torch.fx.Node, Any] = {}
    live: dict[torch.fx.Node, Node] = {}
    taken: Counter[str] = Counter()
    for position, raw in enumerate(module.graph.nodes):
        if raw.op == "output":
            break
        values[raw] = _evaluate(module, raw, values, sample)
        if raw.op == "placeholder" or (raw.target is not batch_of and any(p in live for p in raw.all_input_nodes)):
            if isinstance(values[raw], int):
                continue
            node = _node(raw, position, values, live, names)
            taken[node.name] += 1
            if taken[node.name] > 1:
                node = _renamed(node, f"{node.name}#{taken[node.name]}")
            live[raw] = node
    return tuple(live.values())


def _evaluate(
    module: torch.fx.GraphModule, raw: torch.fx.Node, values: dict[torch.fx.Node, Any], sample: Tensor
) -> Any:
    if raw.op == "placeholder":
        return sample
    if raw.op == "get_attr":
        return getattr(module, str(raw.target))
    args, kwargs = torch.fx.map_arg((raw.args, raw.kwargs), values.__getitem__)
    with torch.no_grad():
        return raw.target(*args, **kwargs)  # type: ignore[operator]


def _node(
    raw: torch.fx.Node,
    position: int,
    values: dict[torch.fx.Node, Any],
    live: dict[torch.fx.Node, Node],
    names: Mapping[str, str],
) -> Node:
    def settle(arg: torch.fx.Node) -> Any:
        return live[arg] if arg in live else values[arg]

    args, kwargs = _map(raw.args, settle), _map(dict(raw.kwargs), settle)
    parameters = tuple(
        names[str(p.target)] for p in raw.all_input_nodes if str(p.target) in names and p.op == "get_attr"
    )
    op = op_name(raw)
    name = _layer_name(parameters) or f"{op}_{position}"
    return Node(
        name=name, op=op, args=args, kwargs=kwargs, shapes=_shapes(values[raw]), raw=raw, parameter_names=parameters
    )


def _renamed(node: Node, name: str) -> Node:
    return Node(
        name=name,
        op=node.op,
        args=node.args,
        kwargs=node.kwargs,
        shapes=node.shapes,
        raw=node.raw,
        parameter_names=node.parameter_names,
    )


def _map(value: Any, settle: Any) -> Any:
    """Like `torch.fx.map_arg`, which would turn lists into immutable ones and refuse Node objects of ours."""
    if isinstance(value, torch.fx.Node):
        return settle(value)
    if isinstance(value, dict):
        return {key: _map(item, settle) for key, item in value.items()}
    if isinstance(value, list):
        return [_map(item, settle) for item in value]
    if isinstance(value, tuple):
        return tuple(_map(item, settle) for item in value)
    return value


def op_name(raw: torch.fx.Node) -> str:
    """The op's name without namespace and overload; "input" for the placeholder."""
    if raw.op == "placeholder":
        return "input"
    if raw.target is operator.getitem:
        return "getitem"
    schema = getattr(raw.target, "_schema", None)
    return schema.name.split("::")[-1] if schema is not None else str(getattr(raw.target, "__name__", raw.target))


def _layer_name(parameters: tuple[str, ...]) -> str:
    """`conv1` from `conv1.weight`; the parameter's own name where it has no such ending."""
    return (_ROLE.sub("", parameters[0]) or parameters[0]) if parameters else ""


def _shapes(value: Any) -> tuple[Size, ...]:
    if isinstance(value, Tensor):
        return (value.shape,)
    return tuple(item.shape if isinstance(item, Tensor) else Size() for item in value)
