"""How a stored value becomes what the model sees: value = raw / scale, model input = (value - mean) / std."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import final

import torch
import torch.fx
from torch import Tensor

from lipcert.errors import ConfigurationError
from lipcert.graph import PREPROCESS, PREPROCESS_CONSTANTS, Graph, batch_of
from lipcert.load.fit import Layout
from lipcert.load.values import Range
from lipcert.records.provenance import PreprocessRecord
from lipcert.samples import Samples, per_channel

MEAN, STD = PREPROCESS_CONSTANTS


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocess:
    """The preprocessing in use.

    scale        divides the stored values; None for 255 with bytes and 1 with anything else
    mean, std    one value, or one a channel, in data units
    layout       where the model has its channels; None when that was not told
    input_range  valid values in data units; None when that was not told
    source       where each setting came from, in words
    """

    scale: float | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: Layout | None = None
    input_range: Range | None = None
    source: str = "default"

    def check(self, input_shape: tuple[int, ...]) -> None:
        """Raise ConfigurationError where `mean` or `std` has a length that fits no axis of the input, or two."""
        for name, values in (("mean", self.mean), ("std", self.std)):
            try:
                per_channel(values, input_shape, self.layout)
            except ValueError as error:
                ambiguous = "name the layout" in str(error)
                raise ConfigurationError(
                    f"{name} ({self.source}): {error}",
                    hint="--layout nchw or --layout nhwc" if ambiguous else "give one value, or one a channel",
                ) from error

    def record(self, samples: Samples | None = None) -> PreprocessRecord:
        """What the report says of it; the samples tell the scale and range that were found where none was told."""
        default = "as stored" if samples is None else samples.layout
        return PreprocessRecord(
            scale=(samples.scale if samples is not None else self.scale or 1.0),
            mean=self.mean,
            std=self.std,
            layout=self.layout or default,
            input_range=samples.input_range if samples is not None else self.input_range,
            source=self.source,
        )


def insert_preprocess(graph: Graph, preprocess: Preprocess) -> Graph:
    """The graph on (x - mean) / std: nodes named "preprocess", none for mean 0 and none for std 1.

    The constants are float32 numbers whatever the graph's dtype, as in the pipelines that trained the models, so
    that a float32 and a float64 graph mean the same function. The division is kept: multiplying by a rounded
    reciprocal would add a second rounding that the pipelines do not have.
    """
    preprocess.check(graph.input_shape)
    mean = per_channel(preprocess.mean, graph.input_shape, preprocess.layout)
    std = per_channel(preprocess.std, graph.input_shape, preprocess.layout)
    steps = [(MEAN, mean, torch.ops.aten.sub.Tensor, 0), (STD, std, torch.ops.aten.div.Tensor, 1)]
    steps = [step for step in steps if bool((step[1] != step[3]).any())]
    if not steps:
        return graph
    root = _root(graph, {name: value for name, value, _, _ in steps})
    fx_graph = copy.deepcopy(graph.module.graph)
    value = entry = next(node for node in fx_graph.nodes if node.op == "placeholder")
    users = [user for user in entry.users if user.target is not batch_of]
    for name, _, operation, _ in steps:
        with fx_graph.inserting_after(value):
            constant = fx_graph.get_attr(name)
        with fx_graph.inserting_after(constant):
            value = fx_graph.call_function(operation, (value, constant))
    entry.replace_all_uses_with(value, users.__contains__)
    names = graph.names | {name: PREPROCESS for name, *_ in steps}
    return Graph(torch.fx.GraphModule(root, fx_graph), graph.input_shape, names=names, head=graph.head)


def _root(graph: Graph, constants: dict[str, Tensor]) -> torch.nn.Module:
    """A module that holds the graph's constants and the new ones, these in the graph's dtype and on its device."""
    root = torch.nn.Module()
    for name, tensor in graph.tensors.items():
        root.register_buffer(name, tensor)
    for name, tensor in constants.items():
        root.register_buffer(name, tensor.to(dtype=graph.dtype, device=graph.device))
    return root
