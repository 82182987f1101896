"""Every number of a report by its id: `certificates.certified_accuracy[norm=linf,eps=2/255]`, `lipschitz.l2`, ..."""

from lipcert.records.metrics.aliases import ALIASES, Better, analyses_of, better_of
from lipcert.records.metrics.identity import MetricId, as_number, metric_id, number_text, parse
from lipcert.records.metrics.known import near, patterns, resolve
from lipcert.records.metrics.lookup import NOT_ASKED, look_up, readings
from lipcert.records.metrics.reading import Lookup, Reading

__all__ = [
    "ALIASES",
    "NOT_ASKED",
    "Better",
    "Lookup",
    "MetricId",
    "Reading",
    "analyses_of",
    "as_number",
    "better_of",
    "look_up",
    "metric_id",
    "near",
    "number_text",
    "parse",
    "patterns",
    "readings",
    "resolve",
]
