"""The Lipschitz constant of the network, from both sides.

Upper end: each node's gain bounds how far it can be from the input's change, computed from the gains of what it reads;
through a chain this is the product of the layer norms, at a sum of branches the sum, at a concatenation the root of
squares. Lower end: the largest Jacobian norm at the given samples and at a few random points.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lipcert.analyses.base import UpperConstants
from lipcert.graph import Node
from lipcert.norms.base import BUDGETS
from lipcert.norms.witness import passes, steepness
from lipcert.operators import JacobianOperator
from lipcert.progress import Progress, silent
from lipcert.records import Enclosure, LipschitzRecord, Norm, Skipped, Soundness
from lipcert.rounding import product_up
from lipcert.rules import RULES, LayerNorms, Tier, UnboundedError, tier

NORMS: tuple[Norm, ...] = ("l2", "linf", "l1")
METHOD = "product of layer norms"
_RANDOM_POINTS = 4
_MOST_SAMPLES = 16
_HAIR = 1e-9


def analyze_lipschitz(
    norms: LayerNorms,
    *,
    inputs: Tensor | None = None,
    input_range: tuple[float, float] | None = None,
    progress: Progress = silent,
) -> tuple[LipschitzRecord, ...]:
    """Enclosures of the global constant of input -> logits in l2, linf and l1.

    inputs       samples near which to look for steepness, the most promising first; 16 of them at most
    input_range  where random points are drawn, uniformly; [0, 1] when unknown
    """
    unknown = unsupported(norms)
    if unknown:
        names = ", ".join(unknown)
        skipped = Skipped(reason=f"no rule bounds these operators: {names}", operators=unknown)
        return tuple(LipschitzRecord(norm=norm, scope="global", method=METHOD, value=skipped) for norm in NORMS)
    lower = _witness(norms, inputs, input_range or (0.0, 1.0), progress)
    return tuple(
        LipschitzRecord(norm=norm, scope="global", method=METHOD, value=_enclosure(norms, norm, lower[norm]))
        for norm in NORMS
    )


def _enclosure(norms: LayerNorms, norm: Norm, lower: float) -> Enclosure:
    witness = "Jacobian norm"
    try:
        upper = gains(norms, norm)[norms.graph.output]
    except UnboundedError as error:
        return Enclosure(
            lower=lower,
            upper=None,
            unbounded=True,
            soundness=Soundness.ESTIMATE,
            method=f"{witness} / no global bound: {error}",
        )
    return Enclosure(
        lower=lower,
        upper=upper,
        soundness=_soundness(norms, norm),
        failure_probability=norms.failure_probability(norm),
        method=f"{witness} / {METHOD}",
    )


def _soundness(norms: LayerNorms, norm: Norm) -> Soundness:
    return Soundness.PROBABILISTIC if norms.failure_probability(norm) else Soundness.PROVED


def live_nodes(norms: LayerNorms) -> tuple[Node, ...]:
    """The nodes that the logits depend on, in order of execution."""
    wanted = {norms.graph.output}
    for node in reversed(norms.graph.nodes):
        if node in wanted:
            wanted.update(node.inputs)
    return tuple(node for node in norms.graph.nodes if node in wanted)


def unsupported(norms: LayerNorms) -> tuple[str, ...]:
    """The ops between input and logits that have no rule."""
    return tuple(sorted({node.op for node in live_nodes(norms) if tier(node) is Tier.GRADIENT}))


def gains(norms: LayerNorms, norm: Norm) -> dict[Node, float]:
    """Upper bounds on the constants input -> node, for every node the logits depend on.

    Raises UnboundedError where the rules give none.
    """
    found: dict[Node, float] = {}
    for node in live_nodes(norms):
        if node.op == "input":
            found[node] = 1.0
        else:
            gain = RULES[node.op]().gain(node, tuple(found[source] for source in node.inputs), norm, norms)
            found[node] = min(gain, _along_chain(node, norm, norms, found))
        if not math.isfinite(found[node]):
            raise UnboundedError(node, "the product up to here is too large for a float64")
    return found


def _along_chain(node: Node, norm: Norm, norms: LayerNorms, found: dict[Node, float]) -> float:
    """The bound through the norm of the linear chain that ends here; infinite where there is none."""
    chain = norms.chain_to(node)
    if chain is None or norm not in chain.norms:
        return math.inf
    upper = chain.norms[norm].upper
    return math.inf if upper is None else product_up((upper, found[chain.source]))


def upper_constants(norms: LayerNorms, norm: Norm) -> UpperConstants:
    """What certificates rest on: constants of the whole net, and of all of it before an affine last node.

    Both are None where a rule is missing or there is no global bound.
    """
    whole, before_last = None, None
    if not unsupported(norms):
        with contextlib.suppress(UnboundedError):
            found = gains(norms, norm)
            last = norms.graph.output
            whole = found[last]
            before_last = found[last.inputs[0]] if norms.operator(last) is not None else None
    return UpperConstants(
        norm=norm,
        whole=whole,
        before_last=before_last,
        method=METHOD,
        soundness=_soundness(norms, norm),
        failure_probability=norms.failure_probability(norm),
    )


def _witness(
    norms: LayerNorms, inputs: Tensor | None, input_range: tuple[float, float], progress: Progress
) -> dict[Norm, float]:
    """The largest Jacobian norms over the points that the effort pays for."""
    best: dict[Norm, float] = dict.fromkeys(NORMS, 0.0)
    points = _points(norms, inputs, input_range)
    for done, point in enumerate(points):
        progress("lipschitz", done, len(points))
        found = steepness(JacobianOperator(norms.graph, point), seed=norms.seed)
        best = {norm: max(best[norm], found[norm]) for norm in NORMS}
    progress("lipschitz", len(points), len(points))
    return best


def _off_the_kinks(inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Samples moved by a hair.

    At a kink autograd may give a matrix that is no limit of Jacobians (x - relu(x) + relu(-x) is 0, and 1 is what
    autograd says at 0). Stored samples can lie on kinks, blank images above all; drawn points do so with probability 0.
    """
    drawn = torch.rand(inputs.shape, generator=generator, dtype=torch.float64)
    return inputs + _HAIR * (1 + inputs.abs()) * (2 * drawn - 1).to(inputs.device)


def _points(norms: LayerNorms, inputs: Tensor | None, input_range: tuple[float, float]) -> Sequence[Tensor]:
    """Samples and random points in turn, as many as the effort pays for, one at least."""
    graph = norms.graph
    generator = torch.Generator().manual_seed(norms.seed)
    low, high = input_range
    uniform = torch.rand(_RANDOM_POINTS, *graph.input_shape, generator=generator, dtype=torch.float64)
    drawn = list((low + (high - low) * uniform).to(graph.device))
    near = torch.empty(0) if inputs is None else inputs[:_MOST_SAMPLES].to(graph.device, torch.float64)
    given = list(_off_the_kinks(near, generator))
    points = [*given[:1], *drawn[:1], *given[1:], *drawn[1:]]
    work = sum(operator.work for node in graph.nodes if (operator := norms.operator(node)) is not None)
    price = 2.0 * passes(JacobianOperator(graph, points[0])) * max(1.0, work)
    return points[: max(1, int(2 * BUDGETS[norms.effort] / price))]
