"""Projected gradient ascent that sets its own step size."""

from lipcert.attacks.apgd.attack import Apgd

__all__ = ["Apgd"]
