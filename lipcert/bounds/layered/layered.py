"""The best layered bounds that an effort pays for: of all logits together, of each, and of each difference of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.layered.covariance import largest
from lipcert.bounds.layered.increments import equalised, isotropic
from lipcert.bounds.layered.multipliers import Searched, mean_log_pair, search
from lipcert.bounds.layered.network import Route, dense_route, staged, torus_route
from lipcert.graph import Node
from lipcert.records import Effort
from lipcert.rounding import UNIT_ROUNDOFF, gamma, sqrt_up
from lipcert.rules.layer_norms import LayerNorms

# Steps of the search, and multiplications that it and the flat walk may cost.
_STEPS: dict[Effort, int] = {"fast": 0, "default": 60, "high": 150}
_SEARCH_WORK: dict[Effort, float] = {"fast": 0.0, "default": 3e10, "high": 1e12}
_FLAT_WORK: dict[Effort, float] = {"fast": 1e9, "default": 2e10, "high": 1e12}
_LIMIT = 1e300


@final
@dataclass(frozen=True, slots=True, eq=False)
class Layered:
    """Upper bounds on Lipschitz constants in l2, of the real-arithmetic network, each one proved.

    whole   of the input -> the logits
    logits  of each logit, shape (K,)
    pairs   of each difference of two logits, (K, K), zero on the diagonal
    method  in words
    """

    whole: float
    logits: Tensor
    pairs: Tensor
    method: str

    def better(self, other: Layered) -> Layered:
        """The smaller bound everywhere."""
        first = self if self.whole <= other.whole else other
        return Layered(
            first.whole,
            torch.minimum(self.logits, other.logits),
            torch.minimum(self.pairs, other.pairs),
            first.method,
        )


def layered_bound(
    norms: LayerNorms, nodes: Sequence[Node], gains: Mapping[Node, float], *, effort: Effort = "default"
) -> Layered | None:
    """The best of a few layered bounds; None where the network has no place for one.

    nodes  those the logits depend on, in order of execution
    gains  upper bounds on the constants input -> node in l2, for every node
    """
    found: list[Layered] = []
    torus, flat = torus_route(norms, nodes, gains), dense_route(norms, nodes, gains)
    if torus is None or torus.nodes[0] is not nodes[0]:
        gains = staged(norms, nodes, gains)
        torus, flat = torus_route(norms, nodes, gains), dense_route(norms, nodes, gains)
    if torus is not None and flat is not None and flat.nodes[0] is torus.nodes[0] and flat.work < torus.work:
        torus = None
    searched = None
    if torus is not None:
        found += _closed(torus, "layered, on a torus")
        searched, best = _search(torus, effort)
        found += _read(best, "layered, on a torus, multipliers by channel")
    if flat is not None and flat.work <= _FLAT_WORK[effort]:
        found += _closed(flat, "layered")
        if searched is None:
            found += _read(_search(flat, effort)[1], "layered, multipliers by unit")
        else:
            found += _read(flat.walk(searched.afresh(flat.groups).choose), "layered, multipliers by channel")
    return reduce(Layered.better, found) if found else None


def _closed(route: Route, method: str) -> list[Layered]:
    """The two closed forms."""
    walks = (route.walk(lambda _: isotropic), route.walk(lambda _: equalised))
    return [layered for walk in walks for layered in _read(walk, method)]


def _search(route: Route, effort: Effort) -> tuple[Searched, Tensor | None]:
    """Multipliers and the matrix they give, in as many steps as the effort pays for."""
    searched = Searched(route.groups)
    steps = min(_STEPS[effort], int(_SEARCH_WORK[effort] / max(route.work, 1.0)))
    return searched, search(lambda s: route.walk(s.choose), searched, steps=steps, goal=mean_log_pair)


def _read(covariance: Tensor | None, method: str) -> list[Layered]:
    """What the matrix of the logits' increments says; nothing where there is none.

    d'Pd for d = e_i - e_j is P_ii + P_jj - 2 P_ij, with three rounded additions.
    """
    if covariance is None or not float(covariance.detach().abs().max()) < _LIMIT:
        return []
    covariance = covariance.detach()
    own = covariance.diagonal()
    squares = own[:, None] + own[None] - 2 * covariance
    room = gamma(4) * (own[:, None] + own[None] + 2 * covariance.abs())
    pairs = ((squares + room).clamp_min(0.0).sqrt() * (1 + 4 * UNIT_ROUNDOFF)).fill_diagonal_(0.0)
    logits = own.clamp_min(0.0).sqrt() * (1 + 4 * UNIT_ROUNDOFF)
    return [Layered(sqrt_up(largest(covariance[None])), logits.cpu(), pairs.cpu(), method)]
