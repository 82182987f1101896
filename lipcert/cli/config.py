"""`lipcert config show`: effective values, and where each came from."""

from __future__ import annotations

from typing import Annotated

import typer

from lipcert.cli import gate_options, options
from lipcert.cli.analyze import PARAMETERS as ANALYZE
from lipcert.cli.grouped_help import GroupedCommand
from lipcert.cli.signature import command

HELP = """Show every setting in force, and where it comes from.

An option counts before the environment (LIPCERT_<OPTION>), the environment before the file, the file before the
default. With MODEL: what holds for that model, after the overrides of [models."PATTERN"].
"""

_Model = Annotated[str | None, typer.Argument(metavar="[MODEL]", help="Path of a model.", show_default=False)]
_NOT_HERE = {"model", "only", "skip", "per_sample", "save_adversarials", "report", "output", "overwrite", "format"}
PARAMETERS = {
    "model": _Model,
    "config": gate_options.Config,
    "baseline": gate_options.Baseline,
    "fail_on": gate_options.FailOn,
    "format": gate_options.ConfigFormat,
    **{name: kind for name, kind in ANALYZE.items() if name not in _NOT_HERE},
    "json": options.Json,
}

config = typer.Typer(name="config", help="The configuration in force.", no_args_is_help=False, rich_markup_mode=None)
show = command("show", "lipcert.cli.effective", PARAMETERS, "Show every setting in force, and where it comes from.")


@config.callback()
def about() -> None:
    """The configuration in force."""


config.command(cls=GroupedCommand, help=HELP)(show)
