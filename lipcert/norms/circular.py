"""Upper end of a convolution after circular padding: the circulant it repeats.

On an axis of n places, output o reads places s o + d t + c modulo n, for taps t and a shift c. If s divides n, let
M = n / s: with taps split into phases, (d t) mod s, and offsets m, floor(d t / s), the outputs o = 0 .. M - 1 are those
of a block circulant on M places, of norm max_j ||F(2 pi j / M)|| with F(w) = sum_m K_m e^{i m w}; the shift only turns
the input round. If s does not divide n, the outputs are among those of the circulant of stride 1 on n places. Either
way they repeat after n / gcd(n, s), so O outputs hold each at most r = ceil(O gcd(n, s) / n) times, and

    ||A|| <= sqrt(product of r) max_j ||F||,

with equality where r = 1, s divides n, and no output is missing. Forgetting r is an error: kernel 1, padding 1 and six
places give eight outputs and sqrt(2) times the grid's value. Sources: Sedghi, Gupta, Long, ICLR 2019 (the circulant);
Senderovich et al., NeurIPS 2022 (strides).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.norms.base import MATRIX_PACE, UPPERS, AbstractEnd, End, Task
from lipcert.operators import AbstractLinearOperator, CompositionOperator, ConvolutionOperator, GatherOperator
from lipcert.operators.circulant import highest
from lipcert.operators.symbol import Symbol
from lipcert.rounding import product_up, sqrt_up

_SLACK = 1e-6


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ring:
    """A convolution on a torus of `size` places, its outputs strided and perhaps repeated."""

    layer: ConvolutionOperator
    size: tuple[int, ...]

    @property
    def stride(self) -> tuple[int, ...]:
        """The stride where it divides the places, else 1: then some outputs are left out."""
        return tuple(s if n % s == 0 else 1 for n, s in zip(self.size, self.layer.stride, strict=True))

    @property
    def repeats(self) -> int:
        """How often one output stands, at most."""
        axes = zip(self.layer.outputs, self.layer.stride, self.size, strict=True)
        return math.prod(-(-o * math.gcd(n, s) // n) for o, s, n in axes)

    @property
    def grid(self) -> tuple[int, ...]:
        """Frequencies on each axis."""
        return tuple(n // s for n, s in zip(self.size, self.stride, strict=True))

    def taps(self) -> Tensor:
        """(groups, filters, channels * phases, *lengths): the matrices K_m."""
        kernel: Tensor = self.layer.weight.unflatten(0, (self.layer.groups, -1))
        for axis, (stride, dilation) in enumerate(zip(self.stride, self.layer.dilation, strict=True)):
            places = torch.arange(kernel.shape[3 + axis]) * dilation
            kernel = kernel.movedim(3 + axis, -1)
            spread = kernel.new_zeros(*kernel.shape[:-1], stride, int(places[-1]) // stride + 1)
            spread[..., places % stride, places // stride] = kernel
            kernel = spread.movedim(-1, 3 + axis).movedim(-1, 3).flatten(2, 3)
        return kernel.contiguous()


def _ring(operator: AbstractLinearOperator) -> _Ring | None:
    """The torus of a circular padding followed by a convolution; None for any other operator."""
    if not isinstance(operator, CompositionOperator) or len(operator.parts) != 2:
        return None
    padding, layer = operator.parts
    if not isinstance(padding, GatherOperator) or not isinstance(layer, ConvolutionOperator):
        return None
    axes = len(layer.size)
    size, channels = tuple(padding.in_shape[-axes:]), layer.in_shape[0]
    if any(pair != (0, 0) for pair in layer.padding) or padding.in_size != channels * math.prod(size):
        return None
    first = int(padding.index[0])
    if not 0 <= first < math.prod(size):
        return None
    numbers = torch.arange(padding.in_size, device=padding.index.device).reshape(channels, *size)
    for axis in reversed(range(axes)):
        first, start = divmod(first, size[axis])
        places = (torch.arange(layer.size[axis], device=numbers.device) + start) % size[axis]
        numbers = numbers.index_select(1 + axis, places)
    return _Ring(layer=layer, size=size) if numbers.flatten().equal(padding.index) else None


@final
@UPPERS.register("circular")
class Circular(AbstractEnd):
    """The largest block of the circulant, and how often outputs stand."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """A Gram matrix and a factorisation a frequency."""
        ring = _ring(operator)
        if ring is None:
            return math.inf
        filters, channels = ring.layer.weight.shape[0] / ring.layer.groups, ring.layer.weight.shape[1]
        small, large = sorted((filters, channels * math.prod(ring.stride)))
        frequencies = math.prod(ring.grid) / 2 + 1
        return MATRIX_PACE * ring.layer.groups * 4.0 * frequencies * (small**2 * large + small**3)

    def end(self, operator: AbstractLinearOperator, task: Task, /) -> End:
        """The bound; zero for a kernel of zeros."""
        ring = _ring(operator)
        assert ring is not None
        largest, repeats = float(ring.layer.weight.abs().max()), ring.repeats
        if largest == 0.0:
            return End(value=0.0, method="zero")
        if not math.isfinite(largest):
            return End(value=math.inf, method="circular")
        # A power of two scales exactly, and keeps squares away from overflow and underflow.
        scale = 2.0 ** min(1023, math.frexp(largest)[1])
        known = task.lower / scale / math.sqrt(repeats) * (1.0 + _SLACK)
        symbol = Symbol(ring.taps() / scale, ring.grid)
        squares = highest(symbol, (0,) * len(ring.grid), known**2)
        return End(value=product_up((sqrt_up(repeats), sqrt_up(squares), scale)), method="circular")
