"""Options of the commands that gate: check, compare, init and config show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lipcert.cli.options import _option

_GATE, _OUT = "Gate", "Output"

Config = Annotated[
    Path | None,
    _option(
        "--config",
        panel=_GATE,
        metavar="FILE",
        text="Configuration.  [lipcert.toml, or pyproject.toml]",
    ),
]
Baseline = Annotated[
    Path | None,
    _option("--baseline", panel=_GATE, metavar="REPORT", text="An earlier JSON report, for checks of a regression."),
]
FailOn = Annotated[
    str | None,
    _option("--fail-on", panel=_GATE, metavar="error|warning|never", text="Lowest level that gates.  [error]"),
]
WorseThan = Annotated[
    str | None,
    _option(
        "--fail-on",
        panel=_GATE,
        metavar="error|warning|never",
        text="Exit with 1 where surely, or perhaps, worse.  [never]",
    ),
]
ExitZero = Annotated[bool, _option("--exit-zero", panel=_GATE, text="Exit with 0 where the gate failed.")]
Checks = Annotated[
    list[str] | None, _option("--check", panel=_GATE, metavar="ID,...", text="Judge these checks alone.  [all]")
]
Force = Annotated[bool, _option("--force", panel=_GATE, text="Compare although data, eps or methods differ.")]
RowsOfReports = Annotated[
    list[str] | None,
    _option(
        "--per-sample",
        panel=_GATE,
        metavar="FILE",
        text="Tables (.jsonl) of A and B, given twice: compares them sample by sample.",
    ),
]
All = Annotated[bool, _option("--all", panel=_OUT, text="Show every number that changed.")]
Before = Annotated[str, typer.Argument(metavar="A", help="JSON report or model.", show_default=False)]
After = Annotated[str, typer.Argument(metavar="B", help="JSON report or model.", show_default=False)]
CompareFormat = Annotated[
    str | None, _option("-f", "--format", panel=_OUT, metavar="FORMAT", text="text, json or markdown.  [text]")
]
ConfigFormat = Annotated[str | None, _option("-f", "--format", panel=_OUT, metavar="FORMAT", text="text or json.")]
