"""What is proved about samples: verdicts in balls of given radii, and the radii up to which proofs reach."""

from lipcert.analyses.certificates.branching import Breaks
from lipcert.analyses.certificates.certifier import Certifier
from lipcert.analyses.certificates.preparation import prepare
from lipcert.analyses.certificates.summary import (
    certificate_records,
    certified_radii,
    product_radii,
    radius_records,
    verdicts,
)

__all__ = [
    "Breaks",
    "Certifier",
    "certificate_records",
    "certified_radii",
    "prepare",
    "product_radii",
    "radius_records",
    "verdicts",
]
