"""`lipcert report`: a stored report in any format."""

from __future__ import annotations

from lipcert.cli.option import Command
from lipcert.cli.options import take

HELP = """Show a stored JSON report in any format.

Reads what lipcert analyze --json wrote; no model is opened and nothing is computed. RESULT may be - for stdin. Exits
with 0 whatever the report says; the gate's exit code is that of the run that wrote it.

\b
  lipcert report net.json
  lipcert report net.json -o net.html
  lipcert report net.json --report sarif=net.sarif --report junit=net.xml
"""

REPORT = Command(
    "report",
    "lipcert.cli.stored_report",
    HELP,
    take("result format json output report sheet overwrite color verbose"),
)
