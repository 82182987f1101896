"""What bounds from noise resilience are made of: how long the values in the network are, and what noise there does.

At the output h_i of each layer, and at the input itself,

    activation    |h_i|
    jacobian      |J_i|, the spectral norm of the derivative of the logits with respect to h_i
    sensitivity   |J_i| |h_i| / |logits|: how much a small relative error at h_i can grow, relative to the logits

These are the quantities of Wei and Ma (2019) and Nagarajan and Kolter (2019); their bounds are not computed here. All
are measured at samples, by one backward pass a class, and exact there up to rounding.

Source: Wei, Ma, NeurIPS 2019 (arXiv 1905.03684); Nagarajan, Kolter, ICLR 2019 (arXiv 1905.13344); Arora et al., ICML
2018, for the cushions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.generalization.all_layer_margin import spread
from lipcert.analyses.generalization.hidden import weight_layers
from lipcert.analyses.generalization.posterior_weights import multiplications, pass_seconds
from lipcert.deadline import Deadline
from lipcert.graph import Graph
from lipcert.graph.intermediate import values_of
from lipcert.records import Effort, ResilienceRecord, Skipped, Split
from lipcert.samples import Samples

SAMPLES, CLASSES = 64, 100
_SECONDS: dict[Effort, float] = {"fast": 2.0, "default": 5.0, "high": 60.0}  # nominal: the same on every machine
_ENTRIES = 2**24  # numbers that the derivatives of one batch may hold


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Place:
    """One place in the network at each of N samples: three columns of shape (N,), as the head of this file has them."""

    activation: Tensor
    jacobian: Tensor
    sensitivity: Tensor


def noise_resilience(
    graph: Graph,
    samples: Samples,
    *,
    split: Split,
    effort: Effort = "default",
    seed: int = 0,
    deadline: Deadline | None = None,
) -> tuple[ResilienceRecord, ...] | Skipped:
    """One record a place, the input first, at up to 64 samples evenly through the file."""
    end = deadline or Deadline()
    if graph.classes > CLASSES:
        return Skipped(reason=f"{graph.classes} classes take a backward pass each, and {CLASSES} are the limit")
    each = 2 * (graph.classes + 1) * (pass_seconds(0, multiplications(graph)) - pass_seconds(0, 0))
    count = min(len(samples), SAMPLES, int(_SECONDS[effort] / each) if each else SAMPLES)
    if not count:
        return Skipped(reason=f"derivatives at the layers cost more than effort {effort} allows")
    nodes = (graph.nodes[0], *weight_layers(graph))
    entries = graph.classes * sum(node.shape.numel() for node in nodes)
    parts = list[list[Place]]()
    for rows in spread(len(samples), count).split(max(1, _ENTRIES // entries)):
        if end.passed and parts:
            break
        parts.append(places(graph, samples.inputs[rows]))
    names = ("input", *(node.name for node in nodes[1:]))
    columns = zip(names, zip(*parts, strict=True), strict=True)
    return tuple(_record(name, found, split, seed) for name, found in columns)


def places(graph: Graph, inputs: Tensor) -> list[Place]:
    """What is measured at the input and at the output of each layer, for a batch."""
    x = inputs.to(device=graph.device, dtype=graph.dtype).requires_grad_()
    with torch.enable_grad():
        *inner, logits = values_of(graph, (*weight_layers(graph), graph.output), x)
        values = [x, *inner]
        rows = [_slopes(logits[:, k].sum(), values) for k in range(logits.shape[1])]
    size = logits.detach().norm(dim=1)
    found = []
    for place, value in enumerate(values):
        jacobian = torch.stack([row[place] for row in rows], dim=1)
        norm = torch.linalg.matrix_norm(jacobian @ jacobian.mT, 2).clamp_min(0).sqrt()
        length = value.detach().flatten(1).norm(dim=1)
        found.append(Place(activation=length, jacobian=norm, sensitivity=norm * length / size.clamp_min(1e-300)))
    return found


def _slopes(total: Tensor, values: list[Tensor]) -> list[Tensor]:
    gradients = torch.autograd.grad(total, values, retain_graph=True, materialize_grads=True)
    return [gradient.flatten(1) for gradient in gradients]


def _record(name: str, found: tuple[Place, ...], split: Split, seed: int) -> ResilienceRecord:
    return ResilienceRecord(
        place=name,
        split=split,
        activation=summarise(torch.cat([one.activation for one in found]), seed=seed),
        jacobian=summarise(torch.cat([one.jacobian for one in found]), seed=seed),
        sensitivity=summarise(torch.cat([one.sensitivity for one in found]), seed=seed),
    )
