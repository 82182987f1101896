"""Modules and functions as graphs, through the real capture."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lipcert.graph import Graph
from lipcert.load.capture import capture
from lipcert.load.objects import read_object


class _Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        if isinstance(function, nn.Module):
            self.inner = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x).flatten(1)


def graph_from(function: Callable[[Tensor], Tensor], *shape: int) -> Graph:
    """The graph of a function of a batch, its output flattened; no head is taken off."""
    source = read_object(_Function(function).eval())
    captured = capture(source, shape)
    return Graph(captured.module, shape, names=captured.names)


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in eval mode with parameters and statistics drawn from a generator of its own."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if tensor.is_floating_point():
                drawn = torch.randn(tensor.shape, generator=generator)
                tensor.copy_(drawn.abs() + 0.2 if name.endswith("var") else drawn * 0.7)
    return module.eval()
