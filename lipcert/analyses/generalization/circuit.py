"""Any network whose nodes have Lipschitz constants, and how far noise on its weights moves its logits.

Let x range over a ball of radius R around x_0 that holds every input. For a node v with value v(x), gain g_v from the
input and an enclosure of v(x_0),

    |v(x)| <= N_v = |v(x_0)| + g_v R,      or less where interval bounds over the ball say so.

Let U_i and u_i be added to the matrix and the bias of layer i, |U_i| <= t_i as an operator and |u_i| <= r_i over all
the places it is added at. The change D_v of the value of node v is then at most

    layer i reading h     (s_i + t_i) D_h + t_i N_h + r_i      since (A + U)(h' - h) + U h + u
    any other node        what the node's rule makes of the changes of what it reads

so that sums of branches, concatenations and curved activations are covered alike. With independent Gaussians of
standard deviation sigma_i on every entry of A_i and b_i, all of

    |U| <= sigma (sqrt(rows) + sqrt(columns) + a)      for a matrix,     a = sqrt(2 ln(M / tail)),
    |u| <= sigma (sqrt(entries) + a)                   for a vector

hold together with probability 1 - tail, M their number (Davidson and Szarek 2001, theorem II.13). A convolution with
kernel U, read as the matrix of rows (out) and columns (in x places of the kernel), has an operator norm of at most
sqrt(w) |U|, w the greatest number of windows that hold one entry of the image; with groups, the largest of theirs.

A layer that stands at two places has noise of its own at each: the family of networks is then the one where the two
are free, the network one of it, and its energy is counted at both. Numbers outside of the layers are fixed.py's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import torch
import torch.fx
from torch import Tensor

from lipcert.analyses.generalization.hidden import weight_layers
from lipcert.analyses.generalization.measures import weight_matrix
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Graph, Node
from lipcert.records import Skipped
from lipcert.rounding import product_up, sqrt_up, sum_up, up
from lipcert.rules import RULES, LayerNorms

TAIL = 0.1
_READ = {"addmm": 1}  # position of what a layer is applied to; 0 for all others
# Were the logits moved further by so little noise, the noise allowed could be too small for a float64.
_LITTLE, _LARGEST = 1e-9, 1e200
_SLACK = 1 + 1e-9  # far above the rounding of a sum of squares


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NoisyLayer:
    """A layer, and what noise of standard deviation 1 on its numbers does at most.

    spectral  s, an upper bound
    energy    squared distance of its numbers from the prior's mean, rounded up
    matrix    bound on |U|, in operator norm
    bias      bound on |u| over all places
    """

    node: Node
    spectral: float
    energy: float
    matrix: float
    bias: float


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Circuit:
    """A network as bounds by noise on its layers want it.

    gains    node -> Lipschitz constant input -> node, for all that the logits depend on, in order of execution
    radius   R, l2, of the ball around the centre of the declared range
    centre   node -> bound on its value's length at the centre
    box      node -> bound on its value's length over the declared range, infinite where none is known
    """

    norms: LayerNorms
    gains: Mapping[Node, float]
    layers: tuple[NoisyLayer, ...]
    radius: float
    centre: dict[Node, float]
    box: dict[Node, float]
    _slopes: dict[float, tuple[float, ...]] = field(default_factory=dict, repr=False)
    _factors: dict[Node, float] = field(default_factory=dict, repr=False)

    @cached_property
    def noisy(self) -> frozenset[str]:
        """The graph's constants that layers alone read, and so are under noise wherever they stand."""
        layers = {layer.node.raw for layer in self.layers}
        read: dict[str, set[torch.fx.Node]] = {}
        for raw in self.norms.graph.module.graph.nodes:
            if raw.op == "get_attr":
                read.setdefault(str(raw.target), set()).update(raw.users)
        return frozenset(name for name, users in read.items() if users and users <= layers)

    @cached_property
    def _by_node(self) -> dict[Node, int]:
        return {layer.node: index for index, layer in enumerate(self.layers)}

    def length(self, node: Node, reach: float) -> float:
        """N of a node, where inputs may lie `reach` outside of the declared range."""
        far = sum_up((self.centre[node], product_up((self.gains[node], sum_up((self.radius, reach))))))
        return far if reach else min(far, self.box[node])

    def change(self, noise: Sequence[float], reach: float = 0.0) -> float:
        """How far the logits move at most, in l2, under noise of these standard deviations, one a layer."""
        moved: dict[Node, float] = {}
        for node in self.gains:
            if node in self._by_node:
                layer, sigma = self.layers[self._by_node[node]], noise[self._by_node[node]]
                (source,) = node.inputs
                matrix = product_up((sigma, layer.matrix))
                through = product_up((sum_up((layer.spectral, matrix)), moved[source]))
                fresh = product_up((matrix, self.length(source, reach)))
                moved[node] = sum_up((through, fresh, product_up((sigma, layer.bias))))
            elif node.op == "input":
                moved[node] = 0.0
            else:
                moved[node] = self._passed(node, tuple(moved[source] for source in node.inputs))
        return moved[self.norms.graph.output]

    def slopes(self, reach: float) -> tuple[float, ...]:
        """What each layer's noise alone adds to `change`, to first order, per standard deviation."""
        if reach not in self._slopes:
            tiny, count = _LITTLE, len(self.layers)
            alone = ([tiny * (k == i) for k in range(count)] for i in range(count))
            self._slopes[reach] = tuple(self.change(noise, reach) / tiny for noise in alone)
        return self._slopes[reach]

    def _passed(self, node: Node, changes: tuple[float, ...]) -> float:
        """A node without noise of its own: 0 where nothing that it reads moves."""
        if not any(changes):
            return 0.0
        if len(changes) > 1:
            return RULES[node.op]().gain(node, changes, "l2", self.norms)
        if node not in self._factors:
            self._factors[node] = RULES[node.op]().gain(node, (1.0,), "l2", self.norms)
        return product_up((self._factors[node], changes[0]))


def circuit(
    norms: LayerNorms,
    gains: Mapping[Node, float],
    input_range: tuple[float, float],
    initial: Graph | None = None,
) -> Circuit | Skipped:
    """The network as a circuit, or why it is none.

    gains    in l2, of every node that the logits depend on, in order of execution
    initial  the prior's mean, batch norms folded, in float64; zeros where none is given
    """
    graph, layers = norms.graph, _noisy_layers(norms.graph)
    if not layers:
        return Skipped(reason="no layer has weights")
    if any(node.kwargs for node in layers):
        return Skipped(reason="a layer scales its own terms")
    try:
        centre, box = _lengths(graph, input_range)
    except UnsupportedOperatorError as error:
        return Skipped(reason=error.message, operators=error.operators)
    starts = _noisy_layers(initial) if initial is not None else (None,) * len(layers)
    count = sum(_groups(node) + (_bias(node) is not None) for node in layers)
    away = sqrt_up(2 * math.log(count / TAIL))
    _, half = _middle(input_range)
    found = Circuit(
        norms=norms,
        gains=gains,
        layers=tuple(_layer(norms, node, start, away) for node, start in zip(layers, starts, strict=True)),
        radius=product_up((sqrt_up(float(math.prod(graph.input_shape))), half)),
        centre=centre,
        box=box,
    )
    if not found.change([_LITTLE] * len(layers)) < _LARGEST:
        return Skipped(reason="the values inside the network have no bound")
    return found


def _noisy_layers(graph: Graph) -> tuple[Node, ...]:
    """The layers whose one live value is what their weights are applied to, and not their bias."""
    return tuple(node for node in weight_layers(graph) if isinstance(node.args[_READ.get(node.op, 0)], Node))


def _lengths(graph: Graph, input_range: tuple[float, float]) -> tuple[dict[Node, float], dict[Node, float]]:
    """Bounds on the length of each node's value at the centre of the range, and over all of it."""
    middle, half = _middle(input_range)
    bounder = Bounder(graph, deploy_dtype="real")
    centre = torch.full((1, *graph.input_shape), middle, dtype=torch.float64, device=graph.device)
    theirs = dict(zip(graph.nodes, bounder.plan.graph.nodes, strict=True))
    found = []
    for radius in (0.0, half):
        eps = torch.full((1,), radius, dtype=torch.float64, device=graph.device)
        with torch.no_grad():
            boxes = bounder.intervals(Region(centre, "linf", eps))
        lengths = {node: _length(boxes[twin].magnitude) for node, twin in theirs.items() if twin in boxes}
        found.append({node: lengths.get(node, math.inf) for node in graph.nodes})
    return found[0], found[1]


def _middle(input_range: tuple[float, float]) -> tuple[float, float]:
    """The middle of the range as a float64, and how far from it the range reaches at most."""
    low, high = input_range
    middle = (low + high) / 2
    return middle, up(max(high - middle, middle - low))


def _length(values: Tensor) -> float:
    length = float(torch.linalg.vector_norm(values)) * _SLACK
    return up(length) if math.isfinite(length) else math.inf


def _layer(norms: LayerNorms, node: Node, start: Node | None, away: float) -> NoisyLayer:
    weight, bias = weight_matrix(node), _bias(node)
    assert weight is not None
    origin = None if start is None else weight_matrix(start)
    energy = _square(weight, origin) + _square(bias, None if start is None else _bias(start))
    rows, columns, windows = _shape(node, weight)
    matrix = (math.sqrt(rows) + math.sqrt(columns) + away) * math.sqrt(windows) * _SLACK
    vector = 0.0
    if bias is not None:
        places = node.shape.numel() / bias.numel()
        vector = (math.sqrt(bias.numel()) + away) * math.sqrt(places) * _SLACK
    return NoisyLayer(node=node, spectral=norms.upper(node, "l2"), energy=energy * _SLACK, matrix=matrix, bias=vector)


def _square(values: Tensor | None, origin: Tensor | None) -> float:
    if values is None:
        return 0.0
    values = values.detach().to("cpu", torch.float64)
    return float((values if origin is None else values - origin.detach().to("cpu", torch.float64)).square().sum())


def _shape(node: Node, weight: Tensor) -> tuple[int, int, int]:
    """Rows and columns of the noise of one group, and the greatest number of windows that hold one entry."""
    if node.op != "convolution":
        return (*weight.shape, 1)
    kernel = node.args[1].shape[2:]
    stride, dilation = (_each(node.args[place], len(kernel)) for place in (3, 5))
    windows = [math.ceil(k / s) if d == 1 else k for k, s, d in zip(kernel, stride, dilation, strict=True)]
    return weight.shape[0] // _groups(node), weight.shape[1], math.prod(windows)


def _groups(node: Node) -> int:
    return int(node.args[8]) if node.op == "convolution" else 1


def _each(value: Any, axes: int) -> tuple[int, ...]:
    return tuple(value) if len(value) == axes else tuple(value) * axes


def _bias(node: Node) -> Tensor | None:
    place = {"addmm": 0, "convolution": 2, "linear": 2}.get(node.op)
    found = node.args[place] if place is not None and place < len(node.args) else None
    return found if isinstance(found, Tensor) else None
