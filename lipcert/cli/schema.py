"""`lipcert schema`: the JSON Schema of the documents that -f json writes."""

from __future__ import annotations

from lipcert.cli.option import Command, argument
from lipcert.cli.options import take

HELP = """Print the JSON Schema (draft 2020-12) of the JSON report.

Or of the document that another command writes with -f json.
"""

_DOCUMENT = argument("[report|certify|compare|audit|cap|inspect|config]", "Which document.  [report]")
SCHEMA = Command(
    "schema",
    "lipcert.cli.printing",
    HELP,
    take("document output overwrite", document=_DOCUMENT),
)
