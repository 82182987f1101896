"""What the trained map does to first order at the samples."""

from lipcert.analyses.jacobian.measurement import CLASS_LIMIT, Measured, measure_jacobians
from lipcert.analyses.jacobian.report import Attacked, jacobian_record, sample_rows, with_attacks

__all__ = [
    "CLASS_LIMIT",
    "Attacked",
    "Measured",
    "jacobian_record",
    "measure_jacobians",
    "sample_rows",
    "with_attacks",
]
