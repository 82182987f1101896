"""Certified radii from margins and Lipschitz constants: no point nearer than the radius changes the class.

Let m_j = z_y - z_j at the sample, in real arithmetic, and g_j an upper bound on the Lipschitz constant of z_y - z_j
from the input in norm p. At distance r from the sample every m_j is still above m_j - g_j r, so the class is y in the
open ball of radius min_j m_j / g_j. Three bounds g_j are at hand, and the smallest one is used for each j:

* whole network: ||e_y - e_j||_{p*} L = c_p L, as z_y - z_j is that functional of the logits, whose constant in p is
  L; c is sqrt 2 in l2, 2 in linf, 1 in l1. (Tsuzuku, Sato & Sugiyama, arXiv 1802.04034, for l2.)
* last layer apart: z = W h + b gives g_j = ||w_y - w_j||_{p*} L', with L' the constant of input -> h.
* in l2 the layered bound of that very difference.

A radius in one norm is one in the others: ||d||_inf <= ||d||_2 <= ||d||_1, ||d||_2 <= sqrt(D) ||d||_inf and
||d||_1 <= sqrt(D) ||d||_2. The largest of all is reported.

Rounding: logits come with a bound on their distance from real arithmetic, which is taken off every m_j; each further
operation is rounded outward by one float. The statement is about the real-arithmetic network with the file's weights;
with a bound on how far the deployed network is from it anywhere in the ball added to that distance, it is about both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import UpperConstants
from lipcert.graph import Graph
from lipcert.norms.base import ENTRY_ERROR
from lipcert.records import Norm, Skipped, Soundness
from lipcert.rounding import gamma, sqrt_up, up
from lipcert.rules.rounding import Rounded

_CEILING = 1e30  # a constant network has no nearest error; any smaller radius is still true
_STRENGTH = (Soundness.PROVED, Soundness.EXACT, Soundness.PROBABILISTIC)
_LOGIT_PAIR: dict[Norm, float] = {"l2": sqrt_up(2.0), "linf": 2.0, "l1": 1.0}


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LipschitzRadii:
    """What margins over Lipschitz constants prove.

    radius     norm -> radius of each sample, shape (N,), float64, on the CPU; 0 where there is none
    floor      norm -> at least the smallest margin of each sample, less what the radius allows for rounding, shape (N,)
    method     in words: "margin over Lipschitz constant (product of layer norms in l2, linf)"
    soundness  the weakest evidence among the constants
    """

    radius: dict[Norm, Tensor]
    floor: dict[Norm, Tensor]
    method: str
    soundness: Soundness

    def margin(self, norm: Norm, eps: float) -> Tensor:
        """At least the smallest margin in the closed ball of radius eps, shape (N,); -infinity where nothing is known.

        With r <= m_j / g_j for every j, m_j - g_j eps >= m_j (1 - eps / r) >= floor (1 - eps / r) for eps < r.
        """
        radius = self.radius[norm]
        left = _down(self.floor[norm] * _down(1 - _up(eps / radius)))
        return torch.where(radius > eps, left.clamp_min(5e-324), -torch.inf)


def lipschitz_radii(
    graph: Graph,
    logits: Rounded,
    labels: Tensor,
    constants: Sequence[UpperConstants],
    norms: Sequence[Norm],
) -> LipschitzRadii | Skipped:
    """Radii in each of `norms`.

    graph      with batch norms folded where the constants were found so
    logits     of the samples with their error bounds, from `bounded_logits`; a larger error covers more than rounding
    constants  upper bounds of this graph, in any norms; one that is no certificate is left out
    """
    usable = [c for c in constants if c.soundness in _STRENGTH and not (c.whole is None and c.before_last is None)]
    if not usable:
        return Skipped(reason="no certified upper bound on a Lipschitz constant of this network is known")
    value, error, labels = logits.value.cpu(), logits.error.cpu(), labels.cpu()
    floor = certified_radius(value, error, labels, torch.ones(2 * value.shape[1:], dtype=torch.float64))
    return LipschitzRadii(
        radius=_radii(graph, Rounded(value, error), labels, usable, norms),
        floor=dict.fromkeys(norms, floor),
        method=_method(usable),
        soundness=max((c.soundness for c in usable), key=_STRENGTH.index),
    )


def _method(constants: Sequence[UpperConstants]) -> str:
    ways = dict.fromkeys(c.method for c in constants)
    parts = [f"{way} in {', '.join(c.norm for c in constants if c.method == way)}" for way in ways]
    return f"margin over Lipschitz constant ({'; '.join(parts)})"


def _radii(
    graph: Graph, logits: Rounded, labels: Tensor, constants: Sequence[UpperConstants], norms: Sequence[Norm]
) -> dict[Norm, Tensor]:
    """The largest radius in each norm that any of the constants proves."""
    weight, features = final_weight(graph), math.prod(graph.input_shape)
    value, error = logits.value, logits.error
    rounding = ENTRY_ERROR if "batch_norm" in graph.output.raw.meta else 0.0
    gains = [_pair_gains(c, weight, value.shape[1], rounding) for c in constants]
    own = [(c, certified_radius(value, error, labels, g)) for c, g in zip(constants, gains, strict=True)]
    return {
        norm: torch.stack([convert(radius, c.norm, norm, features) for c, radius in own]).amax(dim=0) for norm in norms
    }


def certified_radius(logits: Tensor, error: Tensor, labels: Tensor, gains: Tensor) -> Tensor:
    """Min over j of (z_y - z_j) / gains[y, j], rounded down, shape (N,); 0 where a margin is not surely positive.

    logits, error  (N, K), float64
    gains          (K, K), upper bounds on the Lipschitz constant of each difference of two logits
    """
    own, own_error = logits.gather(1, labels[:, None]), error.gather(1, labels[:, None])
    margin = _down(_down(own - logits) - _up(own_error + error))
    radius = _down(margin / gains[labels]).clamp_max(_CEILING)
    radius = torch.where(margin > 0, radius, 0.0).scatter(1, labels[:, None], torch.inf)
    return radius.amin(dim=1).clamp_min(0.0)


def final_weight(graph: Graph) -> Tensor | None:
    """W, shape (classes, features), float64, where the logits are W h + b with constant W and b; else None."""
    node = graph.output
    plain = all(node.kwargs.get(key, 1) == 1 for key in ("alpha", "beta"))
    position = {"addmm": 2, "mm": 1, "linear": 1}.get(node.op)
    if position is None or not plain or len(node.inputs) != 1 or not isinstance(node.args[position], Tensor):
        return None
    weight: Tensor = node.args[position].detach().to("cpu", torch.float64)
    return weight if node.op == "linear" else weight.mT


def _pair_gains(constants: UpperConstants, weight: Tensor | None, classes: int, rounding: float) -> Tensor:
    """Upper bounds g[y, j] on the Lipschitz constant of z_y - z_j, (K, K); the diagonal is not meant to be read.

    rounding  relative error of the entries of `weight`, which a difference of two nearly equal rows does not shrink
    """
    whole = math.inf if constants.whole is None else up(_LOGIT_PAIR[constants.norm] * constants.whole)
    gains = torch.full((classes, classes), whole, dtype=torch.float64)
    if weight is not None and constants.before_last is not None:
        rows = torch.stack([_dual_norm(row - weight, constants.norm) for row in weight])
        if rounding:
            sizes = _dual_norm(weight, constants.norm) * up(2 * rounding)
            rows = _up(rows + _up(sizes[:, None] + sizes))
        gains = torch.minimum(gains, _up(rows * constants.before_last))
    if constants.pairs is not None:
        gains = torch.minimum(gains, constants.pairs.clamp_min(torch.finfo(torch.float64).tiny))
    return gains


def _dual_norm(rows: Tensor, norm: Norm) -> Tensor:
    """An upper bound on the norm dual to `norm` of each exact row, given rows that were rounded once."""
    order = {"l2": 2.0, "linf": 1.0, "l1": math.inf}[norm]
    computed: Tensor = torch.linalg.vector_norm(rows, order, dim=1)
    return _up(computed * (1 + gamma(rows.shape[1] + 8)))


def convert(radius: Tensor, given: Norm, wanted: Norm, features: int) -> Tensor:
    """The radius of a `wanted` ball that lies in the `given` ball."""
    powers = {"linf": 0, "l2": 1, "l1": 2}
    steps = powers[given] - powers[wanted]
    for _ in range(max(0, steps)):
        radius = _down(radius / sqrt_up(float(features))).clamp_min(0.0)
    return radius


def _down(x: Tensor) -> Tensor:
    return torch.nextafter(x, torch.full_like(x, -torch.inf))


def _up(x: Tensor) -> Tensor:
    return torch.nextafter(x, torch.full_like(x, torch.inf))
