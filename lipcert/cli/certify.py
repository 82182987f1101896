"""`lipcert certify`: one property of one network, in the competition's format."""

from __future__ import annotations

from lipcert.cli import options
from lipcert.cli.signature import command

HELP = """Decide a VNN-LIB property: unsat, sat, unknown or timeout.

The result has the form of the competition: the verdict on the first line and, after sat, an input and its output as
the file's own runtime computes it. Ends with 0 after unsat, 1 after sat, 3 after unknown or timeout.

\b
  lipcert certify acasxu.onnx prop_1.vnnlib --timeout 2m
  lipcert certify net.onnx spec.vnnlib.gz -f json
"""


PARAMETERS = {
    "model": options.Model,
    "spec": options.Property,
    "input_shape": options.InputShape,
    "output_name": options.OutputName,
    "effort": options.Effort,
    "timeout": options.Timeout,
    "deploy_dtype": options.DeployDtype,
    "max_memory": options.MaxMemory,
    "seed": options.Seed,
    "threads": options.Threads,
    "no_isolation": options.NoIsolation,
    "deterministic": options.Deterministic,
    "format": options.PropertyFormat,
    "json": options.Json,
    "output": options.Output,
    "overwrite": options.Overwrite,
    "color": options.Color,
    "quiet": options.Quiet,
    "verbose": options.Verbose,
}

certify = command(
    "certify", "lipcert.cli.certification", PARAMETERS, "Decide a VNN-LIB property: unsat, sat, unknown or timeout."
)
