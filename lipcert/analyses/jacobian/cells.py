"""Distance from each sample to the nearest wall of its linear region.

Inside the region a wall function a is affine, so in l2 its zero lies |a(x)| / |grad a|_2 away, and the nearest wall is
the least of these. With n walls that takes n gradients a sample; here it takes far fewer:

* the squares of m derivatives of all walls at once, along Gaussian directions, are |grad a|^2 times a chi-square number
  with m degrees of freedom, which is below m c only with a stated tiny probability: an upper bound on every gradient;
* walls are then looked at one by one, the one that may be nearest first, until none left can be nearer.

With few input entries the m directions are the axes themselves, and every gradient is exact.

Source: the distance, Croce & Hein, arXiv 1810.07481, and Hein & Andriushchenko, arXiv 1705.08475, for regions of ReLU
nets; the search is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from scipy import special
from torch import Tensor

from lipcert.analyses.jacobian.walls import Walls

AXES = 256
"""Up to so many input entries all gradients are computed."""

PROBES = 128
_LOOKS = 64
_ROWS = 128  # copies of samples in one pass
_RISK = 1e-12  # that the bound on one gradient is too small


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cells:
    """Distances to the nearest wall.

    radius               (N,) float64, infinite where there is no wall
    decided              (N,) whether the nearest wall was found; else `radius` is below the distance to it
    walls                wall functions a sample
    failure_probability  that any `radius` is above the true distance, but for rounding
    """

    radius: Tensor
    decided: Tensor
    walls: int
    failure_probability: float


def cell_radii(walls: Walls, x: Tensor, *, seed: int = 0) -> Cells:
    """The l2 distances of the samples `x`, in float64, to the nearest zero of the wall functions."""
    size = x[0].numel()
    exact = size <= AXES
    values, squares = _squares(walls, x, _axes(x) if exact else _gaussian(x, seed))
    count = values.shape[1]
    if count == 0:
        nothing = torch.full((len(x),), torch.inf, dtype=torch.float64, device=x.device)
        return Cells(radius=nothing, decided=nothing > 0, walls=0, failure_probability=0.0)
    if exact:
        radius = _distance(values, squares.sqrt()).amin(dim=1)
        return Cells(radius=radius, decided=radius >= 0, walls=count, failure_probability=0.0)
    # squares / (m c) >= |grad a|^2 but for a probability of _RISK a wall, each sample's walls on their own.
    upper = (squares / (2 * special.gammaincinv(PROBES / 2, _RISK))).sqrt()
    radius, decided = _search(walls, x, _distance(values, upper))
    return Cells(radius=radius, decided=decided, walls=count, failure_probability=min(1.0, _RISK * values.numel()))


def _axes(x: Tensor) -> Tensor:
    """One step along each input entry, shape (D, *input_shape)."""
    size = x[0].numel()
    return torch.eye(size, dtype=x.dtype, device=x.device).reshape(size, *x.shape[1:])


def _gaussian(x: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(PROBES, *x.shape[1:], dtype=torch.float64, generator=generator).to(x)


def _squares(walls: Walls, x: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Wall functions at x, and the sums of the squares of their derivatives along the directions, both (N, walls)."""
    with torch.no_grad():
        values = walls(x)
        total = torch.zeros_like(values)
        for part in directions.split(max(1, _ROWS // len(x))):
            many = x.repeat(len(part), *[1] * (x.ndim - 1))
            slopes = torch.func.jvp(walls, (many,), (part.repeat_interleave(len(x), dim=0),))[1]
            total += slopes.square().reshape(len(part), *values.shape).sum(dim=0)
    return values, total


def _distance(values: Tensor, lengths: Tensor) -> Tensor:
    """|a| / |grad a|; infinite for a function that is constant in the region."""
    return torch.where(lengths > 0, values.abs() / lengths, torch.inf)


def _search(walls: Walls, x: Tensor, bounds: Tensor) -> tuple[Tensor, Tensor]:
    """The least distance to a wall given a lower bound on each, and whether no wall left can be nearer."""
    point = x.detach().requires_grad_()
    with torch.enable_grad():
        values = walls(point)
    order = bounds.topk(min(_LOOKS + 1, bounds.shape[1]), dim=1, largest=False)
    nearest = torch.full((len(x),), torch.inf, dtype=torch.float64, device=x.device)
    for look in range(min(_LOOKS, bounds.shape[1])):
        if bool((nearest <= order.values[:, look]).all()):
            break
        nearest = torch.minimum(nearest, _looked_at(values, point, order.indices[:, look]))
    left = order.values[:, -1] if bounds.shape[1] > _LOOKS else torch.full_like(nearest, torch.inf)
    return torch.minimum(nearest, left), nearest <= left


def _looked_at(values: Tensor, point: Tensor, chosen: Tensor) -> Tensor:
    """Exact distance to one wall of each sample."""
    one = torch.zeros_like(values).scatter_(1, chosen[:, None], 1.0)
    (gradient,) = torch.autograd.grad(values, point, one, retain_graph=True, materialize_grads=True)
    at = values.detach().gather(1, chosen[:, None])[:, 0]
    return _distance(at, gradient.flatten(1).norm(dim=1))
