"""What `lipcert schema` does with its options."""

from __future__ import annotations

from importlib import resources
from typing import Any

from lipcert.cli import values
from lipcert.cli.outputs import Target, check, put
from lipcert.cli.schema import SCHEMA


def run(given: dict[str, Any]) -> int:
    """Print the schema of one document, and return 0."""
    name = values.choice(given["document"], "schema", SCHEMA.options["document"].known()) or "report"
    path = given["output"]
    target = Target(format="json", path=None if path is None or str(path) == "-" else path)
    check([target], overwrite=given["overwrite"])
    put(resources.files("lipcert.records").joinpath(f"{name}.schema.json").read_text(encoding="utf-8"), target)
    return 0
