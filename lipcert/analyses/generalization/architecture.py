"""A network as the theorems on norms want it: affine maps with homogeneous activations between them.

A layer is what stands between two activations, one affine map x -> A x + b however many nodes it takes: a convolution
is the full matrix that acts on the image, a preprocessing before it is part of it. Activations must be 1-Lipschitz,
zero at zero, and positively homogeneous: ReLU, leaky ReLU, the absolute value, max pooling without overlap.

Biases are part of the weights. The maps are read as

    A' = [[A, b], [0, 1]],   the last as [A, b],   the input as (x, 1),

whose value is that of the network, because such an activation leaves the constant 1 as it is. Bounds on their norms:

    spectral    norm of [[s, |b|], [0, 1]], and sqrt(s^2 + |b|^2) for the last
    Frobenius   sqrt(F^2 + |b|^2 + 1), and without the 1 for the last
    rows        sum of sqrt(r_i^2 + b_i^2) over the rows, plus 1 but for the last

where s, F and r_i are upper ends of the norms of A and of its rows. A network without any bias stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.norms import frobenius_norm, spectral_norm
from lipcert.norms.base import ENTRY_ERROR
from lipcert.operators import AbstractLinearOperator
from lipcert.operators.fusion import fused, keeps_norms
from lipcert.records import Skipped
from lipcert.rounding import gamma, product_up, sqrt_up, sum_up, up
from lipcert.rules import RULES, LayerNorms

_POOLS = ("max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices", "max_pool2d", "max_pool3d")
_BIAS = 1 + 1e-9  # for the rounding of a bias that several nodes make together
Link = tuple[Node, AbstractLinearOperator]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Upper bounds on the norms of one layer, biases folded in.

    rows     sum of the l2 norms of the rows, the (2, 1) norm of the transpose
    fan_in   columns
    fan_out  rows
    links    nodes and their linear parts, in order; empty where the layer was not read off a network
    """

    spectral: float
    frobenius: float
    rows: float
    fan_in: int
    fan_out: int
    links: tuple[Link, ...] = field(default=(), repr=False, compare=False)


@final
@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The layers in order. Raises ValueError where one of them is zero.

    activations  nodes between the layers: their slopes belong to the family of networks, and may have been trained
    biased       whether biases were folded in, and inputs have one more entry, a 1
    elementwise  whether every activation acts on entries alone: max pooling does not
    failure      probability with which a norm may be wrong
    """

    layers: tuple[Layer, ...]
    activations: tuple[Node, ...] = field(default=(), repr=False, compare=False)
    biased: bool = False
    elementwise: bool = True
    failure: float = 0.0

    def __post_init__(self) -> None:
        if not all(layer.spectral > 0 and math.isfinite(layer.rows) for layer in self.layers):
            raise ValueError("the norm of a layer is zero or not finite")

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @cached_property
    def width(self) -> int:
        """The greatest number of rows or columns of any layer, the input's entries among them."""
        return max(max(layer.fan_in, layer.fan_out) for layer in self.layers)

    @cached_property
    def log_product(self) -> float:
        """Log of the product of the spectral norms."""
        return math.fsum(math.log(layer.spectral) for layer in self.layers)

    @cached_property
    def log_frobenius_product(self) -> float:
        """Log of the product of the Frobenius norms."""
        return math.fsum(math.log(layer.frobenius) for layer in self.layers)

    @cached_property
    def log_phi(self) -> float:
        """Log of (product of s_i^2) times (sum of F_i^2 / s_i^2): the complexity of Neyshabur et al."""
        return 2 * self.log_product + math.log(math.fsum((one.frobenius / one.spectral) ** 2 for one in self.layers))

    @cached_property
    def log_spectral_complexity(self) -> float:
        """Log of R_A, of Bartlett, Foster and Telgarsky (2017), equation 1.2, with reference matrices 0."""
        return spectral_complexity([math.log(one.spectral) for one in self.layers], self.log_rows)

    @property
    def log_rows(self) -> list[float]:
        """Logarithms of the layers' (2, 1) norms."""
        return [math.log(one.rows) for one in self.layers]

    def input_radius(self, radius: float) -> float:
        """Bound on the inputs' l2 norm with the constant entry of a biased network counted."""
        return up(math.hypot(radius, 1.0)) if self.biased else radius


def spectral_complexity(spectral: Sequence[float], rows: Sequence[float]) -> float:
    """Log of (product of s_i) (sum of (b_i / s_i)^(2/3))^(3/2), from logarithms."""
    ratios = math.fsum(math.exp(2 / 3 * (b - s)) for s, b in zip(spectral, rows, strict=True))
    return math.fsum(spectral) + 1.5 * math.log(ratios)


def architecture(norms: LayerNorms) -> Architecture | Skipped:
    """The network as layers, or why the theorems do not cover it."""
    chain = _chain(norms)
    if isinstance(chain, Skipped):
        return chain
    segments, activations = chain
    try:
        biases = [_bias(segment) for segment in segments]
        biased = any(bool(bias.any()) for bias in biases)
        last = len(segments) - 1
        layers = tuple(
            _layer(segment, bias if biased else None, norms, last=i == last)
            for i, (segment, bias) in enumerate(zip(segments, biases, strict=True))
        )
        return Architecture(
            layers=layers,
            activations=activations,
            biased=biased,
            elementwise=not any(node.op in _POOLS for node in activations),
            failure=norms.failure_probability("l2"),
        )
    except NotImplementedError:
        return Skipped(reason="the entries of a layer's matrix are not known")
    except ValueError as error:
        return Skipped(reason=str(error))


def _chain(norms: LayerNorms) -> tuple[list[list[Link]], tuple[Node, ...]] | Skipped:
    """The layers' links, and the activations between them."""
    path, node = [norms.graph.output], norms.graph.output
    while node.op != "input":
        if len(node.inputs) != 1:
            return _refused(node, "branches or products of values, and the theorem is about a chain of layers")
        (node,) = node.inputs
        path.append(node)
    segments: list[list[Link]] = [[]]
    activations: list[Node] = []
    for at in reversed(path[:-1]):
        link = RULES[at.op]().link(at) if at.op in RULES else None
        if link is not None:
            segments[-1].append((at, link))
        elif not _is_homogeneous(at):
            return _refused(at, "not a positively homogeneous 1-Lipschitz activation, as the theorems require")
        else:
            activations.append(at)
            if _only_reshapes(segments[-1]):
                segments[-1].clear()
            else:
                segments.append([])
    if _only_reshapes(segments[-1]):
        return _refused(norms.graph.output, "the logits are not affine in the last activation")
    return segments, tuple(activations)


def _refused(node: Node, reason: str) -> Skipped:
    return Skipped(reason=f"{node.op} at {node.name}: {reason}", operators=(node.op,))


def _is_homogeneous(node: Node) -> bool:
    """Whether the op is 1-Lipschitz in l2, zero at zero, and scales with its input."""
    match node.op:
        case "relu" | "abs":
            return True
        case "leaky_relu":
            return abs(float(node.args[1]) if len(node.args) > 1 else 0.01) <= 1
        case "_prelu_kernel":
            return isinstance(node.args[1], Tensor) and float(node.args[1].abs().max()) <= 1
        case "getitem":
            return node.inputs[0].op in _POOLS and node.args[1] == 0
        case op if op in _POOLS:
            return RULES[op]().constants(node) is None
    return False


def _only_reshapes(segment: Sequence[Link]) -> bool:
    return not fused([link for _, link in segment]) and not _bias(segment).any()


def _bias(segment: Sequence[Link]) -> Tensor:
    """The affine map's value at zero, flat, float64."""
    if not segment:
        return torch.zeros(1, dtype=torch.float64)
    value = torch.zeros(segment[0][0].inputs[0].shape, dtype=torch.float64, device=segment[0][1].device)
    with torch.no_grad():
        for node, _ in segment:
            value = node.run(value)
    return value.flatten().cpu()


def _layer(segment: Sequence[Link], bias: Tensor | None, norms: LayerNorms, *, last: bool) -> Layer:
    """Bounds of the product of the links, then of the layer with its bias."""
    spectral = [_spectral(node, link, norms) for node, link in segment]
    rows = _row_norms(segment[-1][1]) * product_up(spectral[:-1])
    s = min(product_up(spectral), _along(segment, norms))
    f = min(
        product_up((frobenius_upper(link), *spectral[:i], *spectral[i + 1 :])) for i, (_, link) in enumerate(segment)
    )
    fan_in, fan_out = segment[0][1].in_size, segment[-1][1].out_size
    if bias is None:
        total = _summed(rows)
        return Layer(
            spectral=s, frobenius=min(f, total), rows=total, fan_in=fan_in, fan_out=fan_out, links=tuple(segment)
        )
    offset = bias.abs() * _BIAS
    size = up(float(torch.linalg.vector_norm(offset)) * _BIAS)
    one = 0 if last else 1
    return Layer(
        spectral=augmented(s, size, last=last),
        frobenius=sqrt_up(sum_up((product_up((f, f)), product_up((size, size)), float(one)))),
        rows=_summed(torch.hypot(rows, offset)) + one,
        fan_in=fan_in + 1,
        fan_out=fan_out + one,
        links=tuple(segment),
    )


def augmented(spectral: float, bias: float, *, last: bool) -> float:
    """Upper bound on the norm of a layer with its bias, from the norms of both: see the head of this file.

    The square of the norm of [[s, b], [0, 1]] is the larger root of t^2 - (s^2 + b^2 + 1) t + s^2.
    """
    s, b = product_up((spectral, spectral)), product_up((bias, bias))
    if last:
        return sqrt_up(sum_up((s, b)))
    total = sum_up((s, b, 1.0))
    # (s + b + 1)^2 - 4 s without cancellation
    root = sqrt_up(sum_up((product_up((b, b)), product_up((2.0, b, up(s + 1))), up(up((s - 1) ** 2) * _BIAS))))
    return sqrt_up(up((total + root) / 2))


def _spectral(node: Node, link: AbstractLinearOperator, norms: LayerNorms) -> float:
    if norms.operator(node) is not None:
        return norms.upper(node, "l2")
    if not fused([link]) or (link.in_size == link.out_size and keeps_norms(link) and not hasattr(link, "scale")):
        return 1.0
    upper = spectral_norm(link, effort=norms.effort, seed=norms.seed, failure=0.0).upper
    assert upper is not None
    return upper


def _along(segment: Sequence[Link], norms: LayerNorms) -> float:
    """The bound through the norm of the whole chain, where it is exactly this layer."""
    chain = norms.chain_to(segment[-1][0])
    if chain is None or "l2" not in chain.norms or chain.source is not segment[0][0].inputs[0]:
        return math.inf
    upper = chain.norms["l2"].upper
    return math.inf if upper is None else upper


def frobenius_upper(link: AbstractLinearOperator) -> float:
    """Upper end of the Frobenius norm."""
    upper = frobenius_norm(link).upper
    assert upper is not None
    return upper


def _row_norms(link: AbstractLinearOperator) -> Tensor:
    """Upper bounds on the l2 norms of the rows, flat."""
    squared = link.powered(2)
    ones = torch.ones(1, *squared.in_shape, dtype=torch.float64, device=squared.device)
    squares = squared.apply(ones).flatten().cpu()
    terms = max(link.terms, squared.terms) + 16
    return squares.sqrt() * up(1 + gamma(terms) + 4 * max(link.depth, 1) * ENTRY_ERROR) + 1e-150


def _summed(rows: Tensor) -> float:
    return up(float(rows.sum()) * up(1 + gamma(len(rows) + 4)))
