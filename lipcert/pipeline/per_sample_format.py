"""How a table with one row a sample is told from other files."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from lipcert.errors import UsageError

SUFFIXES = (".jsonl", ".npz", ".parquet")

SCHEMA = "lipcert.per_sample"
VERSION = "1.0"

MARKS = ((b'{"index": 0, "label": ', b'"prediction": '), (b"PK\x03\x04", SCHEMA.encode()))
"""First bytes, and what stands soon after them: rows of JSON, and an archive of arrays."""

PARQUET = b"PAR1"
"""First and last bytes of a Parquet table, whose last kilobytes name the schema."""


def is_binary(path: Path) -> bool:
    """Whether a file begins like an archive or like Parquet, and so is no table of text."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", PARQUET}


def check_table(path: Path) -> None:
    """Refuse a table in a format that is not known, or that cannot be written here. Raises UsageError."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"--per-sample needs a file that ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, got {path}",
            hint="rows of JSON, arrays of numpy or a Parquet table, by the suffix",
        )
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise UsageError(
            f"{path} would be a Parquet table, and the package pyarrow is not installed",
            hint="pip install 'lipcert[parquet]', or name a .jsonl or .npz file",
        )
