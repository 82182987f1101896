"""`lipcert inspect`: what model files are, and how far they can be analysed."""

from __future__ import annotations

import typer

from lipcert.cli import options


def inspect(  # noqa: PLR0917  one parameter an option
    model: options.Models,
    input_shape: options.InputShape = None,
    output_name: options.OutputName = None,
    timeout: options.WallClock = None,
    max_memory: options.MaxMemory = None,
    no_isolation: options.NoIsolation = False,
    format: options.PropertyFormat = None,  # noqa: A002  the option's own name
    json: options.Json = False,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    color: options.Color = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Tell what model files are and whether they can be analysed.

    Format, signature, layers, operator support; no analysis. Ends with 3 where a file cannot be read or holds an
    operator that cannot be analysed.
    """
    given = dict(locals())
    from lipcert.cli.inspection import run

    raise typer.Exit(run(given))
