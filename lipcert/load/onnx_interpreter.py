"""ONNX nodes run one after another as torch calls."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import final

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing

from lipcert.errors import LipcertError, RefusedModelError
from lipcert.load.onnx_graph import OnnxGraph, OnnxNode
from lipcert.load.onnx_ops import OPERATORS, NodeContext, Quantised
from lipcert.load.onnx_ops.base import Value

CARRIERS = frozenset(
    "Identity Dropout Reshape Flatten Transpose Squeeze Unsqueeze Slice Gather Split Expand Tile "
    "MaxPool GlobalMaxPool DepthToSpace SpaceToDepth Concat".split()
)
"""Operators that move entries about, or pick among them, and so do the same to quantised values as to real ones."""

_SHAPES_ONLY = frozenset({"Shape", "Size"})


@final
class OnnxInterpreter:
    """The outputs of a graph as a differentiable, functional torch function of its inputs.

    A value is *live* when it derives from an input's entries; nothing live is ever read out as a number, so
    the function can be captured. In the float reading (`rounded` False) quantised values are real numbers that
    are clamped and never rounded. With `per_sample`, scales taken from the data are taken sample by sample.
    Number types in `single` are read as float32. `constants` are the very tensors the function reads.
    """

    def __init__(
        self,
        graph: OnnxGraph,
        *,
        rounded: bool = True,
        per_sample: bool = False,
        single: tuple[torch.dtype, ...] = (),
        declared_batch: int | None = None,
    ) -> None:
        self.graph = graph
        self.rounded = rounded
        self.per_sample = per_sample
        self.single = single
        self.declared_batch = declared_batch
        self.constants = {
            name: value.to(torch.float32) if value.dtype in single else value for name, value in graph.constants.items()
        }
        self.live = live_values(graph)
        self._read = {name for node in graph.nodes for name in node.inputs} | {value.name for value in graph.outputs}

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Every output, in the order of the graph. Raises RefusedModelError naming the node that cannot be run."""
        values: dict[str, Value | None] = {**self.constants, "": None}
        values.update({value.name: x for value, x in zip(self.graph.inputs, inputs, strict=True)})
        running = inputs[0].shape[0] if inputs and inputs[0].ndim else None
        for node in self.graph.nodes:
            results = self._run(node, tuple(values[name] for name in node.inputs), running)
            values.update(zip(node.outputs, results, strict=False))
            values[""] = None
        return tuple(_plain(values[value.name], value.name) for value in self.graph.outputs)

    def _run(self, node: OnnxNode, inputs: tuple[Value | None, ...], running: int | None) -> tuple[Value | None, ...]:
        """A node's outputs. Quantised values reach only handlers that know them; others see what they store."""
        carried = _one_scale(inputs) if node.op in CARRIERS else None
        if carried is not None:
            inputs = tuple(value.real if isinstance(value, Quantised) else value for value in inputs)
        elif not _knows_quantised(node.op):
            inputs = tuple(value.stored if isinstance(value, Quantised) else value for value in inputs)
        results = self._call(node, inputs, running)
        if carried is None:
            return results
        return tuple(Quantised(r, carried.scale, carried.zero_point) if isinstance(r, Tensor) else r for r in results)

    def _call(self, node: OnnxNode, inputs: tuple[Value | None, ...], running: int | None) -> tuple[Value | None, ...]:
        context = NodeContext(
            op=node.op,
            name=node.name,
            attributes=node.attributes,
            version=node.version,
            outputs=tuple(name if name in self._read else "" for name in node.outputs),
            inputs=inputs,
            live=tuple(name in self.live for name in node.inputs),
            declared_batch=self.declared_batch,
            running_batch=running,
            per_sample=self.per_sample,
            rounded=self.rounded,
            single=self.single,
        )
        # A constant computed off the record stays one that can be read out as a number.
        record: AbstractContextManager[object] = nullcontext() if any(context.live) else disable_proxy_modes_tracing()
        try:
            with record:
                result = OPERATORS[node.op](context, *inputs)
        except LipcertError:
            raise
        except (RuntimeError, ValueError, IndexError, TypeError, KeyError, AttributeError) as error:
            shapes = [list(value.shape) if isinstance(value, Tensor) else None for value in inputs]
            cause = str(error).strip().splitlines() or [type(error).__name__]
            raise context.refused(f"it cannot be run on inputs of shape {shapes}: {cause[0][:200]}") from error
        return result if isinstance(result, tuple) else (result,)


def live_values(graph: OnnxGraph) -> frozenset[str]:
    """Names of the values that derive from the entries of an input, not only from its shape."""
    live = {value.name for value in graph.inputs}
    for node in graph.nodes:
        if node.op not in _SHAPES_ONLY and not live.isdisjoint(node.inputs):
            live.update(filter(None, node.outputs))
    return frozenset(live)


def constant_part(graph: OnnxGraph) -> OnnxGraph:
    """The nodes that need no input, not even its shape."""
    known, nodes = {"", *graph.constants}, []
    for node in graph.nodes:
        if known.issuperset(node.inputs):
            known.update(node.outputs)
            nodes.append(node)
    return replace(graph, inputs=(), outputs=(), nodes=tuple(nodes))


def _knows_quantised(op: str) -> bool:
    name = op.rsplit("::", 1)[-1]
    return name.startswith("QLinear") or name in ("DequantizeLinear", "ConvInteger", "MatMulInteger", "QGemm")


def _one_scale(inputs: tuple[Value | None, ...]) -> Quantised | None:
    """A quantised input whose scale and zero point all quantised inputs share; None where there is none.

    A constant beside them (to be joined with them) is in no such scale.
    """
    quantised = [value for value in inputs if isinstance(value, Quantised)]
    if not quantised or any(isinstance(value, Tensor) and not _is_index(value) for value in inputs):
        return None
    scales = {(value.scale, value.zero_point) for value in quantised}
    return quantised[0] if len(scales) == 1 else None


def _is_index(value: Tensor) -> bool:
    return value.dtype in (torch.int64, torch.bool) or value.numel() <= 1


def _plain(value: Value | None, name: str) -> Tensor:
    if isinstance(value, Quantised):
        return value.stored
    if value is None:
        raise RefusedModelError(f"the output {name!r} is never given a value")
    return value
