"""One layer as a linear operator at its real input size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from lipcert.records.enclosure import Enclosure, Soundness
from lipcert.records.skipped import Skipped


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SpectrumRecord:
    """The largest singular values of one affine layer, ready to plot: lower estimates in falling order.

    residuals  some singular value of the layer lies within residuals[i] of values[i]
    complete   whether there are no others
    """

    values: tuple[float, ...]
    residuals: tuple[float, ...]
    complete: bool
    soundness: Soundness = Soundness.ESTIMATE
    method: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRecord:
    """Norms of one affine node; shapes are of one sample.

    spectral_norm   largest singular value (l2 -> l2)
    linf_norm       largest absolute row sum (linf -> linf)
    l1_norm         largest absolute column sum (l1 -> l1)
    frobenius_norm  of the whole operator, not of its kernel
    stable_rank     frobenius_norm^2 / spectral_norm^2
    share           this layer's part of the log of the product of layer norms, in [0, 1]; None where undefined
    spectrum        largest singular values; None where not asked for, or where the layer is not affine
    """

    name: str
    op: str
    description: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    transposed: bool = False
    spectral_norm: Enclosure | Skipped
    linf_norm: Enclosure | Skipped
    l1_norm: Enclosure | Skipped
    frobenius_norm: Enclosure | Skipped
    stable_rank: Enclosure | Skipped
    share: float | None = None
    spectrum: SpectrumRecord | None = None
