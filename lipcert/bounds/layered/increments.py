"""The ellipsoid of all increments a network's values can take, carried from the input to the logits.

Let d move by the increments of some live values, |w . d|^2 <= w'Pw for all w (see `covariance`).

* Affine: z = W a has W P W'.
* Activation: v = f(u) entry by entry with slopes in [0, 1] has (v, u) with 2 v'L(u - v) >= 0 for every diagonal L >= 0.
  With R above the matrix of u: 2 v'Lv - v'LRLv <= 2 v'Lu - (Lv)'R(Lv) <= u'R^-1 u <= 1, so v has (2L - LRL)^-1 where
  that is positive definite. Together with what else is live, s with matrix P and G = P W' for u = W s:

      (s, v)  has  [[P, 0], [0, 0]] + K (2L - LRL)^-1 K'   with K = [G L; I],

  which is the inverse of [[P^-1, -W'L], [-LW, 2L]]. Slopes in [a, b]: f(u) = a u + (b - a) g(u), g with slopes [0, 1].
* Anything else with a Lipschitz constant c from what it reads: a ball of radius c times the inputs' own. A ball beside
  other live values s with P: [[2P, 0], [0, 2 r^2 I]], as each part is at most a half.

With L = I / lambda_max(R) this is the closed form of ECLipsE-Fast (Xu & Sivaranjani, arXiv 2404.04375, for chains of
fully connected layers); diagonal L is the layered relaxation of LipSDP (Fazlyab et al., arXiv 1906.04893).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.layered.covariance import (
    UNDERFLOW,
    above,
    congruence,
    estimate,
    finite,
    frobenius,
    inverse_above,
    largest,
    loss,
)
from lipcert.bounds.layered.expression import Expression
from lipcert.rounding import UNIT_ROUNDOFF, product_up, sqrt_up, sum_up, up

_STILL = 1e-6
_STIFF = 1e8
Multipliers = Callable[[Tensor], Tensor]
Image = Callable[[Expression], Tensor]


@final
class Increments:
    """The ellipsoid of the atoms in use.

    sizes  number of the atom -> its size, in the order of the rows of `covariance`
    """

    def __init__(self, covariance: Tensor | None, unit: Expression, image: Image | None = None) -> None:
        """Start with one atom, `unit`, of this matrix (B, n, n), or with the images of `unit`'s expressions."""
        ((number, part),) = unit.parts.items()
        self.sizes = {number: part.shape[1]}
        self._written, self._unit, self._image, self._next = covariance, unit, image, number + 1
        self._untouched, self._seen = True, dict[Expression, Tensor]()

    @classmethod
    def ball(cls, radius: float, unit: Expression) -> Increments:
        """One atom whose increments have length at most `radius`."""
        (part,) = unit.parts.values()
        return cls(product_up((radius, radius)) * part, unit)

    def copy(self) -> Increments:
        """The same ellipsoid, to be carried on apart; what is known of the first atom's images is shared."""
        other = copy.copy(self)
        other.sizes = dict(self.sizes)
        return other

    @property
    def covariance(self) -> Tensor:
        """The matrix of all atoms, (B, n, n)."""
        if self._written is None:
            assert self._image is not None
            self._written = self._image(self._unit)
        return self._written

    @covariance.setter
    def covariance(self, matrix: Tensor) -> None:
        self._written = matrix
        self._untouched = False

    def of(self, value: Expression) -> Tensor:
        """Above the matrix of an expression's increments."""
        if not self._untouched:
            return congruence(value.matrix, value.error, self._block(list(value.parts)))
        # Before the first activation the image is the same on every walk from here.
        if value not in self._seen:
            make = self._image or (lambda v: congruence(v.matrix, v.error, self.covariance))
            self._seen[value] = make(value)
        return self._seen[value]

    def keep(self, numbers: Sequence[int]) -> None:
        """Drop every other atom."""
        kept = [n for n in self.sizes if n in set(numbers)]
        if len(kept) < len(self.sizes):
            self.covariance = self._block(kept)
            self.sizes = {n: self.sizes[n] for n in kept}

    def collapse(self, value: Expression) -> int:
        """Forget everything but one value, which becomes the atom returned."""
        covariance, number = self.of(value), self._fresh()
        self.sizes, self.covariance = {number: covariance.shape[-1]}, covariance
        return number

    def activate(self, value: Expression, choose: Multipliers, needed: Sequence[int]) -> int | None:
        """Add the atom g(value), g with slopes in [0, 1], and keep `needed` beside it; None where no proof was had."""
        matrix = self.of(value)
        if not finite(matrix):
            return None
        multipliers = choose(matrix)
        inverse = _after(matrix, multipliers)
        if inverse is None:
            return None
        number = self._fresh()
        needed = [n for n in self.sizes if n in set(needed)]
        if needed:
            inverse = self._beside(value, multipliers, inverse, needed)
        self.sizes = {n: self.sizes[n] for n in needed} | {number: matrix.shape[-1]}
        self.covariance = inverse
        return number

    def deviate(  # noqa: PLR0917  what deviates, by how much, and what stays
        self, value: Expression, choose: Multipliers, owner: Tensor, reach: float, needed: Sequence[int], size: int
    ) -> int | None:
        """Add the atom w of `size` numbers with w_j^2 <= reach times the squares of the entries of `value` it owns.

        With diagonal D and E = D times the matrix of `value`, D alike where `owner` is: w'Lw <= |E s|^2 for
        L = D^2 / reach at each w_j, and s'P^-1 s <= 1, so s'(P^-1 - E'E) s + w'Lw <= 1. Hence the matrix of (s, w) is

            [[P + K (I - E P E')^-1 K', 0], [0, reach / D^2]]    with K = P E',    where I - E P E' is positive definite

        (by the formula of Sherman, Morrison and Woodbury). None where no proof was had.

        owner   which multiplier each entry of `value` has; w's own are these over and over
        needed  atoms to keep beside w
        """
        matrix = self.of(value)
        if not finite(matrix):
            return None
        many = int(owner.max()) + 1
        least = torch.full((many,), torch.inf, dtype=torch.float64, device=matrix.device)
        least = least.scatter_reduce(0, owner.to(matrix.device), choose(matrix), "amin")
        # Where all of a window moves alike, w would be nothing, and what D makes of rounding everything.
        root = least.clamp_max(_STIFF / max(frobenius(self.covariance), 1e-280)).sqrt()
        factors = root[owner.to(matrix.device)]
        scaled = factors[:, None] * matrix * factors
        unit = torch.eye(len(factors), dtype=scaled.dtype, device=scaled.device)
        inverse = inverse_above(unit - scaled, product_up((4 * UNIT_ROUNDOFF, sum_up((frobenius(scaled), 2.0)))))
        if inverse is None:
            return None
        number = self._fresh()
        needed = [n for n in self.sizes if n in set(needed)]
        spread = self._widened(value, factors, inverse, needed)
        own = torch.diag((reach * (1 + 16 * UNIT_ROUNDOFF) / root.square()).repeat(size // many)).to(spread.dtype)
        count = spread.shape[-1]
        joint = torch.nn.functional.pad(spread, (0, size, 0, size))
        joint[:, count:, count:] = own
        self.covariance, self.sizes = joint, {n: self.sizes[n] for n in needed} | {number: size}
        return number

    def add_ball(self, radius: float, size: int, needed: Sequence[int]) -> int:
        """Add an atom whose increments have length at most `radius`, and keep `needed` beside it."""
        self.keep(needed)
        number, factor = self._fresh(), 2.0 if self.sizes else 1.0
        disc = _disc(product_up((factor, radius, radius)), size, self.covariance[:, :1, :1])
        count = self.covariance.shape[-1]
        joint = torch.zeros(len(disc), count + size, count + size, dtype=disc.dtype, device=disc.device)
        joint[:, :count, :count], joint[:, count:, count:] = factor * self.covariance, disc
        self.covariance, self.sizes = joint, {**self.sizes, number: size}
        return number

    def _fresh(self) -> int:
        number, self._next = self._next, self._next + 1
        return number

    def _rows(self, numbers: Sequence[int]) -> Tensor:
        """Where the atoms stand in the matrix."""
        starts, at = {}, 0
        for number, size in self.sizes.items():
            starts[number] = at
            at += size
        places = [place for n in numbers for place in range(starts[n], starts[n] + self.sizes[n])]
        return torch.tensor(places, dtype=torch.long, device=self.covariance.device)

    def _block(self, numbers: Sequence[int]) -> Tensor:
        if list(numbers) == list(self.sizes):
            return self.covariance
        rows = self._rows(numbers)
        return self.covariance[:, rows][:, :, rows]

    def _widened(self, value: Expression, factors: Tensor, inverse: Tensor, needed: Sequence[int]) -> Tensor:
        """Above P + K S K' for the needed atoms, K = P W' D."""
        rows = self._rows(needed)
        top, error = self._across(value, factors, rows)
        spread = congruence(top, error, inverse) + self.covariance[:, rows][:, :, rows]
        return above(spread, product_up((2 * UNIT_ROUNDOFF, frobenius(spread))))

    def _across(self, value: Expression, multipliers: Tensor, rows: Tensor) -> tuple[Tensor, float]:
        """P W' D for some rows of P, and how far it may be from that."""
        weight = value.matrix
        across = self.covariance[:, rows][:, :, self._rows(list(value.parts))]
        top = (across @ weight.mH) * multipliers
        length, most = frobenius(across), up(float(multipliers.detach().max()))
        lost = product_up((loss(top, weight.shape[-1] + 2), length, frobenius(weight)))
        return top, product_up((most, sum_up((lost, product_up((length, value.error)), UNDERFLOW))))

    def _beside(self, value: Expression, multipliers: Tensor, inverse: Tensor, needed: Sequence[int]) -> Tensor:
        """The matrix of (needed atoms, new atom)."""
        rows = self._rows(needed)
        top, error = self._across(value, multipliers, rows)
        unit = torch.eye(len(multipliers), dtype=top.dtype, device=top.device).expand(len(top), -1, -1)
        spread = congruence(torch.cat([top, unit], dim=1), error, inverse)
        old = self.covariance[:, rows][:, :, rows]
        extra = len(multipliers)
        spread = spread + torch.nn.functional.pad(old, (0, extra, 0, extra))
        return above(spread, product_up((2 * UNIT_ROUNDOFF, frobenius(spread))))


def _disc(square: float, size: int, blocks: Tensor) -> Tensor:
    unit = torch.eye(size, dtype=blocks.dtype, device=blocks.device)
    return (square * unit).expand(len(blocks), -1, -1)


def _after(matrix: Tensor, multipliers: Tensor) -> Tensor | None:
    """Above (2L - LRL)^-1."""
    scaled = multipliers[:, None] * matrix * multipliers
    schur = torch.diag(2 * multipliers) - scaled
    error = product_up((4 * UNIT_ROUNDOFF, sum_up((frobenius(scaled), 2 * float(multipliers.detach().max())))))
    return inverse_above(schur, error)


def isotropic(matrix: Tensor) -> Tensor:
    """L = I / lambda_max(R)."""
    top = max(estimate(matrix), 1e-300)
    return torch.full((matrix.shape[-1],), 1.0 / top, dtype=torch.float64, device=matrix.device)


def equalised(matrix: Tensor) -> Tensor:
    """L = D / lambda_max(D^(1/2) R D^(1/2)) with D = 1 / diag(R): the best there is where R is diagonal."""
    squares = matrix.diagonal(dim1=-2, dim2=-1).real.amax(dim=0)
    # A unit that hardly moves would take a multiplier so large that nothing could be proved of the others.
    weights = 1.0 / squares.clamp_min(max(_STILL * float(squares.max()), 1e-300))
    root = weights.sqrt()
    return weights * (1.0 / max(estimate(root[:, None] * matrix * root), 1e-300))


def radius(covariance: Tensor) -> float:
    """The largest length of an increment, rounded up."""
    return sqrt_up(largest(covariance))
