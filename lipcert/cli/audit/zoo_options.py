"""Options of `audit` and of its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lipcert.cli.options import _option

_ZOO, _WORK, _OUT = "Zoo", "What is computed, and how", "Output"

Targets = Annotated[
    list[str],
    typer.Argument(metavar="TARGET...", help="Folders, patterns, model files, or a manifest.", show_default=False),
]
OutputDir = Annotated[
    Path | None,
    _option("--output-dir", panel=_ZOO, metavar="DIR", text="Where results are kept.  [lipcert-audit]"),
]
Jobs = Annotated[str | None, _option("-j", "--jobs", panel=_WORK, metavar="N", text="Models at a time.  [1]")]
Redo = Annotated[
    str | None,
    _option(
        "--overwrite",
        panel=_WORK,
        metavar="WHICH",
        text="Results to make again: only-missing, failed or always.  [only-missing]",
    ),
]
Retries = Annotated[
    str | None,
    _option("--retries", panel=_WORK, metavar="N", text="Tries again after a kill or a lack of memory.  [1]"),
]
Shard = Annotated[
    str | None, _option("--shard", panel=_WORK, metavar="I/N", text="Do the I-th of N parts, counted from 1.")
]
FailFast = Annotated[
    bool, _option("--fail-fast/--keep-going", panel=_WORK, text="Stop at the first model that cannot be concluded on.")
]
DryRun = Annotated[bool, _option("--dry-run", panel=_WORK, text="Say what would be done and what it would cost.")]
GpuSlots = Annotated[
    str | None, _option("--gpu-slots", panel=_WORK, metavar="N", text="Models at a time on each GPU.  [1]")
]
Engine = Annotated[
    str | None, _option("--engine", panel=_WORK, metavar="local|ray", text="Who runs the models.  [local]")
]
RayAddress = Annotated[
    str | None, _option("--ray-address", panel=_WORK, metavar="ADDRESS", text="A Ray cluster that runs already.")
]
AuditFormat = Annotated[
    str | None,
    _option(
        "-f", "--format", panel=_OUT, metavar="FORMAT", text="text, json, jsonl, csv, markdown, html, parquet.  [text]"
    ),
]
Replace = Annotated[
    bool, _option("--replace", panel=_OUT, text="Replace an existing FILE even if it is no lipcert report.")
]
