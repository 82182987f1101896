"""The curvature of the loss along its own gradient, by a finite difference.

Source: Moosavi-Dezfooli, Fawzi, Uesato, Frossard, Robustness via curvature regularization, CVPR 2019.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.jacobian.base import Linearised
from lipcert.graph import Graph
from lipcert.graph.scores import error_log_odds
from lipcert.records import CurvatureProbeRecord, Skipped

_VISIBLE = 1e-7


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Probe:
    """||grad l(x + h v) - grad l(x)|| and ||H v||, each (N,), for v the normalised sign of the loss gradient."""

    difference: Tensor
    local: Tensor


def probe(graph: Graph, inputs: Tensor, local: Linearised, step: float) -> Probe:
    """One gradient at a distance `step` (in l2) from each sample; 0 where the gradient at the sample is 0.

    H is J'(diag p - pp')J at the sample, and v is constant where the gradient's sign is.
    """
    signs = local.loss_gradient.sign()
    direction = signs / torch.linalg.vector_norm(signs, dim=1, keepdim=True).clamp_min(1.0)
    moved = inputs.to(direction) + step * direction.reshape(inputs.shape)
    gradient = _loss_gradient(graph, moved, local.classes)
    pushed = (local.jacobian @ direction[:, :, None])[:, :, 0]
    p = local.probabilities
    weighed = p * (pushed - (p * pushed).sum(dim=1, keepdim=True))
    bent = (weighed[:, None, :] @ local.jacobian)[:, 0]
    return Probe(
        difference=torch.linalg.vector_norm(gradient - local.loss_gradient, dim=1),
        local=torch.linalg.vector_norm(bent, dim=1),
    )


def _loss_gradient(graph: Graph, points: Tensor, labels: Tensor) -> Tensor:
    """The gradient of the cross-entropy, (N, D), in float64."""
    x = points.detach().to(device=graph.device, dtype=graph.dtype).requires_grad_()
    with torch.enable_grad():
        logits = graph(x).to(torch.float64)
        total = torch.nn.functional.softplus(error_log_odds(logits, labels)).sum()
    if not total.requires_grad:
        return torch.zeros(len(x), x[0].numel(), dtype=torch.float64, device=x.device)
    (gradient,) = torch.autograd.grad(total, x, materialize_grads=True)
    return gradient.flatten(1).to(torch.float64)


def probe_record(found: Probe, step: float, *, seed: int = 0) -> CurvatureProbeRecord | Skipped:
    """The functional over the samples that were probed."""
    if not len(found.difference):
        return Skipped(reason="no sample was probed")
    if not math.isfinite(float(found.difference.sum())):
        return Skipped(reason="a loss gradient is not finite")
    curved = found.local > _VISIBLE * found.local.amax().clamp_min(torch.finfo(torch.float64).tiny)
    flat = Skipped(reason="the Hessian along the gradient's sign is zero at every sample")
    ratio = found.difference[curved] / (step * found.local[curved])
    return CurvatureProbeRecord(
        step=step,
        samples=len(found.difference),
        value=summarise(found.difference**2, seed=seed),
        local=summarise(ratio, seed=seed) if len(ratio) else flat,
    )
