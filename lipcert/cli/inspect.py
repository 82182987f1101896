"""`lipcert inspect`: what model files are, and how far they can be analysed."""

from __future__ import annotations

from lipcert.cli.option import Command
from lipcert.cli.options import TABLE, take, written

HELP = """Tell what model files are and whether they can be analysed.

Format, signature, layers, operator support; no analysis. Ends with 3 where a file cannot be read or holds an
operator that cannot be analysed.
"""

INSPECT = Command(
    "inspect",
    "lipcert.cli.inspection",
    HELP,
    take(
        "model input_shape output_name timeout max_memory no_isolation format json output overwrite color quiet "
        "verbose",
        model=TABLE["models"],
        format=written("text", "json"),
    ),
)
