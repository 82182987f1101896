"""`lipcert doctor`: what this installation has, and whether it computes what it should."""

from __future__ import annotations

from lipcert.cli.option import Command
from lipcert.cli.options import take, written

HELP = """Check this installation against known answers.

Also shows versions, devices and supported operators. Ends with 3 where the check fails.
"""

DOCTOR = Command(
    "doctor",
    "lipcert.cli.examination",
    HELP,
    take("format json quiet verbose", format=written("text", "json")),
)
