"""`lipcert doctor`: what this installation has, and whether it computes what it should."""

from __future__ import annotations

import typer

from lipcert.cli import options


def doctor(
    format: options.PropertyFormat = None,  # noqa: A002  the option's own name
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Check this installation against known answers.

    Also shows versions, devices and supported operators. Ends with 3 where the check fails.
    """
    given = dict(locals())
    from lipcert.cli.examination import run

    raise typer.Exit(run(given))
