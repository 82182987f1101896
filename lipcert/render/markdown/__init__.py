"""The report as Markdown."""

from lipcert.render.markdown.report import render

__all__ = ["render"]
