"""phi_gamma: how high the loss can be pushed where distance has a price, and when that is a certificate.

Let l be the loss of a sample as a function of its input, with gradient L-Lipschitz. Then h(x') = l(x') - gamma
|x' - x|^2 is strongly concave with modulus m = 2 gamma - L wherever m > 0, so at any point
max h <= h(x') + |grad h(x')|^2 / (2 m), and a point of small gradient proves the maximum. Duality then bounds the mean
loss over all distributions within transport distance rho by gamma rho + phi_gamma, for every rho.

For an affine classifier z = W x + b the Hessian of the cross-entropy is W^T (diag p - p p^T) W, at most |W|^2 / 2.
A network with relu has no such constant, and its phi is a statistic: a lower bound of the true one.

Source: Sinha, Namkoong & Duchi, arXiv 1710.10571, theorem 1 and proposition 1.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from lipcert.analyses.base import accuracy
from lipcert.attacks import Classifier
from lipcert.attacks.base import logits_and_gradient
from lipcert.attacks.wrm import ascend
from lipcert.graph.scores import cross_entropy, margins
from lipcert.records.lagrangian import LagrangianRecord

_ROUNDING = 1e-9


def measure_lagrangian(
    classify: Classifier,
    clean: Tensor,
    labels: Tensor,
    gamma: float,
    *,
    smoothness: float | None = None,
    steps: int = 200,
    batch_size: int = 256,
) -> LagrangianRecord:
    """Phi at one gamma, without input range, in the dtype of `clean`, N > 0.

    smoothness  a proved Lipschitz constant of the gradient of every sample's loss in l2; None where none is known
    """
    parts = [
        _climb(classify, clean[start : start + batch_size], labels[start : start + batch_size], gamma, steps)
        for start in range(0, len(clean), batch_size)
    ]
    value, slope, points, logits = (torch.cat(found) for found in zip(*parts, strict=True))
    distance = (points - clean).to(torch.float64).flatten(1).square().sum(dim=1)
    concavity = 0.0 if smoothness is None else 2 * gamma - smoothness
    upper = None
    if concavity > 0 and clean.dtype == torch.float64:
        slack = slope.square() / (2 * concavity)
        upper = float(((value + slack) * (1 + _ROUNDING) + _ROUNDING).mean())
    return LagrangianRecord(
        gamma=gamma,
        samples=len(clean),
        phi=float(value.mean()),
        phi_upper=upper,
        transport=float(distance.mean()),
        loss=float(cross_entropy(logits, labels).mean()),
        accuracy=accuracy(margins(logits, labels) > 0),
        smoothness=smoothness,
        certificate="heuristic" if upper is None else "valid",
        steps=steps,
    )


def affine_smoothness(spectral_norm: float) -> float:
    """Smoothness of the cross-entropy of an affine classifier whose weight has at most that spectral norm.

    The covariance diag p - p p^T of a distribution on unit vectors has no eigenvalue above 1/2.
    """
    return spectral_norm**2 / 2 * (1 + _ROUNDING)


def _climb(
    classify: Classifier, clean: Tensor, labels: Tensor, gamma: float, steps: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The best objective met, the norm of its gradient there, the point, and its logits."""
    loss = partial(cross_entropy, labels=labels)
    best = torch.full((len(clean),), -torch.inf, dtype=torch.float64, device=clean.device)
    slope, reached, scores = torch.zeros_like(best), clean.clone(), torch.empty(0)
    points = clean
    for step in range(steps + 1):
        logits, gradient = logits_and_gradient(classify, loss, points)
        logits = logits.to(torch.float64)
        offset = (points - clean).to(torch.float64).flatten(1)
        value = loss(logits) - gamma * offset.square().sum(dim=1)
        scores = logits.clone() if step == 0 else scores
        better = value > best
        best[better], reached[better], scores[better] = value[better], points[better], logits[better]
        slope[better] = (gradient.to(torch.float64).flatten(1) - 2 * gamma * offset).norm(dim=1)[better]
        points = ascend(points, gradient, clean, gamma, step)
    return best, slope, reached, scores
