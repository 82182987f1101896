"""From what a file gives to logits: the output layer is found, removed and named.

softmax, log_softmax and log(softmax) over the classes leave the order of the scores as it is and are stripped.
One output per sample, with or without a sigmoid, is a binary classifier: its logit z becomes the pair (0, z).
"""

from __future__ import annotations

import math

import torch
import torch.fx
from torch import Tensor

from lipcert.errors import RefusedModelError
from lipcert.graph import Graph, Head
from lipcert.graph.resolve import op_name

aten = torch.ops.aten

_SOFTMAX: dict[str, Head] = {"_softmax": "softmax", "_safe_softmax": "softmax", "_log_softmax": "log_softmax"}
_RESHAPES = ("reshape", "squeeze", "unsqueeze", "view", "clone", "alias", "flatten")


def strip_head(graph: Graph) -> Graph:
    """The graph up to the logits, shape (N, classes), with `head` naming what was removed.

    Raises:
        RefusedModelError: the output is no vector of class scores (segmentation, multi-label, ...).
    """
    shape = graph.output.shape
    scores = [d for d in shape[1:] if d != 1]
    if 0 in scores:
        raise RefusedModelError(
            f"the output of one sample has shape {tuple(shape[1:])}: no score at all",
            hint="Name the output that holds the class scores: --output-name.",
        )
    if len(scores) > 1:
        raise RefusedModelError(
            f"the output of one sample has shape {tuple(shape[1:])}; a classifier gives one score a class",
            hint="Segmentation, detection and sequence models are not analysed.",
        )
    classes = scores[0] if scores else 1
    target, head = _find(graph.output.raw, classes)
    if head == "sigmoid" and classes > 1:
        raise RefusedModelError(
            f"the model ends in a sigmoid for each of {classes} outputs: a multi-label model, not a classifier",
            hint="If the largest output is the prediction, export the model without its sigmoid.",
        )
    if classes == 1:
        target = _pair(graph.module, target)
        head = "single_logit" if head == "logits" else head
    _rewire(graph.module, target, max(classes, 2))
    return Graph(graph.module, graph.input_shape, names=graph.names, head=head)


def keep_outputs(graph: Graph) -> Graph:
    """The graph with every number its output holds, in order, as one row of "logits": shape (N, outputs).

    For networks that are judged by their outputs and need not be classifiers; no head is looked for.
    """
    shape = graph.output.shape
    _rewire(graph.module, graph.output.raw, math.prod(shape[1:]))
    return Graph(graph.module, graph.input_shape, names=graph.names)


def _find(output: torch.fx.Node, classes: int) -> tuple[torch.fx.Node, Head]:
    """The node that holds the scores before the head, and the head's name."""
    node, logarithm = output, False
    while node.op == "call_function":
        op = op_name(node)
        source = node.args[0] if node.args and isinstance(node.args[0], torch.fx.Node) else None
        if source is None:
            break
        if op == "log" and not logarithm:
            logarithm = True
        elif op in _SOFTMAX and _spans_classes(node, classes):
            return source, "log_softmax" if logarithm else _SOFTMAX[op]
        elif op == "sigmoid" and not logarithm:
            return source, "sigmoid"
        elif op not in _RESHAPES:
            break
        node = source
    return output, "logits"


def _spans_classes(node: torch.fx.Node, classes: int) -> bool:
    value = node.meta["val"]
    axis = node.args[1]
    return isinstance(value, Tensor) and isinstance(axis, int) and value.shape[axis] == classes


def _pair(module: torch.fx.GraphModule, target: torch.fx.Node) -> torch.fx.Node:
    """(0, z) from one score z a sample."""
    with module.graph.inserting_before(_output(module)):
        column = _matrix(module, target, 1)
        module.register_buffer("positive_class", torch.tensor([[0.0, 1.0]]))
        pair = module.graph.get_attr("positive_class")
        return module.graph.call_function(aten.mm.default, (column, pair))


def _rewire(module: torch.fx.GraphModule, target: torch.fx.Node, classes: int) -> None:
    """Make `target` the output, as a matrix (N, classes)."""
    output = _output(module)
    with module.graph.inserting_before(output):
        output.args = (_matrix(module, target, classes),)
    module.graph.eliminate_dead_code()
    module.recompile()


def _matrix(module: torch.fx.GraphModule, target: torch.fx.Node, columns: int) -> torch.fx.Node:
    """`target` with one row a sample; itself where it is a matrix already, or is one by construction."""
    value = target.meta.get("val")
    if isinstance(value, Tensor) and value.ndim == 2:
        return target
    return module.graph.call_function(aten.reshape.default, (target, [-1, columns]))


def _output(module: torch.fx.GraphModule) -> torch.fx.Node:
    found: torch.fx.Node = next(node for node in reversed(module.graph.nodes) if node.op == "output")
    return found
