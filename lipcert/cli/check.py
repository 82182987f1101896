"""`lipcert check`: the assertions of a configuration, as a gate for CI."""

from __future__ import annotations

from lipcert.cli import gate_options, options
from lipcert.cli.analyze import PARAMETERS as ANALYZE
from lipcert.cli.signature import command

HELP = """Judge models by the checks of a configuration.

Runs only the analyses that the checks need. The gate passes where every check at or above --fail-on passed: what was
skipped or is inconclusive never counts as passed. Exit code 1: a check failed. 3: it could not be decided.

\b
  lipcert check net.onnx --data test.npz
  lipcert check zoo/*.onnx --config ci.toml --baseline main.json --report sarif=lipcert.sarif --report junit=lipcert.xml
"""

_NOT_HERE = {"model", "only", "skip", "per_sample", "save_adversarials"}
PARAMETERS = {
    "models": options.Models,
    "config": gate_options.Config,
    "baseline": gate_options.Baseline,
    "check": gate_options.Checks,
    "fail_on": gate_options.FailOn,
    "exit_zero": gate_options.ExitZero,
    **{name: kind for name, kind in ANALYZE.items() if name not in _NOT_HERE},
}

check = command("check", "lipcert.cli.checking", PARAMETERS, "Judge models by the checks of a configuration.")
