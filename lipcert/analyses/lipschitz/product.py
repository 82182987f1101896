"""Upper ends from the layers: how far each node can be from the input's change, given how far what it reads can be.

Through a chain this is the product of the layer norms, at a sum of branches the sum, at a concatenation the root of
squares.
"""

from __future__ import annotations

import contextlib
import math

from lipcert.analyses.base import PRODUCT, UpperConstants
from lipcert.graph import Node
from lipcert.records import Norm, Soundness
from lipcert.rounding import product_up
from lipcert.rules import RULES, LayerNorms, Tier, UnboundedError, tier

METHOD = PRODUCT


def soundness_of(norms: LayerNorms, norm: Norm) -> Soundness:
    """Whether any of the norms computed so far rests on chance."""
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
        soundness=soundness_of(norms, norm),
        failure_probability=norms.failure_probability(norm),
    )
