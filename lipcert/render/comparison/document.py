"""The comparison as one strict JSON document."""

from __future__ import annotations

from importlib import import_module

from lipcert.records.compare import CompareReport
from lipcert.render.style import Style


def render(report: CompareReport, _style: Style, *, full: bool) -> str:  # noqa: ARG001  it is all there in any case
    """All of it."""
    text: str = import_module("lipcert.records.codec").to_json(report)
    return text
