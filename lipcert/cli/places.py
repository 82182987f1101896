"""Files named for results are looked at before any work is done."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lipcert.errors import UsageError


def check_place(path: Path, *, example: str, kind: str, ours: Callable[[Path], bool], overwrite: bool) -> None:
    """Refuse a file that could not be written, or that is not lipcert's to replace.

    example  a file name to suggest where a folder was named
    kind     what the file would hold, in words: "lipcert report"
    ours     whether an existing file is an earlier one of the kind
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder, a file is needed", hint=f"for example {path / example}")
    if not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} does not exist", hint="create it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{path} may not be written")
    if path.is_file() and not overwrite and not ours(path):
        raise UsageError(f"{path} exists and is no {kind}", hint="--overwrite replaces it all the same")


def check_distinct(*paths: Path | None) -> None:
    """Refuse one place for two results; None is no place."""
    named = [path.resolve() for path in paths if path is not None]
    if len(set(named)) < len(named):
        raise UsageError("two results would be written to the same place", hint="give each a file of its own")
