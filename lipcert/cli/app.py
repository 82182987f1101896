"""The command table."""

from __future__ import annotations

from typing import Annotated

import typer

from lipcert.cli.analyze import HELP, analyze
from lipcert.cli.audit import audit
from lipcert.cli.cap import HELP as CAP_HELP
from lipcert.cli.cap import cap
from lipcert.cli.certify import HELP as CERTIFY_HELP
from lipcert.cli.certify import certify
from lipcert.cli.check import HELP as CHECK_HELP
from lipcert.cli.check import check
from lipcert.cli.compare import HELP as COMPARE_HELP
from lipcert.cli.compare import compare
from lipcert.cli.config import config
from lipcert.cli.doctor import doctor
from lipcert.cli.explain import explain
from lipcert.cli.grouped_help import GroupedCommand
from lipcert.cli.init import HELP as INIT_HELP
from lipcert.cli.init import init
from lipcert.cli.inspect import inspect
from lipcert.cli.report import HELP as REPORT_HELP
from lipcert.cli.report import report
from lipcert.cli.schema import schema

EPILOG = "Exit codes: 0 analysed, 1 a gate failed, 2 usage or data, 3 could not conclude, 4 no model, 130 interrupted."

# Plain help: fast, ASCII, and the same in a terminal, in a pipe and under a CI that asks for colours.
app = typer.Typer(
    name="lipcert",
    help="Certified sensitivity and robustness reports for trained classifiers.",
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


app.command(cls=GroupedCommand, help=HELP)(analyze)
app.command(cls=GroupedCommand, help=CERTIFY_HELP)(certify)
app.command(cls=GroupedCommand, help=CAP_HELP)(cap)
app.command(cls=GroupedCommand, help=CHECK_HELP)(check)
app.command(cls=GroupedCommand, help=COMPARE_HELP)(compare)
app.command(cls=GroupedCommand, help=INIT_HELP)(init)
app.add_typer(config)
app.add_typer(audit)
app.command(cls=GroupedCommand, help=REPORT_HELP)(report)
for command in (inspect, explain, schema, doctor):
    app.command(cls=GroupedCommand)(command)
