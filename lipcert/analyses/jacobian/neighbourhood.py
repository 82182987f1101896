"""How far the first-order picture reaches: all diagnostics around the samples, each on as many as a budget pays for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import accuracy, summarise
from lipcert.analyses.jacobian.alignment import Base, align
from lipcert.analyses.jacobian.cells import AXES, PROBES, Cells, cell_radii
from lipcert.analyses.jacobian.cost import BUDGET, affordable, multiply_adds, spread_out
from lipcert.analyses.jacobian.linearity import profile
from lipcert.analyses.jacobian.power_method import check_power_method
from lipcert.analyses.jacobian.walls import Walls, walls_of
from lipcert.graph import Graph
from lipcert.graph.jacobian import logits_and_jacobians
from lipcert.progress import Progress, silent
from lipcert.records import AlignmentRecord, CellRecord, LinearityRecord, PowerMethodRecord, Skipped, Soundness

_MOST, _MOST_CELLS = 128, 32
_LEAST, _LEAST_CELLS = 4, 2
_WALL = 80  # multiply-adds that a wall function takes a pass
_MEMORY = 2**29
_LARGE = 20_000_000  # parameters above which float64 costs too much
_ASCENTS = 2 * (20 + 40 + 10 + 15)  # forward passes that attacks, lines and checks take a sample
_JACOBIANS = 11


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Neighbourhood:
    """Records of the four diagnostics; `cell_radius` maps sample numbers to distances, infinite ones left out."""

    alignment: tuple[AlignmentRecord, ...] | Skipped
    linearity: tuple[LinearityRecord, ...] | Skipped
    cells: CellRecord | Skipped
    power_method: PowerMethodRecord | Skipped
    cell_radius: dict[int, float]


def examine(
    graph: Graph,
    inputs: Tensor,
    labels: Tensor | None,
    *,
    radius: float,
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress = silent,
) -> Neighbourhood:
    """All four diagnostics.

    radius  the l2 distance of interest, in data units; distances looked at are shares and multiples of it
    labels  (N,), or None: then attacks lead away from the predicted class
    """
    large = graph.parameter_count > _LARGE
    working = graph.to(dtype=torch.float32 if large else torch.float64)
    progress("neighbourhood", 0, 4)
    cells, found = _cells(working, inputs, labels, seed=seed)
    progress("neighbourhood", 1, 4)
    passes = _ASCENTS + _JACOBIANS * (1 + 2 * graph.classes)
    count = affordable(working, passes, most=min(_MOST, _held(graph)))
    if count < _LEAST:
        gone = Skipped(reason=f"it would take too long: the work set aside pays for {count} samples")
        return Neighbourhood(alignment=gone, linearity=gone, cells=cells, power_method=gone, cell_radius=found)
    rows = spread_out(len(inputs), count)
    base = base_of(working, inputs[rows], None if labels is None else labels[rows], batch_size=batch_size)
    alignment = align(base, radius, seed=seed)
    progress("neighbourhood", 2, 4)
    linearity = profile(base, radius, seed=seed, batch_size=batch_size)
    progress("neighbourhood", 3, 4)
    near = torch.tensor([found.get(row, 0.0) for row in rows], dtype=torch.float64, device=working.device)
    power = check_power_method(base, radius, near, seed=seed)
    progress("neighbourhood", 4, 4)
    return Neighbourhood(alignment=alignment, linearity=linearity, cells=cells, power_method=power, cell_radius=found)


def _held(graph: Graph) -> int:
    """Samples whose Jacobians, and as much again twice, fit the memory set aside."""
    return int(_MEMORY / (3 * 8 * graph.classes * math.prod(graph.input_shape)))


def base_of(graph: Graph, inputs: Tensor, labels: Tensor | None, *, batch_size: int = 256) -> Base:
    """Samples with their logits and Jacobians."""
    points = inputs.to(device=graph.device, dtype=graph.dtype)
    logits, jacobian = logits_and_jacobians(graph, points, batch_size=batch_size)
    given = logits.argmax(dim=1) if labels is None else labels.to(graph.device)
    return Base(graph=graph, points=points, labels=given, logits=logits.detach(), jacobian=jacobian)


def _cells(
    graph: Graph, inputs: Tensor, labels: Tensor | None, *, seed: int
) -> tuple[CellRecord | Skipped, dict[int, float]]:
    """The record, and the distance of each sample looked at."""
    walls = walls_of(graph)
    if isinstance(walls, Skipped):
        return walls, {}
    if graph.dtype != torch.float64:
        return Skipped(reason="distances to walls need float64, which costs too much for a network of this size"), {}
    size = inputs[0].numel()
    count = _affordable_cells(graph, walls)
    if count < _LEAST_CELLS:
        return Skipped(reason=f"it would take too long: the work set aside pays for {count} samples"), {}
    rows = spread_out(len(inputs), count)
    base = base_of(graph, inputs[rows], None if labels is None else labels[rows])
    cells = cell_radii(walls, base.points, seed=seed)
    found = dict(zip(rows, cells.radius.tolist(), strict=True))
    return _cell_record(cells, first_order_radii(base), exact=size <= AXES, seed=seed), found


def _affordable_cells(graph: Graph, walls: Walls) -> int:
    """Samples whose regions the work set aside pays for; a wall function costs more than an entry of an activation."""
    size = math.prod(graph.input_shape)
    passes = 2.5 * (size if size <= AXES else 1.5 * PROBES) + 2 * graph.classes
    with torch.no_grad():
        number = walls(torch.zeros(1, *graph.input_shape, dtype=graph.dtype, device=graph.device)).shape[1]
    work = passes * (1 + _WALL * number / multiply_adds(graph))
    most = _MOST if size <= AXES else _MOST_CELLS
    most = min(most, _held(graph))
    count = affordable(graph, work, most=most, budget=BUDGET / 2)
    # Where the work pays for one, a second is looked at as well: one says nothing of the others.
    return min(most, max(count, _LEAST_CELLS)) if count else 0


def first_order_radii(base: Base) -> Tensor:
    """Min over j of (z_y - z_j) / |J_y - J_j|_2, shape (N,); negative where the sample is classified wrong or tied."""
    rows = torch.arange(len(base.labels), device=base.labels.device)
    gaps = base.logits[rows, base.labels][:, None] - base.logits
    slopes = (base.jacobian[rows, base.labels][:, None] - base.jacobian).norm(dim=2)
    own = torch.nn.functional.one_hot(base.labels, base.logits.shape[1]).bool()
    reach = torch.where(slopes > 0, gaps / slopes, torch.inf).masked_fill(own, torch.inf).amin(dim=1)
    right = gaps.masked_fill(own, torch.inf).amin(dim=1) > 0
    return torch.where(right, reach, -torch.inf)


def _cell_record(cells: Cells, first_order: Tensor, *, exact: bool, seed: int) -> CellRecord:
    walled = cells.radius.isfinite()
    right = first_order > 0
    local = torch.minimum(first_order, cells.radius)[right]
    local = local[local.isfinite()]
    affine = Skipped(reason="there is no wall: the network is affine")
    wrong = Skipped(reason="no sample looked at is classified right and has a boundary to first order")
    axes = "all gradients of the wall functions"
    probes = f"gradients bounded by {PROBES} Gaussian directions, the nearest walls one by one"
    return CellRecord(
        samples=len(cells.radius),
        walls=cells.walls,
        radius=summarise(cells.radius[walled], seed=seed) if walled.any() else affine,
        without_walls=int((~walled).sum()),
        local_radius=summarise(local, seed=seed) if len(local) else wrong,
        decided=accuracy((first_order <= cells.radius)[right]) if right.any() else None,
        undecided_walls=int((~cells.decided).sum()),
        soundness=Soundness.EXACT if exact or not cells.walls else Soundness.PROBABILISTIC,
        failure_probability=cells.failure_probability,
        method=axes if exact else probes,
    )
