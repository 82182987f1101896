"""By how much each weight of a network has to shrink for its layers to keep their caps."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from torch import Tensor

from lipcert.errors import RefusedModelError, UsageError
from lipcert.export.weights import LayerWeight, check_writable, layer_weights
from lipcert.graph import Graph
from lipcert.records import Effort, Enclosure
from lipcert.rules import RULES, LayerNorms

TOLERANCE = 1e-6
"""A capped layer's certified norm is at most beta (1 + TOLERANCE)."""

MARGINS = (0.0, 2.0**-20, 2.0**-9, 2.0**-6)
"""How far to stay below a cap, tried in turn: float32 as a rule needs none, float16 and bfloat16 the last two."""


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """The layers of a graph and their spectral norms at their true input size, batch norms folded in, in order."""

    layers: tuple[LayerWeight, ...]
    norms: dict[str, Enclosure]
    descriptions: dict[str, str]
    known: LayerNorms


def measure(graph: Graph, effort: Effort, seed: int) -> Measured:
    """The certified norm of every linear and convolution layer."""
    known = LayerNorms(graph, effort=effort, seed=seed)
    folded = {node.name: node for node in known.graph.nodes}
    norms, descriptions = dict[str, Enclosure](), dict[str, str]()
    layers = tuple(layer for layer in layer_weights(graph) if known.operator(folded[layer.node.name]) is not None)
    for layer in layers:
        node = folded[layer.node.name]
        norms[layer.node.name] = known.norm(node, "l2")
        descriptions[layer.node.name] = RULES[node.op]().geometry(node).description
    return Measured(layers=layers, norms=norms, descriptions=descriptions, known=known)


def caps(measured: Measured, beta: float | None, own: Mapping[str, float]) -> dict[str, float]:
    """Layer name -> its cap. Raises UsageError on a name that is no layer, RefusedModelError without layers."""
    names = [layer.node.name for layer in measured.layers]
    if not names:
        raise RefusedModelError("the model has no linear or convolution layer with a constant weight")
    for name in own:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"layers: {', '.join(names)}"
            raise UsageError(f"--beta names {name!r}, which is no linear or convolution layer of the model", hint=hint)
    every = {} if beta is None else dict.fromkeys(names, beta)
    return every | dict(own)


def factors(
    measured: Measured, limits: Mapping[str, float], graph: Graph, named: Mapping[str, Tensor], margin: float
) -> dict[str, float]:
    """Weight name -> what to multiply it by, for those that are to change.

    A weight that several layers share is scaled once, by what the most demanding of them needs.
    margin  how far, relatively, to stay below the caps: a weight is rounded after it is scaled
    """
    found, wanted = dict[str, float](), dict[str, str]()
    for layer in measured.layers:
        name, limit = layer.node.name, limits.get(layer.node.name)
        upper = measured.norms[name].upper
        assert upper is not None
        if limit is None or upper <= limit:
            continue
        wanted[name] = layer.weight
        found[layer.weight] = min(found.get(layer.weight, 1.0), limit * (1 - margin) / upper)
    check_writable(wanted, measured.layers, graph, named)
    return found


def exceeded(measured: Measured, limits: Mapping[str, float]) -> Sequence[str]:
    """Layers whose certified norm is above the cap and its tolerance."""
    return [name for name, limit in limits.items() if (measured.norms[name].upper or 0.0) > limit * (1 + TOLERANCE)]
