"""What a renderer is."""

from __future__ import annotations

from typing import Protocol

from lipcert.records import Report
from lipcert.registry import Registry
from lipcert.render.style import Style


class Renderer(Protocol):
    """A format a report can be written in."""

    def __call__(self, report: Report, style: Style) -> str:
        """The report as text ending in a newline. A format with a layout of its own ignores `style`."""


RENDERERS: Registry[Renderer] = Registry("format")
