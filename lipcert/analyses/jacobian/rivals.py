"""The other classes at each sample: how far ahead y is of them, and how fast each catches up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.jacobian.base import Linearised, conjugate, vector_norm
from lipcert.records import DistanceRecord, Norm, Skipped

EXPONENTS: dict[Norm, float] = {"l2": 2.0, "linf": math.inf, "l1": 1.0}


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rivals:
    """Leads z_y - z_k and, by norm p, steepnesses ||J_y - J_k||_{p*}; each (N, K), in float64, 0 at k = y."""

    classes: Tensor
    leads: Tensor
    steepness: dict[Norm, Tensor]

    def distances(self, norm: Norm) -> Tensor:
        """First-order distance to each class, (N, K): lead over steepness; 0 where the lead is 0 or less.

        Infinite at y itself, and where the steepness is 0 with a positive lead.

        Source: DeepFool, Moosavi-Dezfooli, Fawzi, Frossard, CVPR 2016, whose first step it is the length of.
        """
        steepness = self.steepness[norm]
        quotient = self.leads / torch.where(steepness > 0, steepness, 1.0)
        quotient = torch.where((steepness > 0) | (self.leads <= 0), quotient, math.inf).clamp_min(0.0)
        return quotient.scatter(1, self.classes[:, None], math.inf)

    def nearest(self, norm: Norm) -> Tensor:
        """The smallest distance to another class, (N,)."""
        return self.distances(norm).amin(dim=1)

    @property
    def margins(self) -> Tensor:
        """The smallest lead, (N,)."""
        return self.leads.scatter(1, self.classes[:, None], math.inf).amin(dim=1)


def rivals(local: Linearised) -> Rivals:
    """Leads and steepnesses from the whole J."""
    count, classes, columns = local.jacobian.shape
    index = local.classes[:, None]
    own = local.jacobian.gather(1, index[:, :, None].expand(count, 1, columns))
    apart = own - local.jacobian
    leads = local.logits.gather(1, index) - local.logits
    assert leads.shape[1] == classes
    return Rivals(
        classes=local.classes,
        leads=leads,
        steepness={norm: vector_norm(apart, conjugate(exponent)) for norm, exponent in EXPONENTS.items()},
    )


def distance_record(found: Rivals, norm: Norm, *, seed: int = 0) -> DistanceRecord:
    """First-order distances in one norm over the samples."""
    distances = found.distances(norm).cpu()
    nearest, rival = distances.min(dim=1)
    reached = nearest.isfinite()
    counts = torch.bincount(rival[reached], minlength=distances.shape[1]).to(torch.float64)
    nothing = Skipped(reason="no sample has another class within reach to first order")
    return DistanceRecord(
        norm=norm,
        nearest=summarise(nearest[reached], seed=seed) if reached.any() else nothing,
        unbounded=int((~reached).sum()),
        rivals=tuple((counts / max(1, len(nearest))).tolist()),
        by_rival=tuple(_median(distances[:, k][found.classes.cpu() != k]) for k in range(distances.shape[1])),
    )


def _median(values: Tensor) -> float | None:
    """The median, where there are values and it is finite."""
    if not len(values):
        return None
    middle = float(values.median())
    return middle if math.isfinite(middle) else None
