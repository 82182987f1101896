"""Logits in float64 together with a bound on how far rounding took them from the real-arithmetic network.

Every live tensor travels as a pair (value, error) with |value - exact| <= error in each element, where `exact` is
what the graph computes from the same inputs and constants in real arithmetic. Per op, with u = 2^-53 and
gamma_n = n u / (1 - n u) (Higham 2002, Lemma 3.1 and section 3.1, any order of summation, fused or not):

* a linear op y = A x + b with at most n terms an output: the computed y has |fl(y) - (A v + b)| <=
  gamma_(n+2) (|A| |v| + |b|) at the computed input v, and |A v - A x| <= |A| e. So the error is at most
  |A| (e + g |v|) + g |b| = g (|A| (e / g + |v|) + |b|) for g >= gamma_(n+2): one pass of the same op with |A|, |b|.
  That pass adds non-negative numbers, so it is itself low by a factor of at most 1 - gamma_(n+2).
* sums, products and quotients of two values round once: u times the result, beside the inputs' errors.
* an activation with Lipschitz constant c gives c e, plus the error of the library's function, which is taken to
  be below 64 u (1 + |v| + |y|); the vector libraries in use state 1 to 4 units in the last place a function.
* relu, maximum, clamp, max-pool, and everything that only moves elements, round nothing.

Underflow adds less than the 1e-300 that each step adds. Convolutions run without cuDNN, whose fast algorithms
(Winograd, FFT) are not sums of products; oneDNN takes no float64. An op without a rule is named, never guessed at.
"""

from __future__ import annotations

import operator
from typing import Any, final

import torch
import torch.fx
from torch import Tensor
from torch.utils._pytree import tree_any

from lipcert.errors import UnsupportedOperatorError
from lipcert.graph.batch import batch_of
from lipcert.graph.graph import Graph
from lipcert.graph.resolve import op_name
from lipcert.rules.rounding import RULES, Rounded


def bounded_logits(graph: Graph, inputs: Tensor, *, batch_size: int = 256) -> Rounded:
    """Float64 logits and their error bounds, shape (N, classes). The inputs are exact.

    Raises UnsupportedOperatorError, naming every op that has no rounding rule.
    """
    missing = tuple(node.op for node in graph.nodes if node.op not in RULES and node.op not in ("input", "getitem"))
    if missing:
        raise UnsupportedOperatorError(
            f"no rounding rule for {', '.join(sorted(set(missing)))}",
            operators=missing,
            hint="Without one no margin of this network can be proved; everything else is reported.",
        )
    working = graph.to(dtype=torch.float64)
    parts = []
    for start in range(0, len(inputs), batch_size):
        x = inputs[start : start + batch_size].to(device=working.device, dtype=torch.float64)
        with torch.no_grad(), torch.backends.cudnn.flags(enabled=False):
            parts.append(_Evaluation(working.module).run(Rounded(x, torch.zeros_like(x))))
    return Rounded(torch.cat([part.value for part in parts]), torch.cat([part.error for part in parts]))


@final
class _Evaluation(torch.fx.Interpreter):
    """The graph on pairs; what depends on constants alone is computed as it is."""

    def run_node(self, n: torch.fx.Node) -> Any:
        """Apply the op's rule where an argument is a pair."""
        if n.op != "call_function":
            return super().run_node(n)
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        assert callable(n.target)
        if n.target is batch_of:
            return batch_of(args[0].value if isinstance(args[0], Rounded) else args[0])
        if n.target is operator.getitem or not tree_any(lambda leaf: isinstance(leaf, Rounded), (args, kwargs)):
            return n.target(*args, **kwargs)
        return RULES[op_name(n)](n.target, args, dict(kwargs))
