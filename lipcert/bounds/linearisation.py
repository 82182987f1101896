"""A network between linear bounds on one region, and the backward pass that composes them.

Let z be the value of a node and <a, z> what is to be bounded from below, over the region and over all deployed
evaluations. From the logits to the input each node's relaxation replaces <a, z> by <a_i, x_i> of its inputs and an
offset. Three errors are paid for at each node, all of them as <|a|, e> with e >= 0 fixed before the rows are known:

* the deployed value differs from the op at its deployed inputs by at most `rounding`;
* `pull` computes in float64, whose price is the relaxation's `slack`, and gamma_n `offset_size` for sums over the n
  elements of the node;
* rows that arrive from two users are added with one rounding: u max |z|. Each further user costs its own.

The deployed inputs of every op lie in its input intervals, as those were widened by the same roundings. What is left
are the sums over nodes of those terms, T numbers t_i of float64: they lose at most gamma_T sum |t_i|, and the sum at
the input, which the region pays for itself. No slack at the end alone would do: |W_L| ... |W_1| |x| can exceed |a| |x|
by orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from torch import Size, Tensor

from lipcert.bounds.plan import Plan
from lipcert.bounds.region import Region
from lipcert.bounds.rounding import FLOOR, deployed_rounding
from lipcert.bounds.units import Units
from lipcert.bounds.window_steps import Passed, Rows, pull_units, pull_windows
from lipcert.bounds.windows import Windows
from lipcert.graph import Node
from lipcert.rounding import UNIT_ROUNDOFF, gamma
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.relaxation import AbstractRelaxation, inner

Intervals = dict[Node, Interval]
_UNDERFLOW = 1e-280


@final
class Linearisation:
    """Relaxations of all nodes for N samples, made when first needed and kept.

    intervals  of the nodes, deployed roundings included; `replace` those that have become tighter
    """

    def __init__(self, plan: Plan, region: Region, deployment: Deployment, intervals: Mapping[Node, Interval]) -> None:
        self.plan, self.region, self.deployment = plan, region, deployment
        self.intervals: Intervals = dict(intervals)
        self._steps: dict[Node, tuple[AbstractRelaxation, Tensor]] = {}

    def __getitem__(self, samples: Tensor | slice) -> Linearisation:
        """The same of some of the samples."""
        cut = {node: Interval(box.lower[samples], box.upper[samples]) for node, box in self.intervals.items()}
        return Linearisation(self.plan, self.region[samples], self.deployment, cut)

    def replace(self, node: Node, interval: Interval) -> None:
        """Set a node's interval; relaxations made from an older one are dropped."""
        self.intervals[node] = interval
        for user in (node, *self.plan.users[node]):
            self._steps.pop(user, None)

    def inputs(self, node: Node) -> tuple[Interval, ...]:
        """Intervals of what a node reads."""
        return tuple(self.intervals[source] for source in self.plan.sources[node])

    def relaxation(self, node: Node) -> AbstractRelaxation:
        """Linear bounds of one node."""
        return self._step(node)[0]

    def lower(
        self,
        rows: Rows,
        *,
        target: Node | None = None,
        slopes: Mapping[Node, Tensor] | None = None,
        extra: Mapping[Node, Tensor] | None = None,
        tight: bool = True,
    ) -> Tensor:
        """At most <row, target> + sum <extra, values> over region and roundings, shape (N, S).

        rows    of the target (the logits unless named), (N or 1, S, *entries(target)), or units or windows of it
        slopes  of adjustable lower bounds by node, (N, S or 1, *entries(node))
        extra   rows added at nodes, (N or 1, S, *entries(node))
        tight   as in `Region.lower`
        """
        target = target or self.plan.output
        slopes, extra = slopes or {}, extra or {}
        ledger = _Ledger(self)
        ledger.send(target, rows)
        for node in self.plan.up_to(target):
            if node in extra:
                ledger.send(node, extra[node])
            arrived = ledger.take(node)
            if arrived is None:
                continue
            if node.op == "input":
                ledger.enter(_concretise(self, arrived, tight=tight))
                continue
            _, slack = self._step(node)
            ledger.enter(-_weigh(arrived, slack))
            for source, part in zip(self.plan.sources[node], ledger.pull(node, arrived, slopes.get(node)), strict=True):
                if part is not None:
                    ledger.send(source, part)
        return ledger.balance()

    def _step(self, node: Node) -> tuple[AbstractRelaxation, Tensor]:
        if node not in self._steps:
            inputs, box = self.inputs(node), self.intervals[node]
            rule = self.plan.rules[node]
            relaxation = rule.relaxation(node, inputs, box)
            sums = gamma(entries(node).numel() + 16)
            price = relaxation.slack + deployed_rounding(rule, node, inputs, box, self.deployment)
            price = price + UNIT_ROUNDOFF * box.magnitude
            if relaxation.offset_size is not None:
                price = price + sums * relaxation.offset_size
            self._steps[node] = relaxation, price * (1 + 4 * sums)
        return self._steps[node]


@final
class _Ledger:
    """Rows on their way, and the terms of the bound so far."""

    def __init__(self, linearisation: Linearisation) -> None:
        self._of = linearisation
        self._pending: dict[Node, list[Rows]] = {}
        self._total: Tensor | None = None
        self._spent: Tensor | None = None
        self._terms = 0

    def send(self, node: Node, rows: Rows) -> None:
        self._pending.setdefault(node, []).append(rows)

    def take(self, node: Node) -> Rows | None:
        """The sum of what has arrived at a node. The first addition is in the node's slack, each further one not."""
        parts = self._pending.pop(node, None)
        if parts is None:
            return None
        total = parts[0]
        for position, part in enumerate(parts[1:]):
            total = _add(total, part, entries(node))
            if position:
                self.enter(-_weigh(total, 2 * UNIT_ROUNDOFF * self._of.intervals[node].magnitude))
        if node.op == "input" and len(parts) > 1:
            self.enter(-_weigh(total, 2 * UNIT_ROUNDOFF * self._of.intervals[node].magnitude))
        return total

    def pull(self, node: Node, rows: Rows, slopes: Tensor | None) -> tuple[Rows | None, ...]:
        """Through one node, its offset entered."""
        relaxation = self._of.relaxation(node)
        done: Passed | None = None
        if isinstance(rows, Units) and slopes is None:
            done = pull_units(node, relaxation, rows)
        elif isinstance(rows, Windows) and slopes is None:
            done = pull_windows(node, relaxation, rows, self._of.plan.kernels)
        coefficients, offset = done or relaxation.pull(_written(rows, entries(node)), slopes)
        if offset is not None:
            self.enter(offset)
        return coefficients

    def enter(self, term: Tensor) -> None:
        self._terms += 1
        self._total = term if self._total is None else self._total + term
        self._spent = term.abs() if self._spent is None else self._spent + term.abs()

    def balance(self) -> Tensor:
        """The sum, less what adding it up may have lost, and products that underflow in float64."""
        assert self._total is not None
        assert self._spent is not None
        return self._total - (self._spent * gamma(2 * self._terms + 8) + _UNDERFLOW)


def _add(first: Rows, second: Rows, shape: Size) -> Rows:
    """The sum of rows of values of one shape."""
    if isinstance(first, Units) and isinstance(second, Units):
        return Units(first.index, first.scale + second.scale)
    if isinstance(first, Windows) and isinstance(second, Windows):
        both = first.add(second)
        return first.dense(shape) + second.dense(shape) if both is None else both
    return _written(first, shape) + _written(second, shape)


def _written(rows: Rows, shape: Size) -> Tensor:
    return rows if isinstance(rows, Tensor) else rows.dense(shape)


def _weigh(rows: Rows, weights: Tensor) -> Tensor:
    """<|row|, weights>."""
    return inner(rows.abs(), weights) if isinstance(rows, Tensor) else rows.weigh(weights)


def _concretise(of: Linearisation, rows: Rows, *, tight: bool) -> Tensor:
    """The minimum at the input, less what reading it in a coarser type than float32 changes."""
    rows = rows.dense(of.region.centre.shape[1:]) if isinstance(rows, Units) else rows
    lower = of.region.lower(rows, tight=tight)
    if of.deployment.store <= 2.0**-24:
        return lower
    return lower - _weigh(rows, of.deployment.steps(1) * (1 + 2.0**-40) * of.region.interval().magnitude + FLOOR)
