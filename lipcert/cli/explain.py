"""`lipcert explain`: what the words and numbers of a report mean."""

from __future__ import annotations

from lipcert.cli.option import Command
from lipcert.cli.options import take, written

HELP = """Explain what a number in a report means.

Meaning, formula, how far it can be trusted, what to do about it, and where it comes from.
Without ID: the list of all. Works offline.
"""

EXPLAIN = Command(
    "explain",
    "lipcert.cli.explanation",
    HELP,
    take("topic format json", format=written("text", "json", "markdown")),
)
