"""What is proved about samples: radii, and verdicts in balls of given radii."""

from lipcert.analyses.certificates.lipschitz import (
    Certificates,
    analyze_certificates,
    certified_radius,
    final_weight,
)

__all__ = ["Certificates", "analyze_certificates", "certified_radius", "final_weight"]
