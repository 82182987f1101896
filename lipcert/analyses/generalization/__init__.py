"""Bounds on the error over the population, one file a bound, and figures that go with it."""

from lipcert.analyses.generalization import (  # noqa: F401  they register
    bartlett,
    first_order,
    golowich,
    layerwise,
    neyshabur,
    robust,
)
from lipcert.analyses.generalization.all_layer_margin import all_layer_margins, spread
from lipcert.analyses.generalization.architecture import Architecture, architecture
from lipcert.analyses.generalization.base import BOUNDS, Evidence, Training, records
from lipcert.analyses.generalization.circuit import Circuit, circuit
from lipcert.analyses.generalization.first_order import stepped
from lipcert.analyses.generalization.flatness import flatness
from lipcert.analyses.generalization.holdout import Counts, holdout_records
from lipcert.analyses.generalization.measures import measures
from lipcert.analyses.generalization.normalised_margins import normalised_margins
from lipcert.analyses.generalization.posterior import posterior_pending, posterior_record
from lipcert.analyses.generalization.posterior_weights import check_same_weights, multiplications
from lipcert.analyses.generalization.resilience import noise_resilience
from lipcert.analyses.generalization.unavailable import unavailable

__all__ = [
    "BOUNDS",
    "Architecture",
    "Circuit",
    "Counts",
    "Evidence",
    "Training",
    "all_layer_margins",
    "architecture",
    "check_same_weights",
    "circuit",
    "flatness",
    "holdout_records",
    "measures",
    "multiplications",
    "noise_resilience",
    "normalised_margins",
    "posterior_pending",
    "posterior_record",
    "records",
    "spread",
    "stepped",
    "unavailable",
]
