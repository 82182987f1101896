"""The report as one HTML file that needs nothing else, one file a section."""

from lipcert.render.html.page import render

__all__ = ["render"]
