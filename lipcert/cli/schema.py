"""`lipcert schema`: the JSON Schema of the documents that -f json writes."""

from __future__ import annotations

from lipcert.cli.option import Command, argument
from lipcert.cli.options import take

HELP = "Print the JSON Schema (draft 2020-12) of the JSON report, or of the document of certify, compare or audit."

SCHEMA = Command(
    "schema",
    "lipcert.cli.printing",
    HELP,
    take("document output overwrite", document=argument("[report|certify|compare|audit]", "Which document.  [report]")),
)
