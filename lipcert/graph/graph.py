"""A classifier as one functional ATen graph with a free batch dimension."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, final

import torch
import torch.fx
from torch import Tensor

from lipcert.graph.node import Node
from lipcert.graph.resolve import resolve

# What reports call the nodes that map data units to what the model reads, and the attributes that these nodes read.
# A file may call a tensor of its own by that name; its attribute is then another.
PREPROCESS = "preprocess"
PREPROCESS_CONSTANTS = ("preprocess_mean", "preprocess_std")

Head = Literal["logits", "softmax", "log_softmax", "sigmoid", "single_logit"]


@final
class Graph:
    """Samples in data units to logits: (N, *input_shape) -> (N, classes), differentiable, on any device.

    module       the torch.fx graph; every node is a functional ATen op, `batch_of`, or `operator.getitem`
    input_shape  shape of one sample
    names        attribute of `module` -> the user's name of that parameter
    head         what stood after the logits in the file, and is not part of the graph
    """

    def __init__(
        self,
        module: torch.fx.GraphModule,
        input_shape: tuple[int, ...],
        *,
        names: Mapping[str, str],
        head: Head = "logits",
    ) -> None:
        self.module = module
        self.input_shape = tuple(input_shape)
        self.names = dict(names)
        self.head: Head = head

    def __call__(self, x: Tensor) -> Tensor:
        """Logits of a batch, shape (N, classes)."""
        result = self.module(x)
        assert isinstance(result, Tensor)
        return result

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Live nodes in order of execution: the input first, the logits last."""
        sample = torch.zeros(1, *self.input_shape, dtype=self.dtype, device=self.device)
        return resolve(self.module, self.names, sample)

    @property
    def output(self) -> Node:
        """The node whose value is the logits."""
        return self.nodes[-1]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.output.shape[-1])

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Every constant of the graph by attribute name."""
        wanted = {str(raw.target): None for raw in self.module.graph.nodes if raw.op == "get_attr"}
        return {target: getattr(self.module, target) for target in wanted}

    @property
    def dtype(self) -> torch.dtype:
        """The floating dtype of the graph's constants; float32 where it has none."""
        return next((t.dtype for t in self.tensors.values() if t.is_floating_point()), torch.float32)

    @property
    def device(self) -> torch.device:
        """Where the graph's constants live."""
        return next((t.device for t in self.tensors.values()), torch.device("cpu"))

    @property
    def parameter_count(self) -> int:
        """Numbers in the tensors that carry a name of the user's, each name once.

        Neither the preprocessing's nor the running statistics of batch normalisation are among them.
        """
        statistics = {
            str(arg.target)
            for raw in self.module.graph.nodes
            if raw.target is torch.ops.aten.native_batch_norm.default
            for arg in raw.args[3:5]
            if isinstance(arg, torch.fx.Node)
        }
        counted = {
            self.names[target]: tensor.numel()
            for target, tensor in self.tensors.items()
            if target not in statistics and target in self.names and target not in PREPROCESS_CONSTANTS
        }
        return sum(counted.values())

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Graph:
        """A copy whose constants, and the dtype and device arguments inside the graph, are moved."""
        dtype, device = dtype or self.dtype, torch.device(device or self.device)
        root = torch.nn.Module()
        for target, tensor in self.tensors.items():
            moved = tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)
            root.register_buffer(target, moved)
        fx_graph = copy.deepcopy(self.module.graph)
        for raw in fx_graph.nodes:
            raw.args = _move(raw.args, dtype, device)
            raw.kwargs = _move(dict(raw.kwargs), dtype, device)
        return Graph(torch.fx.GraphModule(root, fx_graph), self.input_shape, names=self.names, head=self.head)


def _move(value: Any, dtype: torch.dtype, device: torch.device) -> Any:
    """Rewrite floating dtypes and devices among a node's arguments."""
    if isinstance(value, torch.dtype):
        return dtype if value.is_floating_point else value
    if isinstance(value, torch.device):
        return device
    if isinstance(value, dict):
        return {key: _move(item, dtype, device) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_move(item, dtype, device) for item in value)
    return value
