"""Domains in which every neuron has one sign: there the network is affine, and a linear programme says all.

The programme is solved in floating point and proves nothing. Its point is judged by evaluating the network, and its
dual values become the multipliers and weights of a bound that is sound whatever they are. By strong duality that
bound is the programme's optimum up to rounding; where no point has those signs, the dual values of the smallest
violation, scaled up, make the bound as large as one likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from torch import Tensor

from lipcert.bounds.branch.relaxed import Relaxed
from lipcert.graph import Node

_LARGEST = 200_000  # inputs times neurons
_CERTAIN = 1e-9
Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Leaf:
    """The answer for one domain.

    point                 where the network is lowest, (*input_shape); None where no point has these signs
    multipliers, weights  (U,) and (K,)
    """

    point: Tensor | None
    multipliers: Tensor
    weights: Tensor


def is_affine(relaxed: Relaxed) -> bool:
    """Whether ReLUs alone keep the network from being affine, and the programme is small enough to be solved."""
    linear = relaxed.linearisation
    size = linear.region.centre[0].numel() * relaxed.neurons.count
    others = (node for node in linear.plan.nodes if node.op not in ("input", "relu"))
    return linear.region.norm == "linf" and size <= _LARGEST and all(linear.relaxation(node).linear for node in others)


def solve(relaxed: Relaxed, row: int) -> Leaf:
    """The leaf that is domain `row` of some whose neurons all have a sign."""
    sides = relaxed.sides[row].to(torch.float64)
    neurons, outputs = _affine(relaxed, sides)
    box = relaxed.linearisation.region[slice(row, row + 1)].interval()
    bounds = np.stack([box.lower.flatten().cpu().numpy(), box.upper.flatten().cpu().numpy()], 1)
    # Two kinds of limits on (x, t): -s z(x) <= 0, and <row, y(x)> + offset <= t, with t to be made small.
    signs = (-sides[:, None] * neurons).cpu().numpy()
    rows = (relaxed.rows[row] @ outputs).cpu().numpy()
    rows[:, -1] += relaxed.offset[row].cpu().numpy()
    found = _programme(signs, rows, bounds)
    if found is not None:
        x, duals = found
        point = torch.from_numpy(x).reshape(box.lower.shape[1:])
        weights = np.maximum(duals[len(signs) :], 0.0)
        return Leaf(
            point=point,
            multipliers=torch.from_numpy(np.maximum(duals[: len(signs)], 0.0) / max(weights.sum(), _CERTAIN)),
            weights=torch.from_numpy(weights),
        )
    return _without_points(signs, rows, bounds)


def _without_points(signs: Array, rows: Array, bounds: Array) -> Leaf:
    """A domain in which no point has these signs: the least violation v > 0 of one of them, by some mean of them."""
    weights = torch.zeros(len(rows), dtype=torch.float64)
    weights[0] = 1.0
    found = _programme(np.zeros((0, signs.shape[1])), signs, bounds)
    multipliers = np.zeros(len(signs))
    if found is not None:
        x, duals = found
        violation = float((signs[:, :-1] @ x + signs[:, -1]).max())
        reach = np.abs(rows[0, :-1]) @ np.abs(bounds).max(1) + abs(rows[0, -1]) + 1.0
        multipliers = np.maximum(duals, 0.0) * (2 * reach / max(violation, _CERTAIN))
    return Leaf(point=None, multipliers=torch.from_numpy(multipliers), weights=weights)


def _programme(limits: Array, rows: Array, bounds: Array) -> tuple[Array, Array] | None:
    """Min over the box of max of `rows` where `limits` <= 0: the point, and the dual values of limits and rows.

    Limits and rows are (., inputs + 1), affine in x with the constant last. None where nothing meets the limits.
    """
    matrix = np.concatenate([limits, rows])[:, :-1]
    slack = np.concatenate([np.zeros(len(limits)), -np.ones(len(rows))])
    constants = np.concatenate([limits, rows])[:, -1]
    done = linprog(
        np.append(np.zeros(matrix.shape[1]), 1.0),
        A_ub=np.concatenate([matrix, slack[:, None]], 1),
        b_ub=-constants,
        bounds=np.concatenate([bounds, [[-np.inf, np.inf]]]),
        method="highs",
    )
    return (done.x[:-1], -done.ineqlin.marginals) if done.status == 0 else None


def _affine(relaxed: Relaxed, sides: Tensor) -> tuple[Tensor, Tensor]:
    """Neurons (U, inputs + 1) and outputs (outputs, inputs + 1) as affine functions of the inputs, constants last.

    An affine function is known by its values at 0 and at the unit vectors.
    """
    plan, neurons = relaxed.linearisation.plan, relaxed.neurons
    shape = relaxed.linearisation.region.centre.shape[1:]
    probes = torch.zeros(shape.numel() + 1, shape.numel(), dtype=torch.float64, device=sides.device)
    probes.fill_diagonal_(1.0)
    probes = probes.reshape(-1, *shape)
    active = neurons.scatter((sides > 0).to(torch.float64)[None])
    values: dict[Node, Tensor] = {plan.nodes[0]: probes}
    for node in plan.nodes[1:]:
        inputs = [values[source] for source in plan.sources[node]]
        values[node] = inputs[0] * active[node.inputs[0]] if node.op == "relu" else node.run(*inputs)
    both = neurons.gather(values), values[plan.output].flatten(1)
    first, second = (torch.cat([v[:-1] - v[-1:], v[-1:]]).T for v in both)
    return first, second
