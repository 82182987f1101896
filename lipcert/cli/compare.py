"""`lipcert compare`: two reports, or two models."""

from __future__ import annotations

from lipcert.cli import gate_options
from lipcert.cli.analyze import PARAMETERS as ANALYZE
from lipcert.cli.signature import command

HELP = """Show what changed from A to B, and whether by more than is left open.

A and B are JSON reports, which are compared without opening a model, or models, which are analysed first. Numbers
whose enclosures or 95 % intervals overlap are marked with a question mark. Reports on other data, eps or methods are
refused without --force. Exits with 0 unless --fail-on is given.

\b
  lipcert compare main.json pr.json
  lipcert compare main.json pr.json --per-sample main.jsonl --per-sample pr.jsonl --fail-on error
  lipcert compare old.onnx new.onnx --data test.npz --samples 500 -f markdown
"""

_NOT_HERE = {"model", "per_sample", "save_adversarials", "format"}
PARAMETERS = {
    "before": gate_options.Before,
    "after": gate_options.After,
    "force": gate_options.Force,
    "fail_on": gate_options.WorseThan,
    "exit_zero": gate_options.ExitZero,
    "per_sample": gate_options.RowsOfReports,
    "config": gate_options.Config,
    "format": gate_options.CompareFormat,
    "all": gate_options.All,
    **{name: kind for name, kind in ANALYZE.items() if name not in _NOT_HERE},
}

compare = command("compare", "lipcert.cli.comparison", PARAMETERS, "Show what changed from one report to another.")
