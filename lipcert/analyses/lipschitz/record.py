"""Enclosures of the network's constant: what was climbed to below, what was proved above."""

from __future__ import annotations

from torch import Tensor

from lipcert.analyses.lipschitz.constants import NORMS, Constants
from lipcert.analyses.lipschitz.product import METHOD, gains, soundness_of, unsupported
from lipcert.analyses.lipschitz.witness import WITNESS, climb
from lipcert.progress import Progress, silent
from lipcert.records import Enclosure, LipschitzRecord, Norm, Skipped, Soundness
from lipcert.rules import LayerNorms, UnboundedError


def analyze_lipschitz(
    constants: Constants,
    *,
    inputs: Tensor | None = None,
    input_range: tuple[float, float] | None = None,
    progress: Progress = silent,
) -> tuple[LipschitzRecord, ...]:
    """Enclosures of the global constant of input -> logits in l2, linf and l1; in l2 by each method, the best first.

    inputs       samples near which to look for steepness, the most promising first
    input_range  where random points are drawn, uniformly; [0, 1] when unknown
    """
    norms = constants.norms
    unknown = unsupported(norms)
    if unknown:
        names = ", ".join(unknown)
        skipped = Skipped(reason=f"no rule bounds these operators: {names}", operators=unknown)
        return tuple(LipschitzRecord(norm=norm, scope="global", method=METHOD, value=skipped) for norm in NORMS)
    lower = climb(norms, inputs, input_range or (0.0, 1.0), progress)
    records = [_product(norms, norm, lower[norm]) for norm in NORMS]
    layered = _layered(constants, lower["l2"])
    return tuple(records if layered is None else [layered, *records])


def _product(norms: LayerNorms, norm: Norm, lower: float) -> LipschitzRecord:
    try:
        upper = gains(norms, norm)[norms.graph.output]
    except UnboundedError as error:
        value = Enclosure(
            lower=lower,
            upper=None,
            unbounded=True,
            soundness=Soundness.ESTIMATE,
            method=f"{WITNESS} / no global bound: {error}",
        )
    else:
        value = _enclosure(norms, norm, lower, upper, METHOD)
    return LipschitzRecord(norm=norm, scope="global", method=METHOD, value=value)


def _layered(constants: Constants, lower: float) -> LipschitzRecord | None:
    """The layered bound, where it is there and below the product."""
    layered, product = constants.layered, constants.products["l2"].whole
    if layered is None or (product is not None and product <= layered.whole):
        return None
    value = _enclosure(constants.norms, "l2", lower, layered.whole, layered.method)
    return LipschitzRecord(norm="l2", scope="global", method=layered.method, value=value)


def _enclosure(norms: LayerNorms, norm: Norm, lower: float, upper: float, method: str) -> Enclosure:
    return Enclosure(
        lower=lower,
        upper=upper,
        soundness=soundness_of(norms, norm),
        failure_probability=norms.failure_probability(norm),
        method=f"{WITNESS} / {method}",
    )
