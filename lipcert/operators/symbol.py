"""The symbol of a polyphase kernel, F(w) = sum_m K_m e^{i m.w}, and its Gram matrix, with bounds on their rounding.

Frequencies are held as integers k on each axis of grid size M, w = pi k / M, so that every angle m w is a multiple of
pi / M reduced exactly modulo 2 pi. Rounding, with u the unit roundoff, S = sum_m |K_m| entry by entry, T offsets:

phases   an angle of at most pi errs by 3 u pi (the constant, one product, one quotient); cosine and sine err by two
         units in the last place, 4 u, each (the C library states less than one): |E^ - E| <= (3 pi + 4 sqrt 2) u, less
         than 16 u a factor. A complex product adds less than 3 u. Over d axes |E^ - E| <= 20 d u =: e.
symbol   real and imaginary part are inner products of T terms: |F^ - F| <= (gamma(T) (1 + e) + e) S =: f S.
direct   G^ = fl(F^ F^*): each part of an entry is a sum of 2 c real products, c the inner side, so with the factor
         sqrt 2 for both parts |G^ - F F^*| <= (2 f + f^2 + 2 gamma(2 c + 2) (1 + f)^2) S S'.
lags     G(w) = sum_D R_D e^{i D.w} with R_D = sum_{m - n = D} K_m K_n', summed as R_0 + sum over half of the lags of
         cos (R_D + R_D') + i sin (R_D - R_D'). A sum of T c products, one addition, and a sum of one term a lag:
         |G^ - F F^*| <= 2 (gamma(T c + lags + 4) (1 + e) + e) S S', because sum_D |R|_D = S S'.

So ||G^ - F F^*||_2 <= r ||S||_2^2 in both cases, and ||S||_2^2 is at most the largest row sum times the largest column
sum of S. The bounds hold for every order of summation (Higham, Accuracy and Stability of Numerical Algorithms, 2002,
3.1 and 3.6) in conventional products: neither Strassen's nor the complex product by three real ones, which BLAS offers
only under other names. Kernels are scaled by a power of two to a largest entry in [1/2, 1]: what underflow can add is
far below one u of ||S||^2, for which gamma is taken two operations longer than counted.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from lipcert.rounding import UNIT_ROUNDOFF, gamma, product_up, sum_up, up

_SPARE = 2
_BYTES = 2**26


@final
class Symbol:
    """The symbol of taps (groups, rows, columns, *lengths), rows <= columns after transposing, on a grid."""

    def __init__(self, taps: Tensor, grid: tuple[int, ...]) -> None:
        # F(w)' has the conjugate transpose of F(-w), and F(-w) the singular values of F(w): transposing is free.
        self.transposed = taps.shape[1] > taps.shape[2]
        self.taps = (taps.transpose(1, 2) if self.transposed else taps).contiguous()
        self.grid = grid
        self.groups, self.rows, self.columns = self.taps.shape[:3]
        self.lengths = tuple(self.taps.shape[3:])
        self.offsets = math.prod(self.lengths)
        self.device = taps.device
        self.roots = [_roots(size).to(self.device) for size in grid]
        sums = self.taps.abs().flatten(3).sum(-1)
        schur = float((sums.sum(2).amax(1) * sums.sum(1).amax(1)).max())
        self.absolute = product_up((schur, up(1.0 + gamma(4 * self.taps.numel() + 4))))
        lags = itertools.product(*(range(1 - n, n) for n in self.lengths))
        self._half = [lag for lag in lags if lag > (0,) * len(grid)]
        self._polynomial: tuple[Tensor, Tensor, Tensor] | None = None

    def on(self, grid: tuple[int, ...]) -> Symbol:
        """The same symbol on another grid; what was computed for the taps is shared."""
        other = copy.copy(self)
        other.grid, other.roots = grid, [_roots(size).to(self.device) for size in grid]
        return other

    def chunks(self, frequencies: Tensor) -> Iterator[Tensor]:
        """Frequencies in parts whose Gram matrices, their factors and symbols take about 64 MB."""
        size = 16 * self.groups * (self.rows * min(self.columns, 4 * self.rows) + 2 * self.rows**2)
        return iter(frequencies.split(max(1, _BYTES // size)))

    @property
    def phase_error(self) -> float:
        """e, the bound on the error of a phase."""
        return up(20.0 * len(self.grid) * UNIT_ROUNDOFF)

    def half_grid(self, twist: tuple[int, ...]) -> Tensor:
        """(frequencies, axes) integers k = 2 j + twist modulo 2 M; of k and -k, whose symbols are conjugate, one."""
        axes = [torch.arange(size) * 2 + (bit if size > 1 else 0) for size, bit in zip(self.grid, twist, strict=True)]
        grid = torch.cartesian_prod(*axes).reshape(-1, len(axes)).to(self.device)
        moduli = 2 * torch.tensor(self.grid, device=self.device)
        weights = torch.tensor([math.prod(2 * m for m in self.grid[a + 1 :]) for a in range(len(axes))]).to(self.device)
        return grid[(grid * weights).sum(1) <= ((-grid % moduli) * weights).sum(1)]

    def phases(self, frequencies: Tensor, offsets: Tensor) -> Tensor:
        """(frequencies, offsets) values of e^{i m.w} for offsets (count, axes)."""
        result = torch.ones(len(frequencies), len(offsets), dtype=torch.complex128, device=self.device)
        for axis, size in enumerate(self.grid):
            result = result * self.roots[axis][(frequencies[:, axis, None] * offsets[:, axis]) % (2 * size)]
        return result

    def values(self, frequencies: Tensor) -> Tensor:
        """F at the frequencies: (groups, frequencies, rows, columns), complex."""
        offsets = torch.cartesian_prod(*map(torch.arange, self.lengths)).reshape(-1, len(self.grid)).to(self.device)
        phases = self.phases(frequencies, offsets)
        parts = torch.cat((phases.real, phases.imag)) @ self.taps.flatten(3).reshape(-1, self.offsets).T
        count = len(frequencies)
        values = torch.complex(parts[:count], parts[count:])
        return values.reshape(count, self.groups, self.rows, self.columns).transpose(0, 1)

    def polynomial_pays(self, frequencies: int) -> bool:
        """Whether the Gram polynomial takes fewer multiplications than that many Gram matrices."""
        products = self.offsets * (self.offsets + 1) / 2 * self.columns
        return products + 2.0 * frequencies * len(self._half) < frequencies * 4.0 * self.columns

    def grams(self, frequencies: Tensor, *, polynomial: bool) -> Tensor:
        """F F^* at the frequencies: (groups, frequencies, rows, rows)."""
        if not polynomial:
            values = self.values(frequencies)
            return values @ values.mH
        if self._polynomial is None:
            self._polynomial = self._lags()
        constant, even, odd = self._polynomial
        if not self._half:
            return torch.complex(constant, torch.zeros_like(constant))[:, None].expand(-1, len(frequencies), -1, -1)
        phases = self.phases(frequencies, torch.tensor(self._half, device=self.device))
        shape = (len(frequencies), self.groups, self.rows, self.rows)
        real = torch.addmm(constant.reshape(1, -1), phases.real, even).reshape(shape)
        return torch.complex(real, (phases.imag @ odd).reshape(shape)).transpose(0, 1)

    def gram_error(self, *, polynomial: bool) -> float:
        """Upper bound on the spectral norm of what rounding does to one Gram matrix."""
        e = self.phase_error
        if polynomial:
            g = gamma(self.offsets * self.columns + len(self._half) + 4 + _SPARE)
            relative = 2.0 * sum_up((product_up((g, up(1.0 + e))), e))
        else:
            f = sum_up((product_up((gamma(self.offsets + _SPARE), up(1.0 + e))), e))
            g = gamma(2 * self.columns + 2 + _SPARE)
            relative = sum_up((2.0 * f, up(f * f), product_up((2.0 * g, up(1.0 + f), up(1.0 + f)))))
        return product_up((relative, self.absolute))

    def _lags(self) -> tuple[Tensor, Tensor, Tensor]:
        """R_0 (groups, rows, rows), and R_D + R_D', R_D - R_D' over half of the lags, (lags, groups * rows^2)."""
        constant = self._lag((0,) * len(self.grid))
        shape = (len(self._half), self.groups, self.rows, self.rows)
        even = torch.empty(shape, dtype=torch.float64, device=self.device)
        odd = torch.empty_like(even)
        for i, lag in enumerate(self._half):
            product = self._lag(lag)
            even[i], odd[i] = product + product.mT, product - product.mT
        return constant, even.flatten(1), odd.flatten(1)

    def _lag(self, lag: tuple[int, ...]) -> Tensor:
        ahead, behind = self.taps, self.taps
        for axis, (shift, length) in enumerate(zip(lag, self.lengths, strict=True), start=3):
            ahead = ahead.narrow(axis, max(0, shift), length - abs(shift))
            behind = behind.narrow(axis, max(0, -shift), length - abs(shift))
        return ahead.flatten(2) @ behind.flatten(2).mT


def twists(grid: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """All twists by 0 or pi, written 0 or 1, of the axes that have more than one frequency."""
    return itertools.product(*((0, 1) if size > 1 else (0,) for size in grid))


def _roots(size: int) -> Tensor:
    """e^{i pi k / size} for k = 0 .. 2 size - 1, from angles in (-pi, pi]."""
    numerators = torch.arange(2 * size, dtype=torch.float64)
    angles = torch.where(numerators > size, numerators - 2 * size, numerators) * math.pi / size
    return torch.complex(angles.cos(), angles.sin())
