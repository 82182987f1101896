"""Claims: Guo, Chen, Li & Zhang, arXiv 2007.02209."""

from __future__ import annotations

from sample_models.recipes.claim import claim, of
from sample_models.recipes.papers.numbers import ROBUST

CLAIMS = (
    claim(
        "G2a",
        "the input-gradient penalty robustifies least: Jacobian-F above it",
        ("jacobian_f", "input_gradient"),
        of(ROBUST),
    ),
    claim("G2b", "cross-Lipschitz above it", ("cross_lipschitz", "input_gradient"), of(ROBUST)),
    claim("G2c", "it leaves J large", ("input_gradient", "jacobian_f"), of("frobenius")),
)
