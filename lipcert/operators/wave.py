"""A start for the search of a convolution's first singular vector: a windowed plane wave from the symbol's peak.

On a large image the first singular vector is close to e^{i w.q} v times half a period of a sine over the image, where w
maximises ||F(w)|| and v is the first right singular vector there. It is only a start: nothing is proved by it.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from lipcert.operators.convolution import ConvolutionOperator
from lipcert.operators.polyphase import PolyphaseKernel, polyphase
from lipcert.operators.symbol import Symbol

_COARSE = {1: 24, 2: 12, 3: 6}
_REFINEMENTS = 4
_POWER_STEPS = 12
# About so many frequencies are looked at.
_GAINS = 100


def plane_wave(operator: ConvolutionOperator) -> Tensor | None:
    """The start vector, shape (*in_shape); None for a zero operator."""
    kernel = polyphase(operator)
    if kernel is None or not bool(kernel.taps.any()):
        return None
    scale = 2.0 ** min(1023, math.frexp(float(kernel.taps.abs().max()))[1])
    angles, group, vector = _peak(kernel, scale)
    return _window(operator, kernel, angles, group, vector)


def _peak(kernel: PolyphaseKernel, scale: float) -> tuple[list[float], int, Tensor]:
    """Angles w of the largest ||F(w)|| found, the group that has it, and the right singular vector there."""
    free = [axis.length > 1 for axis in kernel.axes]
    coarse = _COARSE[len(free)]
    symbol = Symbol(kernel.taps / scale, tuple(coarse if f else 1 for f in free))
    frequencies = symbol.half_grid((0,) * len(free))
    moves = torch.tensor(list(itertools.product(*((-2, 0, 2) if f else (0,) for f in free))), device=frequencies.device)
    group, place, left = _steepest(symbol, frequencies)
    for level in range(1, _REFINEMENTS + 1):
        symbol = symbol.on(tuple(coarse * 2**level if f else 1 for f in free))
        frequencies = 2 * frequencies[place] + moves
        group, place, left = _steepest(symbol, frequencies)
    angles = [math.pi * k / m for k, m in zip(frequencies[place].tolist(), symbol.grid, strict=True)]
    # A transposed symbol is F(-w)', whose left singular vectors are the right ones of F(-w).
    if symbol.transposed:
        return [-w for w in angles], group, left
    return angles, group, symbol.values(frequencies[place][None])[group, 0].mH @ left


def _steepest(symbol: Symbol, frequencies: Tensor) -> tuple[int, int, Tensor]:
    """Group and place of the frequency whose ||F|| power iteration finds largest, and the left singular vector."""
    best, found = -1.0, (0, 0, torch.zeros(symbol.rows, dtype=torch.complex128))
    start = 0
    for chunk in symbol.chunks(frequencies):
        grams = symbol.grams(chunk, polynomial=symbol.polynomial_pays(_GAINS))
        vectors = grams.sum(-1, keepdim=True) + grams.diagonal(dim1=-2, dim2=-1)[..., None]
        for _ in range(_POWER_STEPS):
            vectors = grams @ torch.nn.functional.normalize(vectors, dim=2)
        lengths = vectors.norm(dim=2)[..., 0]
        if float(lengths.max()) > best:
            best = float(lengths.max())
            group, place = divmod(int(lengths.argmax()), len(chunk))
            found = group, start + place, vectors[group, place, :, 0] / best
        start += len(chunk)
    return found


def _window(
    operator: ConvolutionOperator, kernel: PolyphaseKernel, angles: list[float], group: int, vector: Tensor
) -> Tensor:
    """The real part of the wave at the places of part 0, zero elsewhere."""
    device = vector.device
    channels = operator.weight.shape[1]
    wave = vector.reshape(channels, *(axis.phases for axis in kernel.axes))
    for number, (axis, angle) in enumerate(zip(kernel.axes, angles, strict=True)):
        count = axis.columns.shape[1]
        places = torch.arange(count, dtype=torch.float64, device=device)
        turns = torch.polar(torch.sin(math.pi * (places + 1) / (count + 1)), angle * places)
        # The places of an axis follow its phases: (channels, phases, places, phases, ...).
        wave = wave.unsqueeze(2 + 2 * number) * turns.reshape(-1, *[1] * (len(angles) - number - 1))
    wave = wave.real.reshape(channels, *(axis.columns.numel() for axis in kernel.axes))
    # Places that do not exist have index -1, an extra one that is cut off.
    x = torch.zeros(channels, *(size + 1 for size in operator.size), dtype=torch.float64, device=device)
    indices = torch.meshgrid(*(axis.columns.flatten().to(device) for axis in kernel.axes), indexing="ij")
    x.index_put_((torch.arange(channels, device=device).reshape(-1, *[1] * len(angles)), *indices), wave)
    for number, size in enumerate(operator.size, start=1):
        x = x.narrow(number, 0, size)
    start = torch.zeros(operator.in_shape, dtype=torch.float64, device=device)
    start[group * channels : (group + 1) * channels] = x
    return start
