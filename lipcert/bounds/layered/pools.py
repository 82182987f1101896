"""Max pooling inside the ellipsoid: the mean of each window, and what the maximum can differ from it.

For two inputs, let D mark differences. D max_i u_i is a mean of the D u_i with shares t_i >= 0, sum 1 (it is at most
D u_i for the winner i at the one, and at least D u_i for the winner at the other). With m the plain mean of the k
numbers D u_i of a window,

    D max u - m = sum_i (t_i - 1/k) (D u_i - m),   so   (D max u - m)^2 <= (1 - 1/k) sum_i (D u_i - m)^2,

as |t - 1/k| is longest at a corner, where its square is 1 - 1/k. It holds for any entries that a window has besides
those that count, such as what a torus holds outside the image: their shares are 0. So D max u = m + w, where m is an
affine map of D u and w obeys a quadratic constraint of which `Increments.deviate` makes an ellipsoid. What all entries
of a window share passes as it is, where a ball would count it k times.

A non-decreasing activation in front of the maximum is done behind it: max f(u_i) = f(max u_i).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.layered.kernel import Kernel
from lipcert.graph import Node
from lipcert.rules.pooling import max_pool_steps
from lipcert.rules.slopes import slope_range
from lipcert.rules.window_places import sliding


@final
@dataclass(frozen=True, slots=True)
class Pool:
    """Max pooling whose windows tile the image: as wide as they are apart, and not dilated.

    width    of a window, per axis
    padding  places in front
    """

    width: tuple[int, ...]
    padding: tuple[int, ...]

    @property
    def size(self) -> int:
        """Numbers in a window."""
        return math.prod(self.width)

    @property
    def reach(self) -> float:
        """At least the largest |t - 1/k|^2."""
        return (1.0 - 1.0 / self.size) * (1 + 2.0**-50)

    def mean(self, channels: int) -> Kernel:
        """The mean of each window."""
        unit = torch.eye(channels, dtype=torch.float64)
        weight = unit.reshape(channels, channels, *[1] * len(self.width)) * self._even()
        return self._kernel(weight)

    def deviations(self, channels: int) -> Kernel:
        """Each number of a window less the mean; output k channels + channel for the k-th place of a window."""
        unit = torch.eye(channels, dtype=torch.float64)
        taps = torch.eye(self.size, dtype=torch.float64).reshape(self.size, *self.width) - self._even()
        weight = torch.einsum("oc,t...->toc...", unit, taps).flatten(0, 1)
        return self._kernel(weight)

    def _even(self) -> Tensor:
        return torch.full(self.width, 1.0 / self.size, dtype=torch.float64)

    def _kernel(self, weight: Tensor) -> Kernel:
        return Kernel(weight, self.width, (1,) * len(self.width), self.padding)

    def matrices(self, node: Node) -> tuple[Tensor, Tensor, Tensor]:
        """(mean, deviations, window of each deviation) for flat values: (outputs, inputs), (inputs, inputs), (inputs,).

        Windows cut short have means of what they hold. A number outside all windows has no deviation.
        """
        places = sliding(node, max_pool_steps(node)).places
        count = node.inputs[0].shape.numel()
        window = torch.full((count,), -1, dtype=torch.long)
        inside = places >= 0
        numbers = torch.arange(len(places))[:, None].expand_as(places)
        window[places[inside]] = numbers[inside]
        mean = torch.zeros(len(places), count, dtype=torch.float64)
        mean[numbers[inside], places[inside]] = 1.0
        mean = mean / mean.sum(1, keepdim=True).clamp_min(1.0)
        held = (window >= 0).double()
        deviations = torch.diag(held) - held[:, None] * mean[window.clamp_min(0)]
        return mean, deviations, window.clamp_min(0)


def pool_of(node: Node) -> Pool | None:
    """The tiling that a node is; None for any other node."""
    if not node.op.startswith("max_pool") or node.shape[0] != 1 or len(node.inputs) != 1:
        return None
    steps = max_pool_steps(node)
    if len(node.shape) != len(steps) + 2 or any(k != s or d != 1 for k, s, _, d in steps):
        return None
    pool = Pool(tuple(k for k, *_ in steps), tuple(p for _, _, p, _ in steps))
    return pool if pool.size > 1 else None


def postponed(nodes: Sequence[Node]) -> dict[Node, Node]:
    """Maximum -> the non-decreasing activation in front of it, which nothing else reads."""
    users: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for source in node.inputs:
            if source in users:
                users[source].append(node)
    found = {}
    for node in nodes[1:]:
        if pool_of(node) is None or node.inputs[0] not in users or node.inputs[0] is nodes[0]:
            continue
        (before,) = node.inputs
        slopes = slope_range(before)
        if slopes is not None and users[before] == [node] and bool((torch.as_tensor(slopes[0]) >= 0).all()):
            found[node] = before
    return found


def is_postponed(node: Node, found: Mapping[Node, Node]) -> bool:
    """Whether an activation is done behind the maximum that reads it."""
    return any(node is before for before in found.values())
