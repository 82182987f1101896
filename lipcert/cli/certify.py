"""`lipcert certify`: one property of one network, in the competition's format."""

from __future__ import annotations

from lipcert.cli.option import Command
from lipcert.cli.options import TABLE, take, written

HELP = """Decide a VNN-LIB property: unsat, sat, unknown or timeout.

The result has the form of the competition: the verdict on the first line and, after sat, an input and its output as
the file's own runtime computes it. Ends with 0 after unsat, 1 after sat, 3 after unknown or timeout.

\b
  lipcert certify acasxu.onnx prop_1.vnnlib --timeout 2m
  lipcert certify net.onnx spec.vnnlib.gz -f json
"""

CERTIFY = Command(
    "certify",
    "lipcert.cli.certification",
    HELP,
    take(
        "model spec input_shape output_name effort timeout deploy_dtype max_memory seed threads no_isolation "
        "deterministic format json output overwrite color quiet verbose",
        timeout=TABLE["timeout"]._replace(
            text="Stop after 90s, 5m, 2h, or never: none.  [5m]", metavar="5m", also="--time-budget"
        ),
        format=written("text", "json"),
    ),
)
