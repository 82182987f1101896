"""Claims: Farnia, Zhang & Tse, arXiv 1811.07457."""

from __future__ import annotations

from sample_models.recipes.claim import claim, constant, median, of, same
from sample_models.recipes.papers.numbers import (
    GAP_ACCURACY,
    GAP_ACCURACY_MNIST,
    GAP_LOSS,
    GAP_LOSS_MNIST,
    ROBUST,
    ROBUST_MNIST,
)

CLAIMS = (
    claim("F1a", "a capped net fits true labels better than random ones", ("cap4", "random_labels_cap4"), of("fit")),
    claim("F1b", "without a cap random labels are fitted better", ("random_labels", "random_labels_cap4"), of("fit")),
    claim(
        "F1c",
        "the same of the convolutional net, true against random labels",
        ("conv_cap4", "conv_random_labels_cap4"),
        of("fit"),
    ),
    claim("F1d", "... and without a cap", ("conv_random_labels", "conv_random_labels_cap4"), of("fit")),
    claim(
        "F2a",
        "normalised margins are larger for true labels than for random ones",
        ("standard", "random_labels"),
        median("normalised_bartlett"),
    ),
    claim(
        "F2b",
        "likewise by the normalisation of Farnia et al.",
        ("standard", "random_labels"),
        median("normalised_farnia"),
    ),
    claim("F3a", "the gap of accuracy under PGM attack shrinks with the cap", ("pgm", "pgm_cap2"), of(GAP_ACCURACY)),
    claim("F3b", "... and on", ("pgm_cap2", "pgm_cap1.3"), of(GAP_ACCURACY)),
    claim("F3c", "so does the gap of the loss", ("pgm", "pgm_cap1.3"), of(GAP_LOSS)),
    claim(
        "F3d",
        "re-parametrised, accuracy does not collapse at beta 1.3 (above .9)",
        same("cap1.3"),
        of("clean"),
        constant(0.9),
    ),
    claim("F4", "PGM training withstands a strong attack better than FGM training", ("pgm", "fgm"), of(ROBUST)),
    claim(
        "F5a",
        "MNIST: the cap chosen on 500 images held out raises accuracy under PGM attack",
        ("mnist_pgm_chosen", "mnist_pgm"),
        of(ROBUST_MNIST),
    ),
    claim(
        "F5b",
        "... and shrinks its gap between training and test",
        ("mnist_pgm", "mnist_pgm_chosen"),
        of(GAP_ACCURACY_MNIST),
    ),
    claim("F5c", "... and the gap of the loss", ("mnist_pgm", "mnist_pgm_chosen"), of(GAP_LOSS_MNIST)),
    claim(
        "F5d",
        "MNIST: accuracy does not collapse at beta 2 (above .9)",
        same("mnist_pgm_cap2"),
        of("clean"),
        constant(0.9),
    ),
    claim("F5e", "... nor at beta 1.3", same("mnist_pgm_cap1.3"), of("clean"), constant(0.9)),
)
