"""Small graphs with known answers, built of the ops that loading gives."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
import torch.fx
from torch import Tensor, nn

from lipcert.graph import Graph, batch_of

torch.fx.wrap("batch_of")
aten = torch.ops.aten
Activation = Callable[[Tensor], Tensor]


def graph_of(module: nn.Module, input_shape: tuple[int, ...]) -> Graph:
    """The graph of a module whose forward is written in aten ops and `batch_of`."""
    traced = torch.fx.symbolic_trace(module)
    return Graph(traced, input_shape, names={name: name for name, _ in module.named_buffers()})


class _Mlp(nn.Module):
    def __init__(self, layers: list[tuple[Tensor, Tensor]], activation: Activation) -> None:
        super().__init__()
        self.depth, self.activation = len(layers), activation
        for i, (weight, bias) in enumerate(layers):
            self.register_buffer(f"weight{i}", weight.T)
            self.register_buffer(f"bias{i}", bias)

    def forward(self, x: Tensor) -> Tensor:
        for i in range(self.depth):
            x = aten.addmm.default(getattr(self, f"bias{i}"), x, getattr(self, f"weight{i}"))
            x = self.activation(x) if i < self.depth - 1 else x
        return x


class _Conv(nn.Module):
    def __init__(self, kernel: Tensor, kernel_bias: Tensor, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("kernel", kernel)
        self.register_buffer("kernel_bias", kernel_bias)
        self.register_buffer("weight", weight.T)
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        h = aten.convolution.default(x, self.kernel, self.kernel_bias, [2, 2], [1, 1], [1, 1], False, [0, 0], 1)
        h = aten.relu.default(h)
        h = aten.view.default(h, [batch_of(h), -1])
        return aten.addmm.default(self.bias, h, self.weight)


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def uniform(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def mlp_of(layers: list[tuple[Tensor, Tensor]], activation: Activation = aten.relu.default) -> Graph:
    return graph_of(_Mlp(layers, activation), (int(layers[0][0].shape[1]),))


def mlp(*widths: int, seed: int = 0, scale: float = 1.0, activation: Activation = aten.relu.default) -> Graph:
    """A fully connected net with Gaussian weights; `widths` from input to classes."""
    layers = [
        (
            random(rows, columns, seed=seed + 2 * i) * (2 / columns) ** 0.5 * scale,
            random(rows, seed=seed + 2 * i + 1) * 0.1,
        )
        for i, (columns, rows) in enumerate(itertools.pairwise(widths))
    ]
    return mlp_of(layers, activation)


def conv(classes: int = 4, seed: int = 0) -> Graph:
    """Input (2, 6, 6), a strided convolution, relu, and a linear layer."""
    return graph_of(
        _Conv(
            random(3, 2, 3, 3, seed=seed) * 0.3,
            random(3, seed=seed + 1) * 0.1,
            random(classes, 27, seed=seed + 2) * 0.3,
            random(classes, seed=seed + 3) * 0.1,
        ),
        (2, 6, 6),
    )


def toy() -> Graph:
    """W1, b1, W2, b2 with Jacobian [[2, 1], [1, 1]] and logits (3, 2) at x = (1, 1)."""
    first = torch.tensor([[1.0, 2.0], [-1.0, 1.0], [2.0, 0.0]]), torch.tensor([0.0, 1.0, -1.0])
    second = torch.tensor([[1.0, -1.0, 0.0], [0.0, 1.0, 1.0]]), torch.tensor([1.0, 0.0])
    return mlp_of([first, second])
