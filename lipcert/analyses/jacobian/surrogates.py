"""Surrogates of the robust loss from the Jacobian.

Let R be the largest cross-entropy over the ball of the network linearised at the sample. At every sample

    clean <= first_order = l + eps ||J'g||_{p*} <= R     a convex function is above its tangent
          <= pairwise = log sum_k exp(z_k - z_y + eps ||J_k - J_y||_{p*})     every difference of logits at its largest
          <= max_pair = l + eps max_k ||J_k - J_y||_{p*}     log sum exp is monotone, and 1-Lipschitz in linf
          <= jacobian = l + sqrt(2) eps ||J||_F in l2, l + eps ||J||_{1,1} in linf, l + 2 eps max |J_kj| in l1.

With two classes pairwise is R itself. R is the robust loss where the ball lies in one linear region of the network.

Source: Jacobian-regularised losses as approximate upper bounds of the robust loss, Wu, Li, arXiv 2412.12449 (abstract);
the chain is our own derivation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.jacobian.rivals import Rivals
from lipcert.records import Norm, SurrogateLossRecord, SurrogateName, SurrogateRecord

NAMES: tuple[SurrogateName, ...] = ("first_order", "pairwise", "max_pair", "jacobian")
_TOLERANCE = 1e-9
_FACTORS: dict[Norm, float] = {"l2": math.sqrt(2.0), "linf": 1.0, "l1": 2.0}

Ball = tuple[Norm, float]


def surrogates(
    norm: Norm, eps: float, *, loss: Tensor, rivals: Rivals, gradient: Tensor, entries: Tensor
) -> dict[SurrogateName, Tensor]:
    """The four losses at each sample, each (N,), in nats.

    loss      clean, (N,)
    gradient  ||J'g||_{p*}, (N,)
    entries   ||J||_F in l2, ||J||_{1,1} in linf, the largest |J_kj| in l1, (N,)
    """
    steepness = rivals.steepness[norm]
    raised = (eps * steepness - rivals.leads).scatter(1, rivals.classes[:, None], -math.inf)
    odds = raised.logsumexp(dim=1)
    return {
        "first_order": loss + eps * gradient,
        "pairwise": torch.logaddexp(odds, torch.zeros_like(odds)),
        "max_pair": loss + eps * steepness.amax(dim=1),
        "jacobian": loss + eps * _FACTORS[norm] * entries,
    }


def surrogate_record(
    ball: Ball, loss: Tensor, found: Mapping[Any, Tensor], attacked: Tensor | None, *, seed: int = 0
) -> SurrogateRecord:
    """Surrogates in one ball, those that are known, beside the largest loss that attacks found there, (N,)."""
    names = [name for name in NAMES if name in found]
    chain = [loss, *(found[name] for name in names)]
    return SurrogateRecord(
        norm=ball[0],
        eps=ball[1],
        samples=len(loss),
        clean_loss=float(loss.mean()),
        robust_loss=None if attacked is None else float(attacked.mean()),
        surrogates=tuple(_record(name, found[name], attacked, seed) for name in names),
        headline="pairwise" if "pairwise" in found else names[-1],
        ordered=_is_ordered(chain),
    )


def _is_ordered(chain: Sequence[Tensor]) -> bool:
    pairs = itertools.pairwise(chain)
    return all(bool((low <= high + _TOLERANCE * (1 + high)).all()) for low, high in pairs)


def _record(name: SurrogateName, loss: Tensor, attacked: Tensor | None, seed: int) -> SurrogateLossRecord:
    return SurrogateLossRecord(
        name=name,
        loss=summarise(loss, seed=seed),
        linear="below" if name == "first_order" else "above",
        covers=None if attacked is None else float((loss >= attacked).double().mean()),
        errs=None if attacked is None else "above" if loss.mean() >= attacked.mean() else "below",
    )
