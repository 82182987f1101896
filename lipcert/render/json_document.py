"""The report as one strict JSON document."""

from __future__ import annotations

from lipcert.records import Report, codec
from lipcert.render.base import RENDERERS
from lipcert.render.style import Style


@RENDERERS.register("json")
def render(report: Report, style: Style) -> str:  # noqa: ARG001  JSON looks the same everywhere
    """The report through its codec: no NaN, no Infinity, two-space indented."""
    return codec.to_json(report)
