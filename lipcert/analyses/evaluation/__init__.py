"""Whether the attacks can be believed: checks of the search, one file a group, and the verdict they come to."""

from lipcert.analyses.evaluation import consistency, gradients, inputs, outputs, planted, strength  # noqa: F401  filed
from lipcert.analyses.evaluation.base import CHECKS, Evidence, Finding, Searched
from lipcert.analyses.evaluation.verdict import evaluate

__all__ = ["CHECKS", "Evidence", "Finding", "Searched", "evaluate"]
