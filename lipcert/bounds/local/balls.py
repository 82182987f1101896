"""Centre and radius of M' row in l2, for every M that the edges allow.

v = c + r at each node, with |r| <= rho entry by entry and ||r||_2 <= e, from the logits down (v is known there):

* affine: c -> A' c, rho -> |A|' rho, e -> ||A|| e;
* activation with slopes m +- s: d v - m c = d r + (d - m) c, so c -> m c, rho -> max |d| rho + s |c|,
  e -> max |d| e + ||s c||;
* maximum: v goes back to the entries that can win with shares t_i >= 0, sum 1. Around the equal shares 1/q the others
  are at most 1 - 1/q off in an entry and sqrt(1 - 1/q) in length; at most k windows over an entry add up by sqrt(k):
  rho -> sum of rho + (1 - 1/q) |c| over the windows, e -> sqrt(k) (e + ||sqrt(1 - 1/q) c||);
* parts that meet at a node add up.

e is cut to ||rho|| wherever that is less. Then ||v||_2 <= ||c|| + e at the input, and at most || |c| + rho ||.
Computed centres are off by gamma |A|' |c| at most, which goes into rho and e.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.local.boxes import adjoint
from lipcert.bounds.local.edges import Edge, Edges, Gate, Linear, Window
from lipcert.graph import Node
from lipcert.rounding import UNIT_ROUNDOFF, gamma

_UP = 1 + 2.0**-48
_FEW = 16 * UNIT_ROUNDOFF


@final
@dataclass(frozen=True, slots=True, eq=False)
class Ball:
    """|v - centre| <= spread entry by entry, (M, n), and ||v - centre||_2 <= error, (M,)."""

    centre: Tensor
    spread: Tensor
    error: Tensor

    def plus(self, other: Ball) -> Ball:
        """Sums of both."""
        centre = self.centre + other.centre
        lost = 2 * UNIT_ROUNDOFF * centre.abs()
        return _settled(
            centre, (self.spread + other.spread + lost) * _UP, (self.error + other.error + length(lost)) * _UP
        )


def balls(edges: Edges, sample: Tensor, rows: Tensor) -> Ball:
    """The ball of v at the input for M functionals.

    sample  of each functional, (M,)
    rows    (M, classes)
    """
    nothing = torch.zeros_like(rows)
    at: dict[Node, Ball] = {edges.nodes[-1]: Ball(rows, nothing, nothing[:, 0])}
    for node in reversed(edges.nodes[1:]):
        ball = at.pop(node)
        for edge in edges.into[node]:
            part = _through(edge, ball, sample)
            at[edge.source] = at[edge.source].plus(part) if edge.source in at else part
    return at[edges.nodes[0]]


def _through(edge: Edge, ball: Ball, sample: Tensor) -> Ball:
    if isinstance(edge, Linear):
        return _affine(edge, ball)
    if isinstance(edge, Window):
        return _window(edge, ball, sample)
    return _gate(edge, ball, sample)


def _affine(edge: Linear, ball: Ball) -> Ball:
    operator, majorant = edge.operator, edge.operator.majorant()
    slack = 2 * gamma(operator.terms + 16)
    lost = slack * adjoint(majorant, ball.centre.abs()) + 1e-290
    spread = (adjoint(majorant, ball.spread) * (1 + slack) + lost) * _UP
    error = (edge.norm * ball.error + length(lost)) * _UP
    return _settled(adjoint(operator, ball.centre), spread, error)


def _gate(edge: Gate, ball: Ball, sample: Tensor) -> Ball:
    slopes = edge.slopes
    middle, half, most = (x[sample] for x in (slopes.centre, slopes.radius, slopes.magnitude))
    moved = (half + _FEW * most) * ball.centre.abs() * _UP + 1e-290
    spread = (most * ball.spread + moved) * _UP
    error = (most.amax(1) * ball.error + length(moved)) * _UP
    return _settled(middle * ball.centre, spread, error)


def _window(edge: Window, ball: Ball, sample: Tensor) -> Ball:
    may_win = edge.may_win[sample]
    rivals = may_win.sum(2).clamp_min(1).to(ball.centre.dtype)
    size, root = ball.centre.abs(), edge.overlap**0.5 * (1 + _FEW)

    def scattered(values: Tensor) -> Tensor:
        spread = values[:, :, None] * may_win
        total = torch.zeros(len(values), edge.source.shape.numel(), dtype=values.dtype, device=values.device)
        return total.index_add_(1, edge.places.flatten(), spread.flatten(1))

    lost = gamma(edge.overlap + 8) * scattered(size) * _UP + 1e-290
    off = (1 - 1 / rivals) * (1 + _FEW)
    spread = (scattered(ball.spread + off * size) * (1 + 2 * gamma(edge.overlap + 8)) + lost) * _UP
    error = (root * (ball.error + length(off.sqrt() * size * (1 + _FEW))) + length(lost)) * _UP
    return _settled(scattered(ball.centre / rivals), spread, error)


def _settled(centre: Tensor, spread: Tensor, error: Tensor) -> Ball:
    """With the smaller of both bounds on the distance."""
    return Ball(centre, spread, torch.minimum(error, length(spread)))


def length(x: Tensor) -> Tensor:
    """At least the Euclidean length of each row, (M,)."""
    found: Tensor = torch.linalg.vector_norm(x, dim=1)
    return found * (1 + gamma(x.shape[1] + 16)) + 1e-150
