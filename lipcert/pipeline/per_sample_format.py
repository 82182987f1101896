"""How a table with one row a sample is told from other files."""

from __future__ import annotations

SUFFIXES = (".jsonl", ".npz")

SCHEMA = "lipcert.per_sample"
VERSION = "1.0"

MARKS = ((b'{"index": 0, "label": ', b'"prediction": '), (b"PK\x03\x04", SCHEMA.encode()))
"""First bytes, and what stands soon after them: rows of JSON, and an archive of arrays."""
