"""Claims: Roth, Kilcher & Hofmann, arXiv 1906.01527."""

from __future__ import annotations

from sample_models.recipes.claim import claim, constant, of, same
from sample_models.recipes.papers.numbers import (
    ATTACK,
    DEVIATION,
    FAR_COSINE,
    NEAR_COSINE,
    NEAR_GAIN,
    RANDOM_DEVIATION,
    ROBUST,
)

CLAIMS = (
    claim("R1a", "adversarial training damps the largest singular value", ("standard", "pgm"), of("sigma1")),
    claim("R1b", "... and the fifth", ("standard", "pgm"), of("spectrum", rank=4)),
    claim("R1c", "data-dependent regularisation damps it more", ("pgm", "data_dependent"), of("sigma1")),
    claim("R1d", "... and the fifth", ("pgm", "data_dependent"), of("spectrum", rank=4)),
    claim(
        "R2a",
        "attacks align with singular vectors, less with rank: first above eighth",
        same("standard"),
        of(ATTACK, rank=0),
        of(ATTACK, rank=7),
    ),
    claim(
        "R2b",
        "... and far above a random direction",
        same("standard"),
        of(ATTACK, rank=0),
        lambda found: 2 * found["alignment random 0"][0],
    ),
    claim("R3a", "adversarial training makes the net more linear along attacks", ("standard", "pgm"), of(DEVIATION)),
    claim("R3b", "data-dependent regularisation likewise", ("standard", "data_dependent"), of(DEVIATION)),
    claim(
        "R3c",
        "random directions bend less than adversarial ones",
        same("standard"),
        of(DEVIATION),
        of(RANDOM_DEVIATION),
    ),
    claim(
        "R4a",
        "the l2-logit attack gains sigma_1 at eps/20 (ratio above .999)",
        same("standard"),
        of(NEAR_GAIN),
        constant(0.999),
    ),
    claim("R4b", "its median cosine with v_1 is above .99 there", same("standard"), of(NEAR_COSINE), constant(0.99)),
    claim("R4c", "... and falls with eps", same("standard"), of(NEAR_COSINE), of(FAR_COSINE)),
    claim(
        "R4d",
        "ascent and power method walk together: share of samples",
        same("standard"),
        of("power_method"),
        constant(0.99),
    ),
    claim(
        "R5a",
        "data-dependent regularisation is robust like adversarial training (right: standard plus .1)",
        ("data_dependent", "standard"),
        of(ROBUST),
        of(ROBUST, plus=0.1),
    ),
    claim("R5b", "adversarial training above global spectral regularisation", ("pgm", "global_spectral"), of(ROBUST)),
    claim("R5c", "data-dependent above global", ("data_dependent", "global_spectral"), of(ROBUST)),
    claim(
        "R6",
        "global spectral regularisation leaves the spectrum as it is (right: standard less a tenth)",
        ("global_spectral", "standard"),
        of("sigma1"),
        lambda found: 0.9 * found["sigma1"],
        expected=False,
    ),
    claim(
        "R7",
        "adversarially trained nets align as steeply as standard ones (first less eighth)",
        ("pgm", "standard"),
        lambda found: found[ATTACK][0] - found[ATTACK][7],
        lambda found: found[ATTACK][0] - found[ATTACK][7],
        expected=False,
    ),
)
