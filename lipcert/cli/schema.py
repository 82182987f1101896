"""`lipcert schema`: the JSON Schema of the documents that -f json writes."""

from __future__ import annotations

from typing import Annotated

import typer

from lipcert.cli import options

_NAMES = ("report", "certify", "compare", "audit")
_Name = Annotated[
    str, typer.Argument(metavar="[report|certify|compare|audit]", help="Which document.  [report]", show_default=False)
]


def schema(document: _Name = "report", output: options.Output = None, overwrite: options.Overwrite = False) -> None:
    """Print the JSON Schema (draft 2020-12) of the JSON report, or of the document of certify, compare or audit."""
    from importlib import resources

    from lipcert.cli import values
    from lipcert.cli.outputs import Target, check, put

    name = values.choice(document, "schema", _NAMES)
    target = Target(format="json", path=None if output is None or str(output) == "-" else output)
    check([target], overwrite=overwrite)
    put(resources.files("lipcert.records").joinpath(f"{name}.schema.json").read_text(encoding="utf-8"), target)
