"""The report for a terminal, one file a section."""

from lipcert.render.terminal.report import FOOTER, render

__all__ = ["FOOTER", "render"]
