"""Reading from a child that may write anything, or stop in the middle of a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, final

_MOST = 1 << 30
_CHUNK = 1 << 18
_TAIL = 2000


@final
class JsonLines:
    """JSON documents from a pipe, one a line. Nothing here blocks; what is no JSON object is dropped."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self._parts: list[bytes] = []
        self._length = 0
        os.set_blocking(pipe, False)

    def read(self) -> Iterator[dict[str, Any]]:
        """The documents that have arrived since."""
        while data := _read(self.pipe):
            *whole, rest = data.split(b"\n")
            for line in whole:
                document = _document(b"".join((*self._parts, line)))
                self._parts, self._length = [], 0
                if document is not None:
                    yield document
            self._length += len(rest)
            if self._length > _MOST:  # no record is that long
                self._parts, self._length = [], 0
            elif rest:
                self._parts.append(rest)


@final
class Tail:
    """The last words from a pipe that is read on and on, so that nobody who prints has to wait."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self._kept = b""
        os.set_blocking(pipe, False)

    def read(self) -> None:
        """Take in a share of what has arrived; an endless stream must not keep the reader from its other work."""
        for _ in range(16):
            data = _read(self.pipe)
            if not data:
                return
            self._kept = (self._kept + data)[-_TAIL:]

    @property
    def words(self) -> str:
        """The last non-empty line, as text."""
        lines = [line.strip() for line in self._kept.decode("utf-8", "replace").splitlines()]
        found = next((line for line in reversed(lines) if line), "")
        return "".join(character if character.isprintable() else " " for character in found)[-200:]


def _read(pipe: int) -> bytes:
    try:
        return os.read(pipe, _CHUNK)
    except (BlockingIOError, OSError):
        return b""


def _document(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
