"""`lipcert certify`: one property of one network, in the competition's format."""

from __future__ import annotations

import typer

from lipcert.cli import options

HELP = """Decide a VNN-LIB property: unsat, sat, unknown or timeout.

The result has the form of the competition: the verdict on the first line and, after sat, an input and its output as
the file's own runtime computes it. Ends with 0 after unsat, 1 after sat, 3 after unknown or timeout.

\b
  lipcert certify acasxu.onnx prop_1.vnnlib --timeout 2m
  lipcert certify net.onnx spec.vnnlib.gz -f json
"""


def certify(  # noqa: PLR0917  one parameter an option
    model: options.Model,
    spec: options.Property,
    input_shape: options.InputShape = None,
    output_name: options.OutputName = None,
    effort: options.Effort = None,
    timeout: options.Timeout = None,
    deploy_dtype: options.DeployDtype = None,
    max_memory: options.MaxMemory = None,
    seed: options.Seed = None,
    threads: options.Threads = None,
    deterministic: options.Deterministic = False,
    format: options.PropertyFormat = None,  # noqa: A002  the option's own name
    json: options.Json = False,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    color: options.Color = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Decide a VNN-LIB property: unsat, sat, unknown or timeout."""
    given = dict(locals())
    from lipcert.cli.certification import run

    raise typer.Exit(run(given))
