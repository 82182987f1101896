"""Branch and bound: what one bound of a whole region leaves open is cut into parts until each is settled."""

from lipcert.bounds.branch.goal import Goals, margin_goals
from lipcert.bounds.branch.prove import prove
from lipcert.bounds.branch.search import CERTIFIED, FALSIFIED, OPEN, STUCK, Found, Judge

__all__ = ["CERTIFIED", "FALSIFIED", "OPEN", "STUCK", "Found", "Goals", "Judge", "margin_goals", "prove"]
