"""`lipcert schema`: the JSON Schema of the report."""

from __future__ import annotations

from lipcert.cli import options


def schema(output: options.Output = None, overwrite: options.Overwrite = False) -> None:
    """Print the JSON Schema (draft 2020-12) of the JSON report."""
    from importlib import resources

    from lipcert.cli.outputs import Target, check, put

    target = Target(format="json", path=None if output is None or str(output) == "-" else output)
    check([target], overwrite=overwrite)
    put(resources.files("lipcert.records").joinpath("report.schema.json").read_text(encoding="utf-8"), target)
