"""Parts of a goal's region that are still open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Domains:
    """N parts of regions.

    goal   (N,) the goal each one belongs to
    bound  (N,) the best lower bound known for it, float64
    state  what the branching knows of each, by name; every tensor starts with N
    """

    goal: Tensor
    bound: Tensor
    state: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.goal)

    def __getitem__(self, which: Tensor | slice) -> Domains:
        state = {name: tensor[which] for name, tensor in self.state.items()}
        return Domains(goal=self.goal[which], bound=self.bound[which], state=state)

    def split(self, chosen: Tensor) -> tuple[Domains, Domains]:
        """The domains where `chosen`, shape (N,), and the others."""
        return self[chosen], self[~chosen]

    @property
    def size(self) -> int:
        """Bytes held."""
        return sum(tensor.element_size() * tensor.numel() for tensor in (self.goal, self.bound, *self.state.values()))


def join(parts: Sequence[Domains]) -> Domains:
    """All domains of some batches, which know the same of each domain."""
    names = parts[0].state
    return Domains(
        goal=torch.cat([part.goal for part in parts]),
        bound=torch.cat([part.bound for part in parts]),
        state={name: torch.cat([part.state[name] for part in parts]) for name in names},
    )
