"""What typer makes of the table of commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from lipcert.cli.grouped_help import GroupedCommand
from lipcert.cli.option import Command, Option

_GIVEN: dict[str, Any] = {"text": str, "many": list[str], "path": Path, "flag": bool}


def add(app: typer.Typer, command: Command, *, hidden: bool = False) -> None:
    """Register a command."""
    app.command(command.name, cls=GroupedCommand, help=command.help, hidden=hidden)(_function(command))


def _function(command: Command) -> Callable[..., None]:
    """A function that hands what was typed to `run` of the command's module, and exits with its code."""

    def act(**given: Any) -> None:
        raise typer.Exit(import_module(command.runner).run(given))

    parameters = [_parameter(name, option) for name, option in command.options.items()]
    act.__name__ = command.name
    act.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": None}
    act.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return act


def _parameter(name: str, option: Option) -> inspect.Parameter:
    kind = _GIVEN[option.kind]
    needed = option.is_required or option.kind == "flag"
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if option.is_required else option.absent,
        annotation=Annotated[kind if needed else kind | None, _declared(name, option)],
    )


def _declared(name: str, option: Option) -> Any:
    if option.is_argument:
        return typer.Argument(metavar=option.metavar, help=option.text, show_default=False)
    long, *others = option.names(name)
    return typer.Option(
        f"{long}/{option.off}" if option.off else long,
        *others,
        help=option.text,
        metavar=option.metavar,
        envvar=f"LIPCERT_{name.upper()}",
        show_envvar=False,
        rich_help_panel=option.panel,
        show_default=False,
    )
