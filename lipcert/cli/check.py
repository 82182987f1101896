"""`lipcert check`: the assertions of a configuration, as a gate for CI."""

from __future__ import annotations

from lipcert.cli.analyze import OPTIONS
from lipcert.cli.option import Command
from lipcert.cli.options import take, without

HELP = """Judge models by the checks of a configuration.

Runs only the analyses that the checks need. The gate passes where every check at or above --fail-on passed: what was
skipped or is inconclusive never counts as passed. Exit code 1: a check failed. 3: it could not be decided.

\b
  lipcert check net.onnx --data test.npz
  lipcert check zoo/*.onnx --config ci.toml --baseline main.json --report sarif=lipcert.sarif --report junit=lipcert.xml
"""

CHECK = Command(
    "check",
    "lipcert.cli.checking",
    HELP,
    take("models config baseline check fail_on exit_zero")
    | without(OPTIONS, "model config only skip per_sample save_adversarials"),
)
