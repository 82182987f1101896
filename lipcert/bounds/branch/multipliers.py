"""Slopes and multipliers of a batch of domains, improved by gradient ascent on their bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.branch.relaxed import Relaxed
from lipcert.bounds.linearisation import Linearisation
from lipcert.rules.interval import Interval

_FADE = 0.97
_DECAY = (0.9, 0.999)
Starts = tuple[Tensor, Tensor, Tensor]


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ascent:
    """What the ascent found for N domains.

    bound        (N,) the best of all steps, sound
    starts       slopes (N, U), multipliers (N, U) and weights (N, K) of the last step
    points       (N, *input_shape) where the last linear bound is attained
    gains        (N, U) about how much the bound would rise, at least, in the poorer part if a neuron were split
    """

    bound: Tensor
    starts: Starts
    points: Tensor
    gains: Tensor


def ascend(relaxed: Relaxed, starts: Starts, *, steps: int, rate: float = 0.1) -> Ascent:
    """`steps` steps of Adam on slopes, multipliers and weights, then one evaluation that also says where to split."""
    best = torch.full_like(relaxed.offset[:, 0], -torch.inf)
    split = relaxed.sides != 0
    values = [start.clone().requires_grad_() for start in starts]
    moments = [torch.zeros_like(v) for v in values], [torch.zeros_like(v) for v in values]
    for step in range(steps):
        slopes, multipliers, weights = values
        bound = relaxed.lower(slopes, multipliers, weights)
        best = torch.fmax(best, bound.detach())
        if bool((best > 0).all()):
            break
        gradients = torch.autograd.grad(bound.sum(), values, materialize_grads=True)
        with torch.no_grad():
            for value, slope, first, second in zip(values, gradients, *moments, strict=True):
                gradient = slope.nan_to_num(posinf=0.0, neginf=0.0)
                first.lerp_(gradient, 1 - _DECAY[0])
                second.lerp_(gradient.square(), 1 - _DECAY[1])
                scale = (second / (1 - _DECAY[1] ** (step + 1))).sqrt_().add_(1e-12)
                value.add_(first / (1 - _DECAY[0] ** (step + 1)) / scale, alpha=rate * _FADE**step)
            values[0].clamp_(0.0, 1.0)
            values[1].clamp_(min=0.0).mul_(split)
            values[2].clamp_(1e-6, 1.0)
    return _probe(relaxed, (values[0].detach(), values[1].detach(), values[2].detach()), best)


def _probe(relaxed: Relaxed, starts: Starts, best: Tensor) -> Ascent:
    """One more bound, with its derivatives by the intervals of the neurons and by a row at the input.

    A split moves one end of a neuron's interval to 0; the first-order change of the bound is that of moving it.
    """
    linear, neurons = relaxed.linearisation, relaxed.neurons
    probe = torch.zeros_like(linear.region.centre).unsqueeze(1).requires_grad_()
    low = neurons.gather({n: linear.intervals[n].lower for n in neurons.nodes}).requires_grad_()
    high = neurons.gather({n: linear.intervals[n].upper for n in neurons.nodes}).requires_grad_()
    lows, highs = neurons.scatter(low), neurons.scatter(high)
    intervals = linear.intervals | {node: Interval(lows[node], highs[node]) for node in neurons.nodes}
    movable = Relaxed(
        linearisation=Linearisation(linear.plan, linear.region, linear.deployment, intervals),
        neurons=neurons,
        rows=relaxed.rows,
        offset=relaxed.offset,
        sides=relaxed.sides,
    )
    bound = movable.lower(*starts, {linear.plan.nodes[0]: probe})
    by_low, by_high, points = torch.autograd.grad(bound.sum(), [low, high, probe], materialize_grads=True)
    active, inactive = (-low * by_low).detach().nan_to_num(), (-high * by_high).detach().nan_to_num()
    unstable = (low < 0) & (high > 0) & (relaxed.sides == 0)
    gains = torch.where(unstable, torch.minimum(active, inactive) + 1e-3 * (active + inactive), -torch.inf)
    bound = torch.fmax(best, bound.detach())
    return Ascent(bound=bound, starts=starts, points=points[:, 0], gains=gains.detach())
