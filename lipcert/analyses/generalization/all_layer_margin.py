"""The all-layer margin of Wei and Ma (2020), from above: how little must change at the layers to change the class.

With layers f_1, ..., f_L, each output moved in proportion to the length of the layer's input,

    h_i = f_i(h_{i-1}) + delta_i |h_{i-1}|,        margin = min sqrt(sum |delta_i|^2) over all that change the class,

and 0 for a sample that is wrong already. A search finds some shifts and no least ones, so its result is an upper
bound on the margin; that each of them does change the class is checked. Only outputs of convolutions and dense layers
are moved here, which the definition allows and does not ask for: with fewer places the least is no smaller. How far
above the least it is, nobody knows: heuristic. Beside the search the least shift of the logits alone is tried.

Source: Wei, Ma, ICLR 2020 (arXiv 1910.04284), equation 2.1. The search is that of Rony et al., arXiv 1811.09600.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.generalization.hidden import shifted_logits, weight_layers
from lipcert.analyses.generalization.posterior_weights import multiplications, pass_seconds
from lipcert.attacks import Ball, Ddn, Noise
from lipcert.deadline import Deadline
from lipcert.graph import Graph, Node
from lipcert.graph.intermediate import values_of
from lipcert.graph.scores import margins
from lipcert.progress import Progress, silent
from lipcert.records import AllLayerMarginRecord, Effort, Skipped, Split
from lipcert.samples import Samples

SAMPLES: dict[Effort, int] = {"fast": 0, "default": 64, "high": 1024}
STEPS, RIVALS = 40, 2
_SECONDS: dict[Effort, float] = {"fast": 0.0, "default": 5.0, "high": 60.0}  # nominal: the same on every machine
_LEAST = 8
_ENTRIES = 2**22  # numbers that the shifts of one batch may hold
_FARTHEST = 1e6


def all_layer_margins(
    graph: Graph,
    samples: Samples,
    *,
    split: Split,
    effort: Effort = "default",
    seed: int = 0,
    deadline: Deadline | None = None,
    progress: Progress = silent,
) -> AllLayerMarginRecord | Skipped:
    """Upper bounds at some labelled samples, evenly through the file, as many as the effort and the time pay for.

    graph  in float64
    """
    layers, end = weight_layers(graph), deadline or Deadline()
    if not layers:
        return Skipped(reason="the network has no convolution or dense layer")
    assert samples.labels is not None
    used = spread(len(samples), _affordable(graph, effort, min(len(samples), SAMPLES[effort])))
    if not len(used):
        return Skipped(reason=f"the search for the all-layer margin costs more than effort {effort} allows")
    size, found = min(64, 1 + _ENTRIES // sum(math.prod(layer.shape) for layer in layers)), list[Tensor]()
    for rows in used.split(size):
        if end.passed:
            break
        progress("all-layer margin", sum(map(len, found)), len(used))
        found.append(nearest_shifts(graph, layers, samples.inputs[rows], samples.labels[rows]))
    progress("all-layer margin", len(used), len(used))
    values = torch.cat(found) if found else torch.zeros(0)
    met = values[values.isfinite()]
    if not len(met):
        why = "no shift was found that changes a class" if len(values) else "no time was left for it"
        return Skipped(reason=why)
    return AllLayerMarginRecord(
        split=split,
        layers=tuple(layer.name for layer in layers),
        upper=summarise(met, seed=seed),
        wrong=int((met == 0).sum()),
        unmet=len(values) - len(met),
    )


def nearest_shifts(graph: Graph, layers: tuple[Node, ...], inputs: Tensor, labels: Tensor) -> Tensor:
    """The l2 length of all shifts together that changes each sample's class, shape (N,), float64; infinity for none."""
    inputs, labels = inputs.to(device=graph.device, dtype=graph.dtype), labels.to(graph.device)
    sizes = [math.prod(layer.shape) for layer in layers]

    def classify(flat: Tensor) -> Tensor:
        parts = flat.split(sizes, dim=1)
        shifts = [part.reshape(-1, *layer.shape[1:]) for layer, part in zip(layers, parts, strict=True)]
        return shifted_logits(graph, layers, inputs, shifts)

    start = torch.zeros(len(inputs), sum(sizes), dtype=graph.dtype, device=graph.device)
    ball = Ball(norm="l2", eps=_FARTHEST)
    silence = Noise(seed=0, stage="all-layer margin", indices=tuple(range(len(inputs))))  # this search draws nothing
    tried = [Ddn(loss="targeted", steps=STEPS, rivals=RIVALS).perturb(classify, start, labels, ball, silence)[0]]
    if layers[-1] is graph.output:
        tried.append(_at_the_end(graph, layers[-1], inputs, labels, start))
    with torch.no_grad():
        lengths = [
            torch.where(margins(classify(shift), labels) <= 0, shift.to(torch.float64).norm(dim=1), torch.inf)
            for shift in tried
        ]
    return torch.stack(lengths).amin(dim=0).cpu()


def _at_the_end(graph: Graph, last: Node, inputs: Tensor, labels: Tensor, start: Tensor) -> Tensor:
    """The least shift of the logits alone: half the margin off the own class and on to the best other."""
    with torch.no_grad():
        before, logits = values_of(graph, (last.inputs[0], last), inputs)
    best = logits.scatter(1, labels[:, None], -torch.inf).argmax(dim=1)
    half = margins(logits, labels).clamp_min(0) / 2 * (1 + 1e-9) / before.flatten(1).norm(dim=1)
    half = half.nan_to_num(nan=0.0, posinf=_FARTHEST)[:, None]
    move = torch.zeros_like(logits).scatter(1, best[:, None], half).scatter(1, labels[:, None], -half)
    return torch.cat([start[:, : start.shape[1] - logits.shape[1]], move], dim=1)


def _affordable(graph: Graph, effort: Effort, most: int) -> int:
    """How many samples the nominal seconds pay for; 0 where these are too few."""
    fixed = STEPS * RIVALS * 3 * pass_seconds(0, 0)
    each = 2 * STEPS * RIVALS * 3 * (pass_seconds(0, multiplications(graph)) - pass_seconds(0, 0))
    left = _SECONDS[effort] - fixed
    count = min(most, int(left / each) if each else most) if left > 0 else 0
    return count if count >= min(_LEAST, most) else 0


def spread(available: int, count: int) -> Tensor:
    """Which `count` of so many samples: evenly through all of them."""
    return torch.linspace(0, available - 1, count, dtype=torch.float64).round().long()
