"""Norms and the spectrum of J at each sample."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import Linearised, vector_norm
from lipcert.analyses.jacobian.induced import Ends, both_ends
from lipcert.analyses.jacobian.matrices import Matrices

EXPONENTS = tuple((p, q) for p in (1.0, 2.0, math.inf) for q in (1.0, 2.0, math.inf))
_RESOLVED = 1e-8
# Rows and singular vectors are starts as well. More passes than these gain less than 1e-4 where the ends are 0.1 apart.
_STARTS, _FEW_STARTS, _PASSES = 20, 4, 10

Norms = dict[tuple[float, float], Ends]


def operator_norms(matrices: Matrices, further: Iterable[tuple[float, float]] = (), *, seed: int = 0) -> Norms:
    """The norms from l_p to l_q for p and q in 1, 2, inf and for `further` pairs, by (p, q)."""
    drawn = max(_FEW_STARTS, _STARTS - 2 * matrices.entries.shape[1])
    return {
        (p, q): both_ends(matrices, p, q, random_starts=drawn, passes=_PASSES, seed=seed)
        for p, q in dict.fromkeys((*EXPONENTS, *further))
    }


def statistics(local: Linearised, matrices: Matrices, norms: Norms) -> dict[str, Tensor]:
    """Statistics by name, each of shape (N,).

    "centred" is J less its mean row, which is what differences of logits see: a softmax does not change when a
    function is added to every logit. An inverse condition number below 1e-8 is not resolved, and given as 0.
    """
    spectrum, centred = matrices.spectrum, torch.linalg.eigvalsh(local.gram)[:, -1].clamp_min(0).sqrt()
    frobenius = vector_norm(matrices.columns(2), 2)
    largest = spectrum[:, 0]
    safe = torch.where(largest > 0, largest, 1.0)
    inverse = spectrum[:, -1] / safe
    found = {
        "spectral_norm": largest,
        "frobenius_norm": frobenius,
        "l1_entries": matrices.rows(1).sum(dim=1),
        "linf_norm": norms[math.inf, math.inf].upper,
        "l1_norm": norms[1.0, 1.0].upper,
        "stable_rank": torch.where(largest > 0, (frobenius / safe) ** 2, 0.0),
        "inverse_condition": torch.where(inverse > _RESOLVED, inverse, 0.0),
        "centred_spectral_norm": centred,
        "centred_frobenius_norm": local.gram.diagonal(dim1=1, dim2=2).sum(dim=1).sqrt(),
    }
    cube = norms[math.inf, 1.0]
    if cube.exact:
        return found | {"linf_l1_norm": cube.upper}
    return found | {"linf_l1_norm_lower": cube.lower, "linf_l1_norm_upper": cube.upper}
