"""Margins divided by a measure of the network's size, as Bartlett et al. and Farnia et al. draw them.

    bartlett  m / (R_A |X|_F / n)            farnia  m / sqrt(Phi) = m / (prod s_i sqrt(sum F_i^2 / s_i^2))

Neither changes when layers of a homogeneous network without biases are rescaled against each other, or the logits by a
factor. They compare networks; they bound nothing by themselves.

Source: Bartlett, Foster, Telgarsky, NeurIPS 2017, section 1; Farnia, Zhang, Tse, ICLR 2019, in their published code.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.generalization.architecture import Architecture
from lipcert.records import NormalisedMarginRecord, Split

_POINTS = 101


def normalised_margins(
    net: Architecture, margins: Tensor, length: float, *, split: Split, seed: int = 0
) -> tuple[NormalisedMarginRecord, ...]:
    """Both records. `length` is the Frobenius norm of the samples the margins belong to."""
    samples = len(margins)
    size = math.hypot(length, math.sqrt(samples)) if net.biased else length
    scales = {"farnia": net.log_phi / 2}
    if size > 0:
        scales = {"bartlett": net.log_spectral_complexity + math.log(size) - math.log(samples)} | scales
    levels = torch.linspace(0, 1, _POINTS, dtype=torch.float64)
    found = []
    for name, log_scale in scales.items():
        if abs(log_scale) > 600:  # beyond a float64 once divided
            continue
        values = margins.to(torch.float64) / math.exp(log_scale)
        found.append(
            NormalisedMarginRecord(
                normalisation="bartlett" if name == "bartlett" else "farnia",
                split=split,
                log10_scale=log_scale / math.log(10),
                distribution=summarise(values, seed=seed),
                curve=tuple(torch.quantile(values, levels).tolist()),
            )
        )
    return tuple(found)
