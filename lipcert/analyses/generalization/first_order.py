"""The attack-specific bound of Farnia, Zhang and Tse (2019) for one gradient step, restated and not verified.

As restated by Xiao et al. (2023, theorem 3): the bound of Neyshabur et al. with B + eps for B and Phi multiplied by a
power of 1 + C,

    C = (eps / kappa) (prod s_i) sum_i prod_{j <= i} s_j,

for a step of length eps in l2 along the gradient of the loss, of norm kappa at least within eps of every input. The
restatement has 1 + C; the step multiplies the change of the margin by 1 + C, whose square enters Phi, and the square
is used here. It is no guarantee: nobody here has read the original; kappa is the least over the samples, not over the
balls around all inputs; the original wants smooth activations. It is shown for comparison with the literature.

Source: Farnia, Zhang, Tse, ICLR 2019, as restated by Xiao, Sun, Luo, NeurIPS 2023, theorem 3. UNVERIFIED.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.generalization.architecture import Architecture
from lipcert.analyses.generalization.base import BOUNDS, IID, AbstractBound, Evidence, Value
from lipcert.analyses.generalization.neyshabur import RANGE, Neyshabur
from lipcert.graph import Graph
from lipcert.graph.scores import cross_entropy, margins
from lipcert.records import Norm, Soundness


def log_factor(log_spectral: list[float], eps: float, steepest: float) -> float:
    """Log of (1 + C)^2; `steepest` is kappa."""
    partial = [math.fsum(log_spectral[: i + 1]) for i in range(len(log_spectral))]
    top = max(partial)
    chain = top + math.log(math.fsum(math.exp(log - top) for log in partial))
    log_c = math.log(eps) - math.log(steepest) + partial[-1] + chain
    return 2 * (max(0.0, log_c) + math.log1p(math.exp(-abs(log_c))))


def stepped(
    graph: Graph, inputs: Tensor, labels: Tensor, radii: tuple[float, ...], *, batch_size: int
) -> tuple[float, dict[float, Tensor]]:
    """The least gradient norm of the cross-entropy over the samples, and the margins after one step of each length.

    graph  in float64
    """
    least, found = math.inf, {eps: list[Tensor]() for eps in radii}
    for start in range(0, len(inputs), batch_size):
        x = inputs[start : start + batch_size].to(device=graph.device, dtype=graph.dtype).requires_grad_()
        y = labels[start : start + batch_size].to(graph.device)
        (slope,) = torch.autograd.grad(cross_entropy(graph(x), y).sum(), x)
        length = slope.flatten(1).norm(dim=1)
        least = min(least, float(length.min()))
        unit = slope / length.clamp_min(1e-300).reshape(-1, *[1] * (slope.ndim - 1))
        with torch.no_grad():
            for eps, parts in found.items():
                parts.append(margins(graph(x + eps * unit), y).cpu())
    return least, {eps: torch.cat(parts) for eps, parts in found.items()}


@final
@BOUNDS.register("farnia-fgm")
class FarniaFgm(AbstractBound):
    """The statement above, for the l2 balls asked for."""

    name = "farnia-fgm"
    source = "Farnia, Zhang, Tse 2019, as restated by Xiao, Sun, Luo 2023, theorem 3: UNVERIFIED"
    assumptions = (
        IID,
        RANGE,
        "the gradient of the loss is nowhere near an input shorter than at the samples: not checked",
        "activations and loss are smooth: not so for ReLU",
    )
    soundness = Soundness.HEURISTIC
    guarantee = False
    quantity = "error under one gradient step on unseen inputs"

    def __init__(self) -> None:
        self._clean = Neyshabur()

    def balls(self, evidence: Evidence, /) -> tuple[tuple[Norm, float] | None, ...]:
        """Those in l2."""
        return tuple(ball for ball in evidence.balls if ball[0] == "l2")

    def missing(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> str:
        """As without perturbations, and a gradient that is nowhere zero."""
        if reason := self._clean.missing(evidence, None):
            return reason
        assert evidence.training is not None
        if ball not in evidence.training.gradient:
            return "no gradient step was taken at the training samples"
        return "" if evidence.training.steepest > 0 else "the gradient of the loss vanishes at a training sample"

    def value(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> Value:
        """The clean bound on margins after the step, with a larger Phi."""
        assert ball is not None
        assert evidence.training is not None
        assert evidence.radius is not None
        assert isinstance(evidence.architecture, Architecture)
        steepest = evidence.training.steepest
        factor = log_factor([math.log(one.spectral) for one in evidence.architecture.layers], ball[1], steepest)
        attacked = replace(evidence.training, margins=evidence.training.gradient[ball])
        given = replace(evidence, training=attacked, radius=evidence.radius + ball[1])
        found = self._clean.bounded(given, factor)
        return Value(log=found.log, terms=found.terms | {"kappa": steepest, "log10_factor": factor / math.log(10)})
