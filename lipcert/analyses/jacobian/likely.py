"""What a few products with J say where J has too many rows: margins, distances to the likeliest rivals, the gradient.

The rows J_y - J_k of the rivals with the largest logits are gradients of differences of logits, one reverse pass each;
the loss's gradient J'g is one more. Nothing here is known of the other rivals: a distance to the nearest of those
looked at is at least that to the nearest of all, and of the surrogates of the robust loss only the first-order one is
had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.jacobian.base import conjugate, vector_norm
from lipcert.analyses.jacobian.rivals import EXPONENTS
from lipcert.analyses.jacobian.surrogates import Ball, surrogate_record
from lipcert.graph.scores import cross_entropy
from lipcert.records import DistanceRecord, FunctionalsRecord, Norm, Skipped, SurrogateRecord

RIVALS = 10
"""How many other classes are looked at, those with the largest logits."""

_CONFIDENT = 0.01
_TOO_MANY = Skipped(reason="it needs the whole Jacobian, and there are too many classes to write it out")


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Likely:
    """One row a sample, float64.

    margins   z_y less the largest other logit, (N,)
    rivals    the classes looked at, (N, m)
    distances first-order distance to each of them by norm, (N, m); 0 where the lead is 0 or less
    loss      cross-entropy for the class y, (N,)
    gradient  ||J'g||_{p*} by norm p, each (N,)
    doubt     1 - p_y, (N,)
    """

    margins: Tensor
    rivals: Tensor
    distances: dict[Norm, Tensor]
    loss: Tensor
    gradient: dict[Norm, Tensor]
    doubt: Tensor

    def nearest(self, norm: Norm) -> Tensor:
        """The smallest distance to a class looked at, (N,): at least that to the nearest of all."""
        return self.distances[norm].amin(dim=1)


def likely(x: Tensor, logits: Tensor, classes: Tensor) -> Likely:
    """All of it from `logits`, (N, K), with their graph back to the samples `x`, for the classes y, (N,)."""
    index = classes[:, None]
    values = logits.detach().to(torch.float64)
    others = values.scatter(1, index, -torch.inf)
    chosen = others.topk(min(RIVALS, logits.shape[1] - 1), dim=1).indices
    leads = values.gather(1, index) - values.gather(1, chosen)
    rows = [_pulled(x, logits, _difference(logits, index, rival[:, None])) for rival in chosen.unbind(dim=1)]
    apart = torch.stack(rows, dim=1)
    p = values.softmax(dim=1)
    doubt = p.scatter(1, index, 0.0).sum(dim=1)
    gradient = _pulled(x, logits, p.scatter(1, index, -doubt[:, None]))
    return Likely(
        margins=values.gather(1, index)[:, 0] - others.amax(dim=1),
        rivals=chosen,
        distances={norm: _distances(leads, vector_norm(apart, conjugate(e))) for norm, e in EXPONENTS.items()},
        loss=cross_entropy(values, classes),
        gradient={norm: vector_norm(gradient, conjugate(exponent)) for norm, exponent in EXPONENTS.items()},
        doubt=doubt,
    )


def _difference(logits: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """e_y - e_k for each sample, (N, K)."""
    ones = torch.ones_like(first, dtype=logits.dtype)
    return torch.zeros_like(logits).scatter(1, first, ones).scatter(1, second, -ones)


def _pulled(x: Tensor, logits: Tensor, weights: Tensor) -> Tensor:
    """J'w, (N, D), in float64."""
    if not logits.requires_grad:
        return torch.zeros(len(x), x[0].numel(), dtype=torch.float64, device=x.device)
    given = weights.detach().to(logits.dtype)
    (row,) = torch.autograd.grad(logits, x, given, retain_graph=True, materialize_grads=True)
    return row.flatten(1).to(torch.float64)


def _distances(leads: Tensor, steepness: Tensor) -> Tensor:
    quotient = leads / torch.where(steepness > 0, steepness, 1.0)
    return torch.where((steepness > 0) | (leads <= 0), quotient, torch.inf).clamp_min(0.0)


def likely_distances(found: Likely, classes: int, *, seed: int = 0) -> tuple[DistanceRecord, ...]:
    """First-order distances to the nearest of the classes looked at."""
    return tuple(_distance_record(found, norm, classes, seed) for norm in EXPONENTS)


def _distance_record(found: Likely, norm: Norm, classes: int, seed: int) -> DistanceRecord:
    nearest, place = found.distances[norm].min(dim=1)
    reached = nearest.isfinite()
    rival = found.rivals.gather(1, place[:, None])[:, 0]
    counts = torch.bincount(rival[reached], minlength=classes).to(torch.float64)
    nothing = Skipped(reason="no sample has a class looked at within reach to first order")
    return DistanceRecord(
        norm=norm,
        nearest=summarise(nearest[reached], seed=seed) if reached.any() else nothing,
        unbounded=int((~reached).sum()),
        rivals=tuple((counts / max(1, len(nearest))).tolist()),
        by_rival=(None,) * classes,
    )


def likely_functionals(found: Likely, *, seed: int = 0) -> FunctionalsRecord:
    """Those of the loss's gradient alone."""
    values = {
        "input_gradient": found.gradient["l2"] ** 2,
        "input_gradient_l1": found.gradient["linf"],
        "doubt": found.doubt,
    }
    confident = float((found.doubt < _CONFIDENT).double().mean())
    return FunctionalsRecord(
        samples=len(found.loss),
        statistics={name: summarise(column, seed=seed) for name, column in values.items()},
        hessian="gauss-newton",
        relations=(),
        confident=confident,
        masked=("input_gradient", "input_gradient_l1"),
        unmasked=(),
        curvature_probe=_TOO_MANY,
        reading=(
            "The Jacobian has too many rows to be written out: of the functionals only those of the loss's gradient "
            "are here. It vanishes where the network is confident, and a small one is no sign of robustness."
        ),
    )


def first_order(found: Likely, ball: Ball, attacked: Tensor | None = None, *, seed: int = 0) -> SurrogateRecord:
    """The first-order surrogate in one ball, beside the largest loss that attacks found there, (N,)."""
    losses: Mapping[str, Tensor] = {"first_order": found.loss + ball[1] * found.gradient[ball[0]]}
    return surrogate_record(ball, found.loss, losses, attacked, seed=seed)
