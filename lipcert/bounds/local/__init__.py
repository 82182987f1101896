"""Lipschitz constants in a region, from bounds on every gradient a network can have there."""

from lipcert.bounds.local.edges import Edges, edges_of
from lipcert.bounds.local.gradients import Gradients, gradients

__all__ = ["Edges", "Gradients", "edges_of", "gradients"]
