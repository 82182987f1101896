"""A whole zoo of models: resumable, parallel, and stored so that nothing completed is ever computed twice."""

from lipcert.audit.engine import AbstractEngine, AbstractWatch
from lipcert.audit.engine_local import LocalEngine
from lipcert.audit.plan import Plan, make_plan
from lipcert.audit.store import Store
from lipcert.audit.task import run_task
from lipcert.audit.zoo import Entry, discover

__all__ = [
    "AbstractEngine",
    "AbstractWatch",
    "Entry",
    "LocalEngine",
    "Plan",
    "Store",
    "discover",
    "make_plan",
    "run_task",
]
