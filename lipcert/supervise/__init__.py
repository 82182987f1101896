"""A model runs in a child process: its death is that model's result, and no one else's."""

from lipcert.supervise.call import Call, Outcome
from lipcert.supervise.child import Child
from lipcert.supervise.limits import Limits
from lipcert.supervise.run import run

__all__ = ["Call", "Child", "Limits", "Outcome", "run"]
