"""From frequencies back to places: the increments of a value on a torus as those of a flat vector."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lipcert.bounds.layered.covariance import above, congruence, frobenius
from lipcert.bounds.layered.expression import Expression
from lipcert.bounds.layered.grid import Grid
from lipcert.graph import Node
from lipcert.rounding import UNIT_ROUNDOFF, gamma, product_up, sqrt_up, sum_up

_BYTES = 2**28


def flatten(covariance: Tensor, node: Node, grid: Grid, value: Expression) -> Tensor:
    """Above the matrix of W z, (1, m, m), for the value z of a node whose matrices on the torus are given.

    value  W, (1, m, size of z), as an expression in one atom, z

    A row w acts on the places p < size of z, so on the frequency k with sum_p w_p exp(2 pi i k p / N) / sqrt(N). Each
    factor is within 8 u of the exact one and the transform is a product with a matrix, so gamma bounds its rounding.
    """
    (rows,) = value.parts.values()
    ratio, (channels, *places) = grid.ratio[node], node.shape[1:]
    sizes = [n * t for n, t in zip(grid.size, ratio, strict=True)]
    step = max(1, _BYTES // (16 * channels * math.prod(sizes)))
    spectra = [_aliased(_transformed(part, channels, places, sizes), grid.size, ratio) for part in rows[0].split(step)]
    kept, multiplicity = grid.frequencies
    weight = torch.cat([spectrum[kept] for spectrum in spectra], dim=1)
    terms = 4 * sum(places) + 32 * len(places)
    relative = product_up((gamma(terms), sqrt_up(float(math.prod(places))), 2.0))
    error = sum_up((value.error, product_up((relative, frobenius(rows)))))
    each = congruence(weight, error, covariance)
    total = (each.real * multiplicity.to(each.device)[:, None, None]).sum(0, keepdim=True)
    rounding = product_up((gamma(len(each) + 1), 2.0 * len(each), frobenius(each)))
    return above(total, sum_up((rounding, product_up((UNIT_ROUNDOFF, frobenius(total))))))


def _transformed(rows: Tensor, channels: int, places: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """(m, channels * places) to (m, channels, *frequencies)."""
    values = rows.reshape(len(rows), channels, *places).to(torch.complex128)
    for place, size in zip(places, sizes, strict=True):
        turns = (torch.arange(size)[:, None] * torch.arange(place)) % size
        waves = torch.polar(
            torch.full((1,), 1 / math.sqrt(size), dtype=torch.float64), turns.double() * (2 * math.pi / size)
        )
        values = torch.tensordot(values, waves.to(values.device), dims=([2], [1]))
    return values


def _aliased(spectrum: Tensor, grid: Sequence[int], ratio: Sequence[int]) -> Tensor:
    """(m, channels, *frequencies) to (coarsest frequencies, m, aliases * channels)."""
    axes = len(grid)
    split = [part for n, t in zip(grid, ratio, strict=True) for part in (t, n)]
    values = spectrum.reshape(*spectrum.shape[:2], *split)
    order = [*(3 + 2 * i for i in range(axes)), 0, *(2 + 2 * i for i in range(axes)), 1]
    return values.permute(order).reshape(math.prod(grid), len(spectrum), -1)
