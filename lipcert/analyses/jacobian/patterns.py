"""The largest norm that sign patterns give: what an operator norm from or to a cube comes to, exactly.

A convex function on a cube is largest at a corner, so ||J||_{p -> 1} is the largest ||J's||_{p*} over s in {-1, 1}^K.
In l1 a pattern is put together from two halves, s = (t, u) with J's = a(t) + b(u), and |a + b| = 2 max(a, -b) - a + b:
one maximum and one sum an entry and pattern, and all entries' signs are tried at no product's cost.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import vector_norm
from lipcert.rounding import gamma

_BYTES, _TILE = 2**21, 512
_SINGLE = 2.0**-24


def largest_pattern(matrices: Tensor, exponent: float) -> Tensor:
    """The largest ||J's||_r over s in {-1, 1}^K for each J of shape (N, K, D), float64, to its rounding; shape (N,)."""
    rows = matrices.shape[1]
    if exponent == 2:
        signs = sign_patterns(rows).to(matrices)
        gram = matrices @ matrices.mT
        return ((signs @ gram) * signs).sum(dim=2).amax(dim=1).clamp_min(0).sqrt()
    if exponent == 1:
        return _largest_in_l1(matrices)
    signs = sign_patterns(rows).to(matrices)
    size = max(1, _BYTES // (8 * matrices.shape[2]))
    values = [
        torch.stack([vector_norm(part @ one, exponent).amax() for part in signs.split(size)]).amax() for one in matrices
    ]
    return torch.stack(values) if values else matrices.new_zeros(0)


def sign_patterns(length: int) -> Tensor:
    """All s in {-1, 1}^length with s_0 = 1, one a row: -s gives what s gives."""
    return torch.cat([torch.ones(2 ** (length - 1), 1, dtype=torch.float64), _corners(length - 1)], dim=1)


def _corners(length: int) -> Tensor:
    """All of {-1, 1}^length, one a row."""
    corners = list(itertools.product((1.0, -1.0), repeat=length))
    return torch.tensor(corners, dtype=torch.float64).reshape(2**length, length)


def _largest_in_l1(matrices: Tensor) -> Tensor:
    """Every pattern in float32, and those that may be the best once more in float64.

    A value in float32 is off by at most 4 gamma(K + T + D / T + 8) sum |entries| for tiles of T columns: a and b are
    sums of K entries rounded once, |max(a, -b)|, |a| and |b| are below the column's sum of absolute entries, and a sum
    goes over the columns of a tile and then over tiles.
    """
    scale = matrices.abs().amax(dim=(1, 2), keepdim=True)
    scaled = matrices / torch.where(scale > 0, scale, 1.0)
    rows, columns = matrices.shape[1:]
    room = matrices.new_empty(max(_BYTES // 4, 2 ** (rows - max(1, rows // 2)) * _TILE), dtype=torch.float32)
    tiles = scaled.to(torch.float32).split(_TILE, dim=2)
    values = torch.stack([_screen(tile, room) for tile in tiles]).sum(dim=0)
    terms = rows + min(columns, _TILE) + columns // _TILE + 8
    off = 4 * gamma(terms, _SINGLE) * scaled.abs().sum(dim=(1, 2))
    samples, patterns = (values >= (values.amax(dim=1) - 2 * off)[:, None]).nonzero(as_tuple=True)
    signs = sign_patterns(rows).to(matrices)[patterns]
    best = torch.zeros(len(matrices), dtype=matrices.dtype, device=matrices.device)
    size = max(1, _BYTES // (8 * rows * columns))
    for which, chosen in zip(samples.split(size), signs.split(size), strict=True):
        sums = (chosen[:, None, :] @ scaled[which])[:, 0].abs().sum(dim=1)
        best.scatter_reduce_(0, which, sums, "amax")
    return best * scale[:, 0, 0]


def _screen(matrices: Tensor, room: Tensor) -> Tensor:
    """||J's||_1 for every pattern in the order of `sign_patterns`, shape (N, patterns), in the arithmetic of J.

    room  entries to work in: memory that is already there is several times as fast
    """
    count, rows, columns = matrices.shape
    cut = max(1, rows // 2)
    first, second = sign_patterns(cut).to(matrices), _corners(rows - cut).to(matrices)
    a, flipped = first @ matrices[:, :cut], -(second @ matrices[:, cut:])
    most = len(room) // (len(second) * columns)
    block, group = min(len(first), most), max(1, most // len(first))
    values = matrices.new_empty(count, len(first), len(second))
    for start in range(0, count, group):
        some = slice(start, start + group)
        for low in range(0, len(first), block):
            part = slice(low, low + block)
            left, right = a[some, part, None], flipped[some, None]
            shape = (*left.shape[:2], len(second), columns)
            space = room[: math.prod(shape)].view(shape)
            torch.maximum(left, right, out=space)
            torch.sum(space, dim=3, out=values[some, part])
    return (2 * values - a.sum(dim=2)[:, :, None] - flipped.sum(dim=2)[:, None]).flatten(1)
