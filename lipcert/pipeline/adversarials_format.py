"""How a file of adversarial inputs, and the sheet of pictures beside it, are told from other files."""

from __future__ import annotations

from pathlib import Path

SUFFIX = ".npz"
SCHEMA = "lipcert.adversarials"
VERSION = "1.0"

ARCHIVE_MARKS = (b"PK\x03\x04", SCHEMA.encode())
SHEET_MARKS = (b"\x89PNG\r\n\x1a\n", SCHEMA.encode())
"""First bytes, and what stands soon after them."""


def sheet_of(path: Path) -> Path:
    """Where the sheet goes that belongs to a file of adversarial inputs."""
    return path.with_suffix(".png")
