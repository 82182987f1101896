"""The report for a terminal, one file a section."""

from lipcert.render.terminal.inspection import render_inspection
from lipcert.render.terminal.report import FOOTER, render

__all__ = ["FOOTER", "render", "render_inspection"]
