"""What the trained map does to first order at the samples."""

from lipcert.analyses.jacobian.measurement import CLASS_LIMIT, Measured, measure, measure_jacobians

__all__ = ["CLASS_LIMIT", "Measured", "measure", "measure_jacobians"]
