"""A file written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from lipcert.errors import LipcertError


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` in a file beside the target, flush it to disk, and rename it over the target.

    A link is followed; what is there and is no file, like a device, is written to as it is. Raises LipcertError.
    """
    try:
        _write(path.resolve(), data)
    except OSError as error:
        raise LipcertError(f"{path} could not be written: {error.strerror}") from error


def _write(goal: Path, data: bytes) -> None:
    if goal.exists() and not goal.is_file():
        goal.write_bytes(data)
        return
    # Process numbers repeat, on other machines that share the folder and after a kill that left its draft behind.
    draft = goal.with_name(f".{goal.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(goal)
    finally:
        draft.unlink(missing_ok=True)
