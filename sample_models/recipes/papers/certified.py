"""Claims: what certificates see of training."""

from __future__ import annotations

from sample_models.recipes.claim import claim, of
from sample_models.recipes.papers.numbers import CERTIFIED

CLAIMS = (
    claim("C1a", "certified accuracy: FGM-trained at beta 2 above standard", ("fgm_cap2", "standard"), of(CERTIFIED)),
    claim("C1b", "the same of the convolutional net", ("conv_fgm_cap2", "conv_standard"), of(CERTIFIED)),
)
