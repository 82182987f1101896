"""Claims: Wu & Li, arXiv 2412.12449."""

from __future__ import annotations

from sample_models.recipes.claim import claim, less, of
from sample_models.recipes.papers.numbers import GAP_LOSS_MNIST, ROBUST, ROBUST_LINF

CLAIMS = (
    claim("W1a", "Jacobian-F training raises accuracy under l2 attack", ("jacobian_f", "standard"), of(ROBUST)),
    claim(
        "W1b",
        "l1 training favours linf: accuracy under linf less under l2 attack",
        ("jacobian_l1", "jacobian_f"),
        less(ROBUST_LINF, ROBUST),
    ),
    claim(
        "W1c",
        "at a cost of at most .05 in clean accuracy (right: standard less .05)",
        ("jacobian_f", "standard"),
        of("clean"),
        of("clean", plus=-0.05),
    ),
    claim(
        "W2a",
        "the gap of the clean loss shrinks with the Jacobian (MNIST)",
        ("mnist_standard", "mnist_jacobian_f_light"),
        of("gap_clean_loss"),
    ),
    claim("W2b", "... and on (MNIST)", ("mnist_jacobian_f_light", "mnist_jacobian_f"), of("gap_clean_loss")),
    claim(
        "W2c",
        "so does the gap of the loss under l2 attack (MNIST)",
        ("mnist_standard", "mnist_jacobian_f_light"),
        of(GAP_LOSS_MNIST),
    ),
    claim("W2d", "... and on (MNIST)", ("mnist_jacobian_f_light", "mnist_jacobian_f"), of(GAP_LOSS_MNIST)),
)
