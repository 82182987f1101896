"""`lipcert report`: a stored report in any format."""

from __future__ import annotations

from lipcert.cli import options
from lipcert.cli.signature import command

HELP = """Show a stored JSON report in any format.

Reads what lipcert analyze --json wrote; no model is opened and nothing is computed. RESULT may be - for stdin. Exits
with 0 whatever the report says; the gate's exit code is that of the run that wrote it.

\b
  lipcert report net.json
  lipcert report net.json -o net.html
  lipcert report net.json --report sarif=net.sarif --report junit=net.xml
"""

PARAMETERS = {
    "result": options.Result,
    "format": options.Format,
    "json": options.Json,
    "output": options.Output,
    "report": options.Reports,
    "sheet": options.Sheet,
    "overwrite": options.Overwrite,
    "color": options.Color,
    "verbose": options.Verbose,
}

report = command("report", "lipcert.cli.stored_report", PARAMETERS, "Show a stored JSON report in any format.")
