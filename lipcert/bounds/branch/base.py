"""What a way of branching must be able to do, and what the search is told of each domain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

from torch import Tensor

from lipcert.bounds.branch.domains import Domains


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bounded:
    """domains with their bounds, and a point of each where the bound is attained or nearly so, (N, *input_shape)."""

    domains: Domains
    points: Tensor


class AbstractBranching(ABC):
    """A way to cut a region into parts whose bounds are better."""

    @abstractmethod
    def roots(self, goals: Tensor) -> Bounded:
        """The whole region of each goal, bounded."""

    @abstractmethod
    def is_whole(self, domains: Domains) -> Tensor:
        """Which domains, (N,), cannot be cut any more."""

    @abstractmethod
    def children(self, domains: Domains) -> Bounded:
        """Parts whose union is each domain, bounded. None of the domains is whole."""

    @abstractmethod
    def settle(self, domains: Domains) -> Bounded:
        """The best that can be said of domains that are whole."""
