"""The pass over the samples that writes out each Jacobian and keeps what it says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import Linearised
from lipcert.analyses.jacobian.columns import Columns, columns, joined
from lipcert.analyses.jacobian.cost import multiply_adds
from lipcert.analyses.jacobian.curvature import Probe, probe
from lipcert.graph import Graph
from lipcert.graph.jacobian import logits_and_jacobians
from lipcert.graph.piecewise import curved_ops
from lipcert.progress import Progress, silent

CLASS_LIMIT = 100
DOUBLE_WORK = 2e11
"""Multiply-adds up to which float64 is affordable."""

_MEMORY = 2**28
_CHUNK = 2**22
_PROBED = 32


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """What the Jacobians at the samples say.

    labelled  whether the class y of each sample is its label; else it is the prediction
    probe     finite differences of the loss gradient at the first samples, a step `step` away; None without labels
    """

    columns: Columns
    dtype: torch.dtype
    curved_ops: tuple[str, ...]
    structural_zero: bool
    labelled: bool
    probe: Probe | None
    step: float

    @property
    def steepest_first(self) -> Tensor:
        """Sample numbers by spectral norm, the largest first, shape (N,), on the CPU."""
        return self.columns.norms["spectral_norm"].cpu().argsort(descending=True, stable=True)


def measure_jacobians(
    graph: Graph,
    inputs: Tensor,
    labels: Tensor | None = None,
    *,
    step: float = 0.1,
    exponents: Sequence[tuple[float, float]] = (),
    batch_size: int = 256,
    seed: int = 0,
    dtype: torch.dtype | None = None,
    progress: Progress = silent,
) -> Measured:
    """All that J says at each sample, from the whole J by one backward pass a class.

    The graph runs in float64 where that is affordable and in float32 where it is not; statistics are always in float64.
    step       of the curvature probe, in l2 and data units
    exponents  further (p, q), in [1, inf], beside those of 1, 2 and inf
    dtype      of the graph's arithmetic, if it is not to be chosen
    """
    working = graph.to(dtype=dtype or affordable_dtype(graph, len(inputs)))
    parts, probes = list[Columns](), list[Probe]()
    progress("jacobian", 0, len(inputs))
    for start, batch in _batches(working, inputs, batch_size):
        logits, jacobian = logits_and_jacobians(working, batch, batch_size=len(batch))
        classes = logits.argmax(dim=1) if labels is None else labels[start : start + len(batch)].to(logits.device)
        for part in _chunks(jacobian):
            local = _linearised(logits[part], jacobian[part], classes[part])
            parts.append(columns(local, exponents, seed=seed))
            if labels is not None and sum(len(found.local) for found in probes) < _PROBED:
                probes.append(probe(working, batch[part], local, step))
        progress("jacobian", start + len(batch), len(inputs))
    return Measured(
        columns=joined(parts),
        dtype=working.dtype,
        curved_ops=curved_ops(working),
        structural_zero=graph.head == "single_logit",
        labelled=labels is not None,
        probe=joined(probes) if probes else None,
        step=step,
    )


def _linearised(logits: Tensor, jacobian: Tensor, classes: Tensor) -> Linearised:
    return Linearised(logits=logits.to(torch.float64), jacobian=jacobian.to(torch.float64), classes=classes)


def affordable_dtype(graph: Graph, samples: int, *, passes: int | None = None) -> torch.dtype:
    """float64 for a small net or few samples, else float32.

    passes  forward passes a sample, a reverse one counted as two; those of the whole J unless told
    """
    work = multiply_adds(graph) * (passes or 2 * graph.classes + 1) * samples
    return torch.float64 if work <= DOUBLE_WORK else torch.float32


def _chunks(jacobian: Tensor) -> Iterator[slice]:
    """Slices whose Jacobians stay in a cache while one statistic after another reads them."""
    size = max(1, _CHUNK // max(1, 8 * jacobian[0].numel()))
    for start in range(0, len(jacobian), size):
        yield slice(start, start + size)


def _batches(graph: Graph, inputs: Tensor, batch_size: int) -> Iterator[tuple[int, Tensor]]:
    """Slices of the samples whose activations and Jacobians fit the memory set aside."""
    activations = sum(math.prod(shape) for node in graph.nodes for shape in node.shapes)
    bytes_each = graph.dtype.itemsize * (2 * activations + 2 * graph.classes * math.prod(graph.input_shape))
    size = max(1, min(batch_size, _MEMORY // bytes_each))
    for start in range(0, len(inputs), size):
        yield start, inputs[start : start + size]
