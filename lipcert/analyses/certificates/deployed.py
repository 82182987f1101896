"""How far the deployed network can be from the real-arithmetic one, anywhere in a region.

Let v be a node's value in real arithmetic at a point of the region, w its value as deployed, both inside the node's
interval, and e a bound on |w - v| in each element. One op further,

    |fl(op)(w) - op(v)| <= |fl(op)(w) - op(w)| + |op(w) - op(v)|.

The first part is the op's rounding term on the intervals. The second is how the op carries an error on, which is what
the rules of `lipcert.rules.rounding` work out; they read sizes only, so the largest |v| of the interval stands for v.
A certificate for the real-arithmetic network whose margins are larger than the sum of two such bounds holds for the
deployed network.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, final

import torch
import torch.fx
from torch import Tensor
from torch.utils._pytree import tree_any

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.linearisation import Intervals
from lipcert.bounds.region import Region
from lipcert.bounds.rounding import deployed_rounding
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Node
from lipcert.graph.batch import batch_of
from lipcert.graph.resolve import op_name
from lipcert.rules.rounding import RULES, Rounded


def deployed_error(bounder: Bounder, region: Region) -> Tensor:
    """At least |deployed logit - real-arithmetic logit| at every point of each region, shape (N, classes).

    Infinite where the intervals are too wide to tell. Raises UnsupportedOperatorError where a rule is missing.
    """
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=False):
        intervals = bounder.intervals(region)
        sizes = intervals[bounder.nodes[0]].magnitude
        start = Rounded(sizes, sizes * _reading(bounder))
        result = _Propagation(bounder, intervals).run(start)
    return result.error.nan_to_num(nan=torch.inf)  # type: ignore[no-any-return]


def _reading(bounder: Bounder) -> float:
    """Relative error of an input as it is read: points are float32 numbers, and a narrower type rounds them."""
    deployment = bounder.deployment
    return 2 * deployment.store if deployment.store > deployment.accumulate else 0.0


@final
class _Propagation(torch.fx.Interpreter):
    """The graph on pairs of the largest size of a value and the bound on its error."""

    def __init__(self, bounder: Bounder, intervals: Intervals) -> None:
        super().__init__(bounder.plan.graph.module)
        self._bounder, self._intervals = bounder, intervals
        self._live: Mapping[torch.fx.Node, Node] = {node.raw: node for node in bounder.nodes}

    def run_node(self, n: torch.fx.Node) -> Any:
        """Carry the errors on, and add what this op rounds."""
        if n.op != "call_function":
            return super().run_node(n)
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        assert callable(n.target)
        if n.target is batch_of:
            return batch_of(args[0].value if isinstance(args[0], Rounded) else args[0])
        if not tree_any(lambda leaf: isinstance(leaf, Rounded), (args, kwargs)):
            return n.target(*args, **kwargs)
        if n.target is not operator.getitem and op_name(n) not in RULES:
            raise UnsupportedOperatorError(f"no rounding rule for {op_name(n)}", operators=(op_name(n),))
        found = n.target(*args) if n.target is operator.getitem else RULES[op_name(n)](n.target, args, dict(kwargs))
        return [self._rounded(n, found[0]), *found[1:]] if isinstance(found, list) else self._rounded(n, found)

    def _rounded(self, n: torch.fx.Node, found: Rounded) -> Rounded:
        node = self._live.get(n)
        if node is None or node not in self._intervals:
            return Rounded(found.value.abs(), found.error)  # a factor may be negative, a size not
        sources = self._bounder.plan.sources[node]
        inputs, output = tuple(self._intervals[source] for source in sources), self._intervals[node]
        rule = self._bounder.plan.rules[node]
        own = deployed_rounding(rule, node, inputs, output, self._bounder.deployment)
        added = own.reshape(found.error.shape) if isinstance(own, Tensor) else own
        return Rounded(output.magnitude.reshape(found.value.shape), (found.error + added) * (1 + 2.0**-50))
