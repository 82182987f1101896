"""Norms and spectra of the Jacobian of the logits at the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Soundness


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JacobianRecord:
    """Data-dependent operator norms. Exact at each sample; as statements about the population they are estimates.

    statistics         name -> spread over the samples: spectral_norm, frobenius_norm, l1_entries, linf_l1_norm_upper,
                       linf_norm, stable_rank, centred_spectral_norm, ...
    singular_spectrum  mean over the samples of the singular values, largest first
    """

    samples: int
    dtype: str
    method: str
    soundness: Soundness
    statistics: dict[str, Distribution]
    singular_spectrum: tuple[float, ...]
