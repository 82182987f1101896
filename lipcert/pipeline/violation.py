"""Searches for inputs that a property looks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.branch.goal import Goals
from lipcert.graph import Graph
from lipcert.load.source import Oracle
from lipcert.load.vnnlib import Property
from lipcert.pipeline.property_goals import Boxes, meets, stated
from lipcert.records.certify import CounterexampleRecord

_POINTS = 1024


@final
@dataclass(eq=False, kw_only=True)
class Violations:
    """Points proposed as counterexamples are judged by the file's own runtime, in exact arithmetic on its outputs.

    counterexample  the first that stood up
    """

    graph: Graph
    oracle: Oracle | None
    found: Property
    boxes: Boxes
    goals: Goals
    counterexample: CounterexampleRecord | None = field(default=None)

    def judge(self, points: Tensor, goals: Tensor) -> Tensor:
        """Whether each point falsifies its goal, (N,)."""
        where = self.goals.region[goals]
        points = self.clip(points.to(torch.float32), where)
        with torch.no_grad():
            near = self.goals.worst(self.graph(points), goals) <= 0
        for row in near.nonzero().flatten().tolist():
            near[row] = self._confirm(points[row : row + 1], int(where[row]))
        return near

    def clip(self, points: Tensor, boxes: Tensor) -> Tensor:
        """Into their boxes, as the network reads them."""
        return torch.minimum(torch.maximum(points, self.boxes.low[boxes]), self.boxes.high[boxes])

    def _confirm(self, point: Tensor, box: int) -> bool:
        if self.oracle is None:
            return False
        outputs = self.oracle(point).to(torch.float32).flatten()
        case = self.found.cases[box]
        if not meets(case, outputs):
            return False
        if self.counterexample is None:
            self.counterexample = CounterexampleRecord(
                inputs=stated(point, case), outputs=tuple(outputs.tolist()), runtime=self.oracle.name
            )
        return True


def attack(violations: Violations, *, seed: int, restarts: int, steps: int, expired: Callable[[], bool]) -> bool:
    """Descend on the worst row of each goal from corners and random points of its box, with steps of shrinking sign.

    Returns whether a counterexample was found.
    """
    generator = torch.Generator().manual_seed(seed)
    goals = torch.arange(len(violations.goals))
    for restart in range(restarts):
        for chunk in goals.split(max(1, _POINTS)):
            if expired():
                return False
            if _descend(violations, chunk, generator, steps=steps, restart=restart):
                return True
    return False


def _descend(violations: Violations, goals: Tensor, generator: torch.Generator, *, steps: int, restart: int) -> bool:
    where = violations.goals.region[goals]
    low, high = violations.boxes.low[where], violations.boxes.high[where]
    share = torch.rand(low.shape, generator=generator)
    share = torch.full_like(share, 0.5) if restart == 0 else share.round() if restart % 2 else share
    points = violations.clip(low + (high - low) * share, where)
    for step in range(steps):
        x = points.clone().requires_grad_()
        with torch.enable_grad():
            worst = violations.goals.worst(violations.graph(x), goals)
        if bool((worst <= 0).any()) and bool(violations.judge(points, goals).any()):
            return True
        if not worst.requires_grad:
            return False
        (gradient,) = torch.autograd.grad(worst.sum(), x, materialize_grads=True)
        stride = (high - low) * (0.5 * (1 - step / steps))
        points = violations.clip(points - stride * gradient.nan_to_num().sign(), where)
    return bool(violations.judge(points, goals).any())
