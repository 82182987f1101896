"""The command line as typer has it."""

from __future__ import annotations

from typing import Annotated, Any, final

import typer

from lipcert.cli.option import Command, Group
from lipcert.cli.signature import add
from lipcert.cli.table import ROOT

EPILOG = "Exit codes: 0 analysed, 1 a gate failed, 2 usage or data, 3 could not conclude, 4 no model, 130 interrupted."

# Plain help: fast, ASCII, and the same in a terminal, in a pipe and under a CI that asks for colours.
app = typer.Typer(
    name=ROOT.name,
    help=ROOT.help,
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:
    if asked:
        import lipcert

        typer.echo(f"lipcert {lipcert.__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version_asked: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Certified sensitivity and robustness reports for trained classifiers."""


@final
class _RunGroup(typer.core.TyperGroup):
    """A group whose own arguments are those of its command `run`: `audit zoo` is `audit run zoo`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `run` in front of what does not begin with the name of a command."""
        if not args or args[0] not in {*self.commands, "--help", "-h"}:
            args = ["run", *args]
        elif args[0] in {"--help", "-h"}:
            args = ["run", "--help"]
        return super().parse_args(ctx, args)


def _added(entry: Command | Group, to: typer.Typer, *, hidden: bool = False) -> None:
    if isinstance(entry, Command):
        add(to, entry, hidden=hidden)
        return
    kind = _RunGroup if entry.default else typer.core.TyperGroup
    group = typer.Typer(name=entry.name, cls=kind, help=entry.help, rich_markup_mode=None)
    group.callback()(lambda: None)
    for each in entry.commands:
        _added(each, group, hidden=each.name == entry.default)
    to.add_typer(group)


for _entry in ROOT.commands:
    _added(_entry, app)
