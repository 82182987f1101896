"""Values on a torus: convolutions become one small matrix a frequency, whatever the size of the image.

A network of zero-padded convolutions is part of one on a torus large enough that no window reaches around it to
another valid place: there every convolution is circular, and an activation followed by "set all invalid places to 0"
is again a function of each entry with slopes between its own and 0. Where a window reads outside the valid places of a
value that no activation has set to 0 there, that is done first, as an activation with slopes in [0, 1]. So the
ellipsoid of the torus network bounds the increments of the real one, and where the multipliers differ by channel alone
it stays block diagonal in the unitary discrete Fourier transform.

All values are written at the frequencies k of the coarsest grid, of N places an axis. A value whose grid is t times
finer has the frequencies k + N a, a < t, beside each other (aliases), each with all channels. With K(w) the sum of
K[tap] exp(i w (dilation tap - padding)) over the taps, a convolution of stride s takes channel c at alias a to channel
o at alias b by s^(-1/2) K_oc(w) an axis where a = b modulo the coarser ratio, and by 0 elsewhere.

Kernels and multipliers are real, so what holds at a frequency holds at its opposite with all matrices conjugate (and
the aliases in another order): one of the two is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.layered.covariance import frobenius, loss
from lipcert.bounds.layered.expression import Expression, sum_of
from lipcert.bounds.layered.frame import AbstractFrame
from lipcert.bounds.layered.grid import Grid
from lipcert.bounds.layered.kernel import Kernel, kernel_of
from lipcert.bounds.layered.pools import Pool, is_postponed, pool_of, postponed
from lipcert.graph import Node
from lipcert.norms.base import ENTRY_ERROR
from lipcert.operators import DiagonalOperator
from lipcert.rounding import UNIT_ROUNDOFF, product_up, sqrt_up, sum_up
from lipcert.rules.base import RULES
from lipcert.rules.layer_norms import LayerNorms
from lipcert.rules.slopes import Range, gate_range, slope_range


@final
class TorusFrame(AbstractFrame):
    """A block for each of the grid's frequencies; an atom has its channels times its aliases."""

    def __init__(self, norms: LayerNorms, grid: Grid) -> None:
        self.norms, self.grid = norms, grid
        count = len(grid.frequencies[0])
        self.blocks = torch.zeros(count, 1, 1, dtype=torch.complex128, device=norms.graph.device)
        self._cuts = _cuts(grid.nodes, norms)

    def size(self, node: Node) -> int:
        """Channels times aliases."""
        return node.shape[1] * math.prod(self.grid.ratio[node])

    def groups(self, node: Node) -> Tensor:
        """Its channel."""
        return torch.arange(node.shape[1]).repeat(math.prod(self.grid.ratio[node]))

    def column(self, end: float | Tensor, node: Node) -> Tensor:
        """That of its channel, which must have one for all places."""
        values = torch.as_tensor(end, dtype=torch.float64, device=self.blocks.device)
        channels = values.expand(node.shape)[0].flatten(1)[:, 0]
        return channels.repeat(math.prod(self.grid.ratio[node]))[:, None]

    def slopes(self, ends: Range, node: Node) -> tuple[Tensor, Tensor]:
        """Its own and 0, which is what it has at places set to 0."""
        low, high = (self.column(end, node) for end in ends)
        return low.clamp_max(0.0), high.clamp_min(0.0)

    def cut(self, node: Node) -> Node | None:
        """What a window that reads outside the valid places reads, where affine maps left something there."""
        return self._cuts.get(node)

    def express(self, node: Node, known: Mapping[Node, Expression]) -> Expression | None:
        """Through a convolution, a factor a channel, or a sum of two live values."""
        if node.op == "getitem":
            return known[node.inputs[0]] if node.args[1] == 0 else None
        if node.op in {"add", "sub", "rsub"} and len(node.inputs) == 2:
            return sum_of(node, known)
        kernel = kernel_of(node, self.norms)
        if kernel is not None:
            return self._convolved(node, kernel, known[node.inputs[0]])
        scale = channel_scale(node, self.norms)
        if scale is None:
            return None
        scaled = known[node.inputs[0]].scaled(self.column(scale, node))
        return Expression(scaled.parts, sum_up((scaled.error, product_up((ENTRY_ERROR, scaled.length)))))

    def pooled(self, node: Node, pool: Pool, inner: Expression) -> tuple[Expression, Expression, Tensor]:
        """As convolutions; outputs are alike where their channel is."""
        channels = node.shape[1]
        parts = (self._convolved(node, kernel, inner) for kernel in (pool.mean(channels), pool.deviations(channels)))
        mean, deviations = parts
        count = channels * pool.size * math.prod(self.grid.ratio[node])
        return mean, deviations, torch.arange(channels).repeat(count // channels)

    def _convolved(self, node: Node, kernel: Kernel, inner: Expression) -> Expression:
        source = node.inputs[0]
        fine, coarse = self.grid.ratio[source], self.grid.ratio[node]
        sizes = [n * t for n, t in zip(self.grid.size, fine, strict=True)]
        matrix = _folded(kernel.symbol(sizes), self.grid.size, fine, coarse)[self.grid.frequencies[0]]
        entries = kernel.majorant
        taps = 4.0 * math.prod(kernel.weight.shape[2:]) + 32.0 * len(sizes) + 16.0
        relative = product_up((2 * UNIT_ROUNDOFF, taps)) + ENTRY_ERROR
        own = product_up((relative, frobenius(entries[None]), sqrt_up(float(math.prod(coarse))), 1.0 + 1e-9))
        growth = sqrt_up(product_up((float(entries.sum(1).max()), float(entries.sum(0).max()), 1.0 + 1e-9)))
        lost = [product_up((growth, inner.error))]
        parts = {}
        for number, part in inner.parts.items():
            parts[number] = matrix @ part
            length = frobenius(part)
            lost += [product_up((own, length)), product_up((loss(part, part.shape[1]), frobenius(matrix), length))]
        return Expression(parts, sum_up(lost))


def _cuts(nodes: Sequence[Node], norms: LayerNorms) -> dict[Node, Node]:
    """Convolutions that read places which an affine map of the torus may have left other than 0 -> what they read.

    Places outside are 0 in the first value, behind an activation, and in balls. A convolution leaves something there,
    and a maximum the mean of what a torus holds in its window, unless an activation follows that was in front of it.
    """
    left, found, behind = set[Node](), dict[Node, Node](), postponed(nodes)
    for node in nodes[1:]:
        kernel = kernel_of(node, norms)
        if kernel is not None and not kernel.pointwise:
            (source,) = node.inputs
            sizes = zip(source.shape[2:], node.shape[2:], strict=True)
            if source in left and any(kernel.beyond(axis, *pair) for axis, pair in enumerate(sizes)):
                found[node] = source
            left.add(node)
        elif pool_of(node) is not None:
            if node not in behind:
                left.add(node)
        elif is_postponed(node, behind):
            left.update([node] if node.inputs[0] in left else [])
        elif slope_range(node) is None and gate_range(node) is None and any(source in left for source in node.inputs):
            left.add(node)
    return found


def _folded(symbol: Tensor, grid: Sequence[int], fine: Sequence[int], coarse: Sequence[int]) -> Tensor:
    """From (*frequencies of the fine grid, out, in) to (frequencies of the coarsest, out aliases, in aliases).

    Frequency k + N (b + u j) of an axis, u the coarse ratio, joins input alias b + u j to output alias b.
    """
    axes = len(grid)
    strides = [t // u for t, u in zip(fine, coarse, strict=True)]
    split = [m for n, u, s in zip(grid, coarse, strides, strict=True) for m in (s, u, n)]
    outputs, inputs = symbol.shape[-2:]
    blocks = symbol.reshape(*split, outputs, inputs)
    order = [*(3 * i + 2 for i in range(axes)), *(3 * i + 1 for i in range(axes)), *(3 * i for i in range(axes))]
    blocks = blocks.permute(*order, 3 * axes, 3 * axes + 1)
    places, kept, merged = math.prod(grid), math.prod(coarse), math.prod(strides)
    blocks = blocks.reshape(places, kept, merged, outputs, inputs) / math.sqrt(merged)
    result = torch.zeros(places, kept, outputs, *fine, inputs, dtype=symbol.dtype, device=symbol.device)
    for number, alias in enumerate(_indices(coarse)):
        for step, jump in enumerate(_indices(strides)):
            place = tuple(b + u * j for b, u, j in zip(alias, coarse, jump, strict=True))
            target = result[:, number]
            for axis_place in place:
                target = target.select(2, axis_place)
            target.copy_(blocks[:, number, step])
    return result.reshape(places, kept * outputs, math.prod(fine) * inputs)


def _indices(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """All index tuples in row-major order."""
    found: list[tuple[int, ...]] = [()]
    for size in sizes:
        found = [(*head, i) for head in found for i in range(size)]
    return found


def channel_scale(node: Node, norms: LayerNorms) -> Tensor | None:
    """The factor of each channel of a node that scales channels, broadcastable to its shape; None for any other."""
    if len(node.inputs) != 1 or node.op not in RULES:
        return None
    operator = norms.operator(node) or RULES[node.op]().link(node)
    if not isinstance(operator, DiagonalOperator) or node.inputs[0].shape != node.shape:
        return None
    scale = operator.scale
    if scale.numel() == 1:
        return scale.reshape([1] * len(node.shape))
    flat = scale.expand(node.shape)[0].flatten(1)
    return scale if bool((flat == flat[:, :1]).all()) else None
