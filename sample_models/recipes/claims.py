"""What the papers claim, as comparisons of two numbers that lipcert measured, each at every seed."""

from __future__ import annotations

from sample_models.recipes.claim import Claim, Evidence, Outcome
from sample_models.recipes.papers import certified, farnia, guo, roth, wu

CLAIMS = (*wu.CLAIMS, *roth.CLAIMS, *farnia.CLAIMS, *guo.CLAIMS, *certified.CLAIMS)


def outcomes(found: Evidence) -> tuple[Outcome, ...]:
    """Every claim with what was measured."""
    return tuple(Outcome(claim=claim, numbers=tuple(_numbers(claim, found))) for claim in CLAIMS)


def _numbers(claim: Claim, found: Evidence) -> list[tuple[float, float]]:
    pairs = []
    for suffix in ("", "_0", "_1", "_2"):
        first, second = (found.get(name + suffix) for name in claim.nets)
        if first is None or second is None:
            continue
        try:
            pairs.append((float(claim.left(first)), float(claim.right(second))))
        except (KeyError, IndexError):
            continue
    return pairs
