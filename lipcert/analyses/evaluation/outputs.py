"""Checks of what the model gives: the same each time, logits, and not saturated."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.analyses.evaluation.base import Evidence, Finding, graded, of_model

_NOISE, _RANDOM = 1e-5, 1e-3
_PROBABILITIES = 1e-4
_UNDERFLOW = 87.0  # exp(-87) is about the smallest normal float32


@of_model(
    "repeatable",
    hint="Average logits and gradients over the model's randomness, or switch it off (eval mode).",
    reference="AutoAttack flags; Athalye, Carlini & Wagner, arXiv 1802.00420",
)
def repeatable(evidence: Evidence) -> Finding:
    """The same logits for the same inputs, by the scorer and by the callable that gives gradients."""
    calls = (evidence.target.classify, evidence.target.scorer)
    with torch.no_grad():
        change = max(_relative(call(evidence.points), call(evidence.points)) for call in calls)
    text = f"logits of repeated calls differ by {change:.1e} of their range"
    return graded(change, text, warn=_NOISE, fail=_RANDOM, samples=len(evidence.rows))


def _relative(first: Tensor, second: Tensor) -> float:
    first, second = first.to(torch.float64), second.to(torch.float64)
    width = float(first.amax() - first.amin())
    change = float((first - second).abs().amax())
    return change / width if width else float(change > 0)


@of_model(
    "probabilities",
    hint="Export the model without its softmax: losses and gradients of probabilities are flat where it matters.",
    reference="AutoAttack flags (Croce & Hein)",
)
def probabilities(evidence: Evidence) -> Finding:
    """Rows that are not negative and sum to one are no logits."""
    with torch.no_grad():
        rows = evidence.target.classify(evidence.points).to(torch.float64)
    alike = (rows.amin(dim=1) >= 0) & ((rows.sum(dim=1) - 1).abs() < _PROBABILITIES)
    share = float(alike.double().mean())
    text = f"{share:.0%} of the outputs are probabilities"
    return graded(share, text, warn=0.5, fail=0.5, samples=len(rows))


@of_model(
    "saturation",
    hint="Nothing is lost here, as the attacks climb log-odds; other tools need the logits divided by a temperature.",
    reference="Carlini & Wagner, arXiv 1608.04644",
)
def saturation(evidence: Evidence) -> Finding:
    """Margins beyond which a float32 cross-entropy has no gradient."""
    margin = evidence.clean.margin[evidence.rows]
    share = float((margin > _UNDERFLOW).double().mean())
    text = (
        f"{share:.0%} of the samples have a margin above {_UNDERFLOW:.0f}, where the cross-entropy is flat in float32"
    )
    return graded(share, text, warn=0.1, fail=1.0, samples=len(margin))
