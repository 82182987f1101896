"""Linear bounds of one node in terms of its inputs, to be composed backwards.

A relaxation is made for N samples from the intervals of a node's inputs. `pull` takes rows a, one functional of the
node's value z each, and gives rows a_i of the inputs x_i and an offset c with

    <a, z> >= sum_i <a_i, x_i> + c - <|a|, slack>      for all x_i in those intervals,

where z is the op in real arithmetic, and a_i and c are what came out of float64 arithmetic. `slack` pays for that
arithmetic: an adjoint computed as fl(A' a) = A' a + e has |e| <= gamma_k |A|' |a|, so it moves <a_i, x_i> by at most
<|a|, gamma_k |A| max |x_i|>. What sums of rows times offsets lose is told apart, by `offset_size`. An upper bound of
<a, z> is minus the lower bound of <-a, z>.

Source: Zhang, Weng, Chen, Hsieh, Daniel, NeurIPS 2018 (CROWN), and section 3.1 of Higham 2002 for the rounding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.rules.interval import Interval

Pulled = tuple[tuple[Tensor | None, ...], Tensor | None]


class AbstractRelaxation(ABC):
    """Linear bounds of one node.

    slack       (N or 1, *entries) as above, or a number
    adjustable  whether `pull` heeds `slopes`
    linear      whether nothing is lost: the bound is an equality but for rounding
    """

    slack: Tensor | float
    adjustable: bool = False
    linear: bool = False

    @property
    @abstractmethod
    def offset_size(self) -> Tensor | None:
        """At least |offset| of each element, (N or 1, *entries); None where there is none."""

    @abstractmethod
    def pull(self, rows: Tensor, slopes: Tensor | None = None) -> Pulled:
        """Rows of each input, and the offset (N or 1, S). None stands for zeros.

        rows    (N or 1, S, *entries(node)); coefficients come as (N or 1, S, *entries(input)), N where they must
        slopes  of adjustable lower bounds, (N, S or 1, *entries(node)); clamped to what is sound
        """


@final
@dataclass(frozen=True, slots=True, eq=False)
class Affine(AbstractRelaxation):
    """Z = sum_i A_i x_i + offset, exactly.

    adjoints  of each input's A_i, (R, *entries(node)) -> (R, *entries(input)); None where the input does not enter
    offset    (1, *entries(node)), or None for zero
    identity  whether every A_i is the identity
    matrix    A_1 written out, (numbers of the value, numbers of the input), where it is at hand
    """

    adjoints: tuple[Callable[[Tensor], Tensor] | None, ...]
    offset: Tensor | None = None
    slack: Tensor | float = 0.0
    identity: bool = False
    matrix: Tensor | None = None

    @property
    def linear(self) -> bool:  # type: ignore[override]
        """Always."""
        return True

    @property
    def offset_size(self) -> Tensor | None:
        """The offset's."""
        return None if self.offset is None else self.offset.abs()

    def pull(self, rows: Tensor, slopes: Tensor | None = None) -> Pulled:
        """Each adjoint on all rows at once."""
        leading, flat = rows.shape[:2], rows.flatten(0, 1)
        pulled = (None if adjoint is None else adjoint(flat) for adjoint in self.adjoints)
        coefficients = tuple(None if rows_ is None else rows_.unflatten(0, leading) for rows_ in pulled)
        return coefficients, None if self.offset is None else inner(rows, self.offset)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Elementwise(AbstractRelaxation):
    """Lower_slope x + lower_offset <= z <= upper_slope x + upper_offset in every element, one input of the same shape.

    Tensors are (N or 1, *entries). Offsets may be None for zero.
    slope_range  where given, z >= s x + lower_offset for every s between its ends, element by element: the lower
                 slope is then adjustable. Both ends equal to the lower slope where only that one is sound.
    exact        lower and upper are the same line everywhere
    """

    lower_slope: Tensor
    upper_slope: Tensor
    lower_offset: Tensor | None = None
    upper_offset: Tensor | None = None
    slack: Tensor | float = 0.0
    slope_range: tuple[Tensor, Tensor] | None = None
    exact: bool = False

    @property
    def linear(self) -> bool:  # type: ignore[override]
        """Where both lines are one."""
        return self.exact

    @property
    def offset_size(self) -> Tensor | None:
        """The larger of both lines'."""
        sizes = [offset.abs() for offset in (self.lower_offset, self.upper_offset) if offset is not None]
        return torch.maximum(*sizes) if len(sizes) == 2 else next(iter(sizes), None)

    @property
    def uncertain(self) -> Tensor:
        """Where the two lines differ, (N or 1, *entries): tighter intervals would change them there."""
        differ = self.lower_slope != self.upper_slope
        if self.lower_offset is not None or self.upper_offset is not None:
            zero = torch.zeros((), dtype=self.lower_slope.dtype, device=self.lower_slope.device)
            low, high = (zero if offset is None else offset for offset in (self.lower_offset, self.upper_offset))
            differ = differ | (low != high)
        return differ

    @property
    def adjustable(self) -> bool:  # type: ignore[override]
        """Whether some lower slope may be chosen."""
        return self.slope_range is not None

    def pull(self, rows: Tensor, slopes: Tensor | None = None) -> Pulled:
        """Positive coefficients take the lower line, negative ones the upper line."""
        if self.exact:
            return (rows * self.lower_slope.unsqueeze(1),), _offset(rows, self.lower_offset)
        positive, negative = rows.clamp_min(0.0), rows.clamp_max(0.0)
        lower = self.lower_slope.unsqueeze(1)
        if slopes is not None and self.slope_range is not None:
            low, high = (end.unsqueeze(1) for end in self.slope_range)
            lower = torch.minimum(torch.maximum(slopes, low), high)
        coefficients = torch.addcmul(positive * lower, negative, self.upper_slope.unsqueeze(1))
        offset = _sum(_offset(positive, self.lower_offset), _offset(negative, self.upper_offset))
        return (coefficients,), offset


@final
@dataclass(frozen=True, slots=True, eq=False)
class Constant(AbstractRelaxation):
    """Lower <= z <= upper and nothing said of the inputs: sound for any op that has an interval.

    inputs  how many inputs the node has
    """

    output: Interval
    inputs: int = 1
    slack: Tensor | float = 0.0

    @property
    def offset_size(self) -> Tensor:
        """The interval's magnitude."""
        return self.output.magnitude

    def pull(self, rows: Tensor, slopes: Tensor | None = None) -> Pulled:
        """No coefficients; the interval's nearer end as the offset."""
        offset = inner(rows.clamp_min(0.0), self.output.lower) + inner(rows.clamp_max(0.0), self.output.upper)
        return (None,) * self.inputs, offset


@final
@dataclass(frozen=True, slots=True, eq=False)
class First(AbstractRelaxation):
    """Bounds in terms of the first input alone, of an op that reads it several times."""

    inner: AbstractRelaxation
    inputs: int

    @property
    def slack(self) -> Tensor | float:  # type: ignore[override]
        """That of the bounds."""
        return self.inner.slack

    @property
    def offset_size(self) -> Tensor | None:
        """That of the bounds."""
        return self.inner.offset_size

    def pull(self, rows: Tensor, slopes: Tensor | None = None) -> Pulled:
        """Nothing goes to the other inputs."""
        (coefficients,), offset = self.inner.pull(rows, slopes)
        return (coefficients, *[None] * (self.inputs - 1)), offset


def _offset(rows: Tensor, offset: Tensor | None) -> Tensor | None:
    return None if offset is None else inner(rows, offset)


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    if first is None or second is None:
        return second if first is None else first
    return first + second


def inner(rows: Tensor, values: Tensor) -> Tensor:
    """<row, value> of each sample: (N or 1, S, *entries) and (N or 1, *entries) -> (N or 1, S)."""
    flat, value = rows.flatten(2), values.flatten(1)
    if len(flat) == 1:
        return value @ flat[0].T
    # This way round the batched product is several times as fast.
    return flat @ value[0] if len(value) == 1 else torch.bmm(value.unsqueeze(1), flat.mT).squeeze(1)
