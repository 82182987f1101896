"""Where results stand: one JSON file a model, named by what it was computed from.

results/<key>.json     the report on one model, or the error it ended in; written whole or not at all
attempts/<key>.jsonl   a line for each start and each end, appended
zoo.jsonl              what was last asked for: names, families and keys
cache/                 what can be computed again from the rest

No lock is taken, so that a store on a network file system serves many machines at once: two that happen to analyse
the same model write the same name, and each rename is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

from pydantic_core import from_json

from lipcert.errors import LipcertError, UsageError
from lipcert.pipeline.whole_file import write_whole


@final
class StoreError(LipcertError):
    """The store cannot be written: a full disk, a folder without permission."""

    code = "store"


@final
class Store:
    """The folder of one audit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.results, self.attempts, self.cache = root / "results", root / "attempts", root / "cache"
        self.zoo = root / "zoo.jsonl"

    def create(self) -> None:
        """Make the folders. Raises UsageError where something else stands in their place, or nothing may be written."""
        try:
            for folder in (self.results, self.attempts, self.cache):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"the folder {self.root} cannot hold an audit: {error.strerror}", hint="name another --output-dir"
            ) from error
        if not os.access(self.results, os.W_OK):
            raise UsageError(f"{self.results} may not be written", hint="name another --output-dir")

    def check(self) -> None:
        """Raises UsageError where no audit has been run here."""
        if not self.results.is_dir():
            raise UsageError(f"{self.root} holds no audit", hint="name its folder with --output-dir")

    def result(self, key: str) -> Path:
        """Where the result of a task stands."""
        return self.results / f"{key}.json"

    def read(self, key: str) -> dict[str, Any] | None:
        """The result of a task; None where there is none, or a damaged one."""
        return read_document(self.result(key))

    def write(self, key: str, text: str) -> None:
        """Put a result in its place. Raises StoreError."""
        write_file(self.result(key), text)

    def log(self, key: str, **event: Any) -> None:
        """Append a line to the attempts of a task; one write, so that a line is whole. Raises StoreError."""
        line = json.dumps(event, sort_keys=True).encode() + b"\n"
        path = self.attempts / f"{key}.jsonl"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}", hint=_RESUME) from error

    def tries(self, key: str) -> Iterator[dict[str, Any]]:
        """What was tried for a task, in order; a line that a crash cut short is left out."""
        try:
            lines = (self.attempts / f"{key}.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return
        for line in lines:
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found


_RESUME = "what is done stays done; the same command goes on from here once there is room"


def write_file(path: Path, text: str) -> None:
    """Write a file of the store whole. Raises StoreError."""
    try:
        write_whole(path, text.encode("utf-8", "backslashreplace"))
    except LipcertError as error:
        raise StoreError(error.message, hint=_RESUME) from error


def read_document(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None where there is none, or the file is damaged."""
    try:
        found = from_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
