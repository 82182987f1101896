"""A table of all results, so that nobody has to read them all: a cache, made again from the results at any time."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

from pydantic_core import from_json

from lipcert.audit.store import Store, StoreError, read_document, write_file
from lipcert.audit.summary import Row, summarise

_VERSION = "lipcert.audit-index 2"


@final
class Index:
    """key -> row, for every whole result of a store.

    A row stands for a file of the same size and time; any other file is read again. A damaged result has no row: it
    counts as missing.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._path = store.cache / "index.jsonl"
        self._known: dict[str, tuple[int, int, Row | None]] = {}

    def refresh(self) -> dict[str, Row]:
        """Look at the store, and return the rows."""
        if not self._known:
            self._known = dict(self._read())
        before, self._known = self._known, {}
        changed = False
        for key, size, when, path in self._files():
            known = before.get(key)
            if known is None or known[:2] != (size, when):
                document = read_document(Path(path))
                known = (size, when, None if document is None else summarise(document))
                changed = True
            self._known[key] = known
        if changed or len(before) != len(self._known):
            with contextlib.suppress(StoreError):  # a store that may only be read is still read
                self._write()
        return {key: row for key, (_, _, row) in self._known.items() if row is not None}

    @property
    def damaged(self) -> list[str]:
        """Keys of results that cannot be read."""
        return sorted(key for key, (_, _, row) in self._known.items() if row is None)

    def _files(self) -> Iterator[tuple[str, int, int, str]]:
        with os.scandir(self.store.results) as entries:
            for entry in entries:
                if entry.name.endswith(".json") and not entry.name.startswith("."):
                    try:
                        status = entry.stat()
                    except OSError:
                        continue
                    yield entry.name.removesuffix(".json"), status.st_size, status.st_mtime_ns, entry.path

    def _read(self) -> Iterator[tuple[str, tuple[int, int, Row | None]]]:
        """The index as stored; nothing where it is damaged or of another version."""
        try:
            with self._path.open(encoding="utf-8") as file:
                if file.readline().strip() != _VERSION:
                    return
                for line in file:
                    key, size, when, row = from_json(line)  # keeps the names of fields once, and not once a row
                    yield str(key), (int(size), int(when), row)
        except (OSError, ValueError, TypeError):
            return

    def _write(self) -> None:
        lines = [_VERSION]
        rows: list[list[Any]] = [[key, *self._known[key]] for key in sorted(self._known)]
        lines += [json.dumps(row, separators=(",", ":")) for row in rows]
        write_file(self._path, "\n".join(lines) + "\n")
