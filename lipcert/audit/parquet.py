"""The leaderboard as a Parquet table."""

from __future__ import annotations

import io
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from lipcert.errors import UsageError
from lipcert.pipeline.whole_file import write_whole
from lipcert.records.audit import AuditReport
from lipcert.render.audit.documents import columns, rows


def write_parquet(report: AuditReport, path: Path) -> None:
    """Write a row a model. Raises UsageError where pyarrow is missing."""
    if find_spec("pyarrow") is None:
        raise UsageError("a Parquet table needs pyarrow", hint="pip install 'lipcert[parquet]', or use -f csv")
    pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    found = list(rows(report))
    table = pyarrow.table({name: [row[name] for row in found] for name in columns(report)})
    buffer = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({"lipcert": "lipcert.audit"}), buffer)
    write_whole(path, buffer.getvalue())
