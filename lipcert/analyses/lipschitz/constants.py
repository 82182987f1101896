"""The upper ends known of a network, each computed once for the report and for the certificates that rest on it."""

from __future__ import annotations

from functools import cached_property
from typing import final

from lipcert.analyses.base import UpperConstants
from lipcert.analyses.lipschitz.product import gains, live_nodes, soundness_of, unsupported, upper_constants
from lipcert.bounds.layered import Layered, layered_bound
from lipcert.records import Norm
from lipcert.rules import LayerNorms, UnboundedError

NORMS: tuple[Norm, ...] = ("l2", "linf", "l1")


@final
class Constants:
    """Products of layer norms in every norm, and the layered bound in l2.

    norms  the graph's layers; their effort is that of the layered bound
    """

    def __init__(self, norms: LayerNorms) -> None:
        self.norms = norms

    @cached_property
    def products(self) -> dict[Norm, UpperConstants]:
        """Norm -> products of layer norms."""
        return {norm: upper_constants(self.norms, norm) for norm in NORMS}

    @cached_property
    def layered(self) -> Layered | None:
        """None where a rule is missing, the product is unbounded, or the network has no place for an ellipsoid."""
        if unsupported(self.norms):
            return None
        try:
            found = gains(self.norms, "l2")
        except UnboundedError:
            return None
        return layered_bound(self.norms, live_nodes(self.norms), found, effort=self.norms.effort)

    @cached_property
    def all(self) -> tuple[UpperConstants, ...]:
        """What certificates rest on."""
        layered = self.layered
        if layered is None:
            return tuple(self.products.values())
        extra = UpperConstants(
            norm="l2",
            whole=layered.whole,
            pairs=layered.pairs,
            method=layered.method,
            soundness=soundness_of(self.norms, "l2"),
            failure_probability=self.norms.failure_probability("l2"),
        )
        return (*self.products.values(), extra)
