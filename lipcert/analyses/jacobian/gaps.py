"""What differs between the training and the test samples, with an interval for chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lipcert.analyses.jacobian.measurement import Measured
from lipcert.analyses.jacobian.report import ball_losses
from lipcert.analyses.jacobian.surrogates import Ball
from lipcert.records import GapRecord

_RESAMPLES = 1000
_CHUNK = 4_000_000
_LEVELS = (0.025, 0.975)
_NORMS = (
    "spectral_norm",
    "frobenius_norm",
    "centred_frobenius_norm",
    "l1_entries",
    "linf_l1_norm",
    "spectral_norm_lower",
)


def gap_records(train: Measured, test: Measured, balls: Sequence[Ball], *, seed: int = 0) -> tuple[GapRecord, ...]:
    """Clean loss and accuracy, the surrogates of the robust loss in each ball, and norms of the Jacobian.

    Without labels on both sides only the norms. Both are taken as independent samples: the interval says what
    drawing others would change, not what training on others would.
    """
    both = (_quantities(train, balls), _quantities(test, balls))
    shared = [name for name in both[0] if name in both[1]]
    if not (train.labelled and test.labelled):
        shared = [name for name in shared if name in _NORMS]
    return tuple(gap(name, both[0][name], both[1][name], seed=seed) for name in shared)


def _quantities(measured: Measured, balls: Sequence[Ball]) -> Mapping[str, Tensor]:
    found = measured.columns
    values = {"clean_loss": found.loss, "clean_accuracy": (found.rivals.margins > 0).to(found.loss.dtype)}
    for norm, eps in balls:
        values |= {f"{name} {norm} {eps!r}": loss for name, loss in ball_losses(found, (norm, eps)).items()}
    return values | {name: found.norms[name] for name in _NORMS if name in found.norms}


def gap(quantity: str, train: Tensor, test: Tensor, *, seed: int = 0) -> GapRecord:
    """Means of two samples of finite values, and their difference with its percentile bootstrap interval."""
    generator = torch.Generator().manual_seed(seed)
    first, second = (values.detach().to("cpu", torch.float64) for values in (train, test))
    differences = _resampled(second, generator) - _resampled(first, generator)
    low, high = torch.quantile(differences, torch.tensor(_LEVELS, dtype=torch.float64)).tolist()
    means = float(first.mean()), float(second.mean())
    return GapRecord(
        quantity=quantity, train=means[0], test=means[1], gap=means[1] - means[0], ci95=(low, max(low, high))
    )


def _resampled(values: Tensor, generator: torch.Generator) -> Tensor:
    """Means of samples drawn with replacement."""
    rows = max(1, _CHUNK // len(values))
    sizes = [min(rows, _RESAMPLES - start) for start in range(0, _RESAMPLES, rows)]
    return torch.cat(
        [values[torch.randint(len(values), (size, len(values)), generator=generator)].mean(dim=1) for size in sizes]
    )
