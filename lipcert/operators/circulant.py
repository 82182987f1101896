"""The largest block of a twisted circulant, and which twist makes it small."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.operators.convolution import ConvolutionOperator
from lipcert.operators.hermitian import Ceiling
from lipcert.operators.polyphase import PolyphaseKernel
from lipcert.operators.symbol import Symbol, twists
from lipcert.rounding import sum_up

_PEAKS = 4
_PROBES = 8
_POWER_STEPS = 12
# A guess this far above an estimate that converges from below is likely to hold.
_HEADROOM = 1e-7


def work(kernel: PolyphaseKernel) -> float:
    """Multiplications for the largest blocks of one twist: factorisations, and the cheaper way to the Gram matrices."""
    groups, *sides = kernel.taps.shape[:3]
    small, large = sorted(map(float, sides))
    offsets = math.prod(axis.length for axis in kernel.axes)
    frequencies = math.prod(kernel.grid) / 2 + 1
    direct = frequencies * 4.0 * small**2 * large
    lagged = offsets**2 / 2 * small**2 * large + frequencies * (2.0 * offsets) ** len(kernel.axes) * small**2
    return groups * (min(direct, lagged) + 4.0 * frequencies * small**3)


def highest(symbol: Symbol, twist: tuple[int, ...], guess: float) -> float:
    """Upper bound on ||F||^2 over the frequencies of a twist and all groups; at least about `guess`."""
    frequencies = symbol.half_grid(twist)
    polynomial = symbol.polynomial_pays(len(frequencies))
    ceiling = Ceiling(guess, symbol.gram_error(polynomial=polynomial))
    for chunk in symbol.chunks(frequencies):
        ceiling.cover(symbol.grams(chunk, polynomial=polynomial).flatten(0, 1))
    return ceiling.value


def highest_of_rows(symbol: Symbol) -> float:
    """Upper bound on ||F||^2 for symbols of one row, each group with the twist that suits it best."""
    best = torch.full((symbol.groups,), math.inf, dtype=torch.float64, device=symbol.device)
    for twist in twists(symbol.grid):
        squares = torch.zeros_like(best)
        for chunk in symbol.chunks(symbol.half_grid(twist)):
            squares = torch.maximum(squares, symbol.grams(chunk, polynomial=False).real.flatten(1).amax(1))
        best = torch.minimum(best, squares)
    return sum_up((float(best.max()), symbol.gram_error(polynomial=False)))


def promising(
    symbol: Symbol, kernel: PolyphaseKernel, operator: ConvolutionOperator, witness: Tensor | None
) -> list[tuple[float, tuple[int, ...]]]:
    """The largest ||F||^2 of each twist near the frequencies of a first singular vector; the smallest comes first.

    Estimates from below, which decide where to look and what to guess, and prove nothing.
    """
    options = list(twists(symbol.grid))
    if witness is None:
        return [(0.0, twist) for twist in options]
    waves = _places(kernel, operator, witness)
    found = []
    for twist in options:
        frequencies = symbol.half_grid(twist)
        energy = _energy(waves, symbol.grid, twist)
        places = (frequencies - torch.tensor(twist, device=frequencies.device)) // 2
        order = energy[tuple(places.unbind(1))].topk(min(_PEAKS, len(frequencies))).indices
        found.append((_peak(symbol, frequencies[order]) * (1.0 + _HEADROOM), twist))
    return sorted(found)


def _places(kernel: PolyphaseKernel, operator: ConvolutionOperator, vector: Tensor) -> Tensor:
    """A few random mixtures of an input's channels, at the places of part 0 and for each phase: (mixtures, *places)."""
    generator = torch.Generator().manual_seed(0)
    signs = torch.randint(0, 2, (_PROBES, vector.shape[0]), generator=generator, dtype=torch.float64) * 2 - 1
    x = (signs.to(vector.device) @ vector.flatten(1)).reshape(_PROBES, *operator.size)
    for axis, split in enumerate(kernel.axes, start=1):
        padded = torch.cat((x, torch.zeros_like(x.narrow(axis, 0, 1))), dim=axis)
        picked = padded.movedim(axis, -1)[..., split.columns.to(x.device)]
        x = picked.movedim(-2, 0).movedim(-1, axis + 1).flatten(0, 1)
    return x


def _energy(waves: Tensor, grid: tuple[int, ...], twist: tuple[int, ...]) -> Tensor:
    """Squared Fourier coefficients at (2 pi j + pi twist) / M on each axis, summed over the mixtures: (*grid)."""
    x = waves.to(torch.complex128)
    for axis, (size, bit) in enumerate(zip(grid, twist, strict=True), start=1):
        if size == 1:
            # All frequencies have the same symbol: the places are as good as mixtures.
            x = x.movedim(axis, 0).flatten(0, 1).unsqueeze(axis)
            continue
        angles = torch.arange(x.shape[axis], dtype=torch.float64, device=x.device) * (-math.pi * bit / size)
        x = torch.fft.fft(x.movedim(axis, -1) * torch.polar(torch.ones_like(angles), angles), n=size).movedim(-1, axis)
    return x.abs().square().sum(0)


def _peak(symbol: Symbol, frequencies: Tensor) -> float:
    """The largest ||F||^2 that power iteration finds at the frequencies, over all groups."""
    best = 0.0
    for chunk in symbol.chunks(frequencies):
        grams = symbol.grams(chunk, polynomial=symbol.polynomial_pays(int(math.prod(symbol.grid)) // 2)).flatten(0, 1)
        vectors = grams.sum(-1, keepdim=True) + grams.diagonal(dim1=-2, dim2=-1)[..., None]
        for _ in range(_POWER_STEPS):
            vectors = grams @ torch.nn.functional.normalize(vectors, dim=1)
        best = max(best, float(vectors.norm(dim=1).max()))
    return best
