"""What the trained map does to first order at the samples."""

from lipcert.analyses.jacobian.krylov import PASSES, Leading, leading_record, leading_rows, measure_leading
from lipcert.analyses.jacobian.likely import first_order
from lipcert.analyses.jacobian.measurement import CLASS_LIMIT, Measured, affordable_dtype, measure_jacobians
from lipcert.analyses.jacobian.report import Attacked, jacobian_record, sample_rows, with_attacks

__all__ = [
    "CLASS_LIMIT",
    "PASSES",
    "Attacked",
    "Leading",
    "Measured",
    "affordable_dtype",
    "first_order",
    "jacobian_record",
    "leading_record",
    "leading_rows",
    "measure_jacobians",
    "measure_leading",
    "sample_rows",
    "with_attacks",
]
