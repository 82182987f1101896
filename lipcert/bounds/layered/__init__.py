"""Lipschitz constants in l2, far below the product of norms: an ellipsoid of increments carried through the network."""

from lipcert.bounds.layered.layered import Layered, layered_bound

__all__ = ["Layered", "layered_bound"]
