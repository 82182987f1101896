"""Norms and the spectrum of J at each sample."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import Linearised
from lipcert.analyses.jacobian.induced import Ends, operator_norm

EXPONENTS = tuple((p, q) for p in (1.0, 2.0, math.inf) for q in (1.0, 2.0, math.inf))
_RESOLVED = 1e-8
# Rows and singular vectors are starts as well. More passes than these gain less than 1e-4 where the ends are 0.1 apart.
_STARTS, _FEW_STARTS, _PASSES = 20, 4, 10

Norms = dict[tuple[float, float], Ends]


def singular_values(jacobian: Tensor) -> Tensor:
    """Largest first, shape (N, min(K, D)): square roots of the eigenvalues of the smaller Gram matrix.

    They are good to about 1e-8 of the largest, and the largest itself to a few units in the last place.
    """
    wide = jacobian.shape[1] <= jacobian.shape[2]
    return _roots(jacobian @ jacobian.mT if wide else jacobian.mT @ jacobian)


def _roots(gram: Tensor) -> Tensor:
    eigenvalues: Tensor = torch.linalg.eigvalsh(gram)
    return eigenvalues.clamp_min(0).sqrt().flip(1)


def operator_norms(jacobian: Tensor, further: Iterable[tuple[float, float]] = (), *, seed: int = 0) -> Norms:
    """The norms from l_p to l_q for p and q in 1, 2, inf and for `further` pairs, by (p, q)."""
    drawn = max(_FEW_STARTS, _STARTS - 2 * jacobian.shape[1])
    return {
        (p, q): operator_norm(jacobian, p, q, random_starts=drawn, passes=_PASSES, seed=seed)
        for p, q in dict.fromkeys((*EXPONENTS, *further))
    }


def statistics(local: Linearised, norms: Norms) -> tuple[dict[str, Tensor], Tensor]:
    """Statistics by name, each of shape (N,), and singular values (N, min(K, D)).

    "centred" is J less its mean row, which is what differences of logits see: a softmax does not change when a
    function is added to every logit. An inverse condition number below 1e-8 is not resolved, and given as 0.
    """
    jacobian = local.jacobian
    spectrum = singular_values(jacobian)
    centred = _roots(local.gram)
    frobenius = torch.linalg.vector_norm(jacobian, dim=(1, 2))
    largest = spectrum[:, 0]
    safe = torch.where(largest > 0, largest, 1.0)
    inverse = spectrum[:, -1] / safe
    found = {
        "spectral_norm": largest,
        "frobenius_norm": frobenius,
        "l1_entries": jacobian.abs().sum(dim=(1, 2)),
        "linf_norm": norms[math.inf, math.inf].upper,
        "l1_norm": norms[1.0, 1.0].upper,
        "stable_rank": torch.where(largest > 0, (frobenius / safe) ** 2, 0.0),
        "inverse_condition": torch.where(inverse > _RESOLVED, inverse, 0.0),
        "centred_spectral_norm": centred[:, 0],
        "centred_frobenius_norm": torch.linalg.vector_norm(local.centred, dim=(1, 2)),
    }
    cube = norms[math.inf, 1.0]
    if cube.exact:
        return found | {"linf_l1_norm": cube.upper}, spectrum
    return found | {"linf_l1_norm_lower": cube.lower, "linf_l1_norm_upper": cube.upper}, spectrum
