"""Input gradient, Jacobian, cross-Lipschitz and curvature functionals at each sample, from J alone.

With g = p - e_y the loss has gradient J'g, and for a piecewise-linear network Hessian H = J'(diag p - pp')J almost
everywhere; for others that is its Gauss-Newton part. What differences of logits see is PJ, J less its mean row.

Source: input gradients, Drucker, LeCun, IEEE Trans. Neural Networks 3 (1992), Ross, Doshi-Velez, AAAI 2018; Jacobian,
Hoffman, Roberts, Yaida, arXiv 1908.02729; cross-Lipschitz, Hein, Andriushchenko, NeurIPS 2017; curvature,
Moosavi-Dezfooli et al., CVPR 2019; their connections, Guo, Chen, Li, Zhang, arXiv 2007.02209.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import Linearised

MASKED = ("input_gradient", "input_gradient_l1", "hessian_trace", "hessian_norm")
UNMASKED = ("squared_frobenius", "centred_squared_frobenius", "cross_lipschitz")


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pairs:
    """The Gram matrix of PJ at each sample, and what is made of it; (N, K, K), in float64.

    apart  ||J_l - J_m||^2
    pulls  <J'g_l, J'g_m> with g_l = p - e_l: its diagonal is the squared gradient of the loss for each label
    """

    apart: Tensor
    pulls: Tensor


def pairs(local: Linearised) -> Pairs:
    """Both from the Gram matrix, without subtracting what is nearly equal for a confident network."""
    gram, p = local.gram, local.probabilities
    diagonal = gram.diagonal(dim1=1, dim2=2)
    apart = (diagonal[:, :, None] + diagonal[:, None, :] - 2 * gram).clamp_min(0)
    apart.diagonal(dim1=1, dim2=2).zero_()
    others = p[:, None, :].expand(-1, p.shape[1], -1) * (1 - torch.eye(p.shape[1], dtype=p.dtype, device=p.device))
    slopes = others - torch.diag_embed(others.sum(dim=2))
    return Pairs(apart=apart, pulls=slopes @ gram @ slopes.mT)


def functionals(local: Linearised, found: Pairs) -> dict[str, Tensor]:
    """Functionals by name, each (N,).

    input_gradient             ||J'g||^2, and input_gradient_l1 its l1 norm (not squared)
    squared_frobenius          ||J||_F^2, and the same of PJ
    cross_lipschitz            mean of ||J_l - J_m||^2 over the K^2 ordered pairs
    hessian_trace              of H, which is half the mean of ||J_l - J_m||^2 over pairs drawn from p
    hessian_norm               largest eigenvalue of H, as that of BB' with columns sqrt(p_l) J'(e_l - p)
    doubt                      1 - p_y
    """
    p, gradient = local.probabilities, local.loss_gradient
    root = p.sqrt()
    weighted = root[:, :, None] * found.pulls * root[:, None, :]
    classes = p.shape[1]
    return {
        "input_gradient": gradient.square().sum(dim=1),
        "input_gradient_l1": gradient.abs().sum(dim=1),
        "squared_frobenius": local.jacobian.square().sum(dim=(1, 2)),
        "centred_squared_frobenius": local.centred.square().sum(dim=(1, 2)),
        "cross_lipschitz": found.apart.sum(dim=(1, 2)) / classes**2,
        "hessian_trace": 0.5 * (p[:, None, :] @ found.apart @ p[:, :, None])[:, 0, 0],
        "hessian_norm": torch.linalg.eigvalsh(weighted)[:, -1].clamp_min(0),
        "doubt": local.doubt,
    }
