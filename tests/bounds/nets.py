"""Nets of many shapes for the laws of bounds, regions around random points, and what a net computes inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.fx
from torch import Tensor, nn

from lipcert.attacks.ball import Ball
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from lipcert.graph import Graph
from lipcert.records import Norm
from tests.captured import graph_from, randomised
from tests.graphs import uniform


class Residual(nn.Module):
    """Stem, a block with its own shortcut, an identity block, pooling by average, a head."""

    def __init__(self, stride: int = 2) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.first = nn.Sequential(
            nn.Conv2d(4, 6, 3, stride, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 3, 1, 1)
        )
        self.shortcut = nn.Conv2d(4, 6, 1, stride)
        self.second = nn.Sequential(nn.Conv2d(6, 6, 3, 1, 1), nn.ReLU())
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.relu(self.first(x) + self.shortcut(x))
        x = x + self.second(x)
        return self.head(x.mean((2, 3)))


class Branches(nn.Module):
    """Three branches summed, one twice, and a product with a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(6, 8)
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.inner(x))
        both = h + torch.relu(self.a(h))
        return self.out(both + torch.relu(self.b(h)) * 0.5 + h)


def _flat(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Flatten(), *layers)


NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(5, 4), (5,)),
    "mlp": (lambda: _flat(nn.Linear(9, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 5)), (1, 3, 3)),
    "deep": (
        lambda: nn.Sequential(*[m for _ in range(5) for m in (nn.Linear(7, 7), nn.ReLU())], nn.Linear(7, 3)),
        (7,),
    ),
    "leaky": (lambda: nn.Sequential(nn.Linear(6, 9), nn.LeakyReLU(0.2), nn.Linear(9, 4)), (6,)),
    "smooth": (lambda: nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 9), nn.GELU(), nn.Linear(9, 4)), (6,)),
    "conv": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 5, 3, 1, 1), nn.ReLU(), nn.Flatten(), nn.Linear(80, 4)
        ),
        (2, 8, 8),
    ),
    "dilated": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, 1, 2, dilation=2),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 4, (3, 2), (2, 1)),
            nn.ReLU(),
            nn.Flatten(),
            nn.LazyLinear(3),
        ),
        (1, 9, 9),
    ),
    "grouped": (
        lambda: nn.Sequential(
            nn.Conv2d(4, 4, 3, 1, 1, groups=2),
            nn.ReLU(),
            nn.Conv2d(4, 8, 3, 1, 1, groups=4),
            nn.ReLU(),
            nn.Conv2d(8, 3, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.LazyLinear(3),
        ),
        (4, 6, 6),
    ),
    "conv1d": (
        lambda: nn.Sequential(
            nn.Conv1d(2, 3, 4, 2, 1), nn.ReLU(), nn.Conv1d(3, 3, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)
        ),
        (2, 16),
    ),
    "pooled": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, 1, 1),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
            nn.Conv2d(4, 4, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.LazyLinear(3),
        ),
        (1, 10, 10),
    ),
    "residual": (Residual, (1, 8, 8)),
    "unstrided residual": (lambda: Residual(stride=1), (1, 6, 6)),
    "branches": (Branches, (6,)),
}


def net(name: str, seed: int = 0) -> Graph:
    build, shape = NETS[name]
    module = build().eval()
    with torch.no_grad():
        module(torch.zeros(2, *shape))
    return graph_from(scaled(randomised(module, seed)), *shape)


def scaled(module: nn.Module) -> nn.Module:
    """Weights divided by the root of their fan-in, so that values keep their size from layer to layer."""
    with torch.no_grad():
        for tensor in module.parameters():
            if tensor.ndim > 1:
                tensor.mul_(1.4 / tensor[0].numel() ** 0.5 / 0.7)
    return module


def region(graph: Graph, norm: Norm, eps: float, samples: int = 3, *, clip: bool = True, seed: int = 0) -> Region:
    centre = uniform(samples, *graph.input_shape, seed=seed).double()
    radii = eps * torch.linspace(0.5, 1.0, samples, dtype=torch.float64)
    return Region(centre, norm, radii, (0.0, 1.0) if clip else None)


def points(area: Region, count: int, seed: int = 0) -> Tensor:
    """Points of each region, (count, N, *input_shape), float32: some inside, some on the sphere, some corners."""
    generator = torch.Generator().manual_seed(seed)
    shape = count, *area.centre.shape
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    if area.norm == "l1":
        moved = noise * _one_hot(noise, generator)
    else:
        moved = torch.where(_along(torch.arange(count) % 3 == 0, noise), noise.sign(), noise)
    far = _along(torch.where(torch.arange(count) % 2 == 0, 0.1, 100.0), noise)
    return _project(area, area.centre + far * moved)


def _along(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.ndim - 1))


def _one_hot(noise: Tensor, generator: torch.Generator) -> Tensor:
    flat = noise.flatten(2)
    place = torch.randint(0, flat.shape[2], (*flat.shape[:2], 1), generator=generator)
    return torch.zeros_like(flat).scatter_(2, place, 1.0).reshape(noise.shape)


def _project(area: Region, wanted: Tensor) -> Tensor:
    """(count, N, *input_shape) into each sample's own region, as float32."""
    rows = []
    for i, (clean, eps) in enumerate(zip(area.centre.float(), area.eps, strict=True)):
        ball = Ball(norm=area.norm, eps=float(eps), input_range=area.input_range)
        rows.append(ball.project(wanted[:, i].float(), clean.expand(len(wanted), *clean.shape)))
    return torch.stack(rows, 1)


def descend(bounder: Bounder, area: Region, rows: Tensor, steps: int = 8) -> Tensor:
    """Points that make <row, logits> small, one for each row, (S, N, *input_shape): projected sign descent."""
    found = []
    for row in rows.unbind(1):
        x = area.centre.float()
        for step in range(steps):
            x = x.double().requires_grad_()
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad((bounder.plan.graph(x) * row).sum(), x)
            length = area.eps.reshape(-1, *[1] * (x.ndim - 1)) / (1 + step / 3)
            x = _project(area, (x.detach() - gradient.sign() * length)[None])[0]
        found.append(x.detach())
    return torch.stack(found)


def values_inside(graph: Graph, x: Tensor) -> dict[str, Any]:
    """What every node of the raw graph computes, by its name."""
    seen: dict[str, Any] = {}

    class Recorder(torch.fx.Interpreter):
        def run_node(self, n: torch.fx.Node) -> Any:
            seen[n.name] = super().run_node(n)
            return seen[n.name]

    with torch.no_grad():
        Recorder(graph.module).run(x)
    return seen
