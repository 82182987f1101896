"""Where the table with one row a sample goes."""

from __future__ import annotations

from pathlib import Path

from lipcert.cli.places import check_place
from lipcert.pipeline.per_sample_format import MARKS, PARQUET, SCHEMA, check_table


def check(path: Path | None, *, overwrite: bool) -> None:
    """Refuse a table in an unknown format, or in a place that is not for it."""
    if path is None:
        return
    check_table(path)
    check_place(path, example="samples.jsonl", kind="lipcert table of samples", ours=is_table, overwrite=overwrite)


def is_table(path: Path) -> bool:
    """Whether a file is empty or a table written by lipcert, by its first bytes; of a Parquet table, its last."""
    with path.open("rb") as file:
        head = file.read(1000)
        if head.startswith(PARQUET):
            return SCHEMA.encode() in head + file.read()
    return not head or any(head.startswith(start) and mark in head for start, mark in MARKS)
