"""What files are, by content: hashed once as long as they do not change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from pathlib import Path
from typing import final

from lipcert.audit.store import Store, StoreError, write_file
from lipcert.errors import UsageError

_BLOCK = 1 << 22
# A StringStringEntry of ONNX whose key is "location": where a tensor's data stand outside the file.
_LOCATION = re.compile(rb"\n\x08location\x12(?:([\x01-\x7f])|([\x80-\xff])([\x01-\x7f]))")


@final
class Files:
    """sha256 of files by path, size and time; kept in the store's cache."""

    def __init__(self, store: Store | None = None) -> None:
        self._path = None if store is None else store.cache / "files.jsonl"
        self._known: dict[str, tuple[int, int, str]] = {}
        self._changed = False
        self._read()

    def digest(self, path: Path) -> str:
        """sha256 of a file, or of the listing of a folder with sizes and times. Raises UsageError."""
        name = os.path.abspath(path)  # noqa: PTH100  links are not followed: the name is what was asked for
        try:
            status = path.stat()
            known = self._known.get(name)
            if known is not None and known[:2] == (status.st_size, status.st_mtime_ns):
                return known[2]
            found = _folder(path) if path.is_dir() else _contents(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error
        self._known[name] = (status.st_size, status.st_mtime_ns, found)
        self._changed = True
        return found

    def digest_or_none(self, path: Path) -> str | None:
        """The digest of a file; None where it cannot be read."""
        try:
            return self.digest(path)
        except UsageError:
            return None

    def save(self) -> None:
        """Keep what was hashed; a cache that cannot be written is done without."""
        if self._path is None or not self._changed:
            return
        lines = [json.dumps([name, *known]) for name, known in sorted(self._known.items())]
        with contextlib.suppress(StoreError):
            write_file(self._path, "\n".join(lines) + "\n")

    def _read(self) -> None:
        if self._path is None:
            return
        with contextlib.suppress(OSError, ValueError, TypeError), self._path.open(encoding="utf-8") as file:
            for line in file:
                name, size, when, digest = json.loads(line)
                self._known[str(name)] = (int(size), int(when), str(digest))


def _contents(path: Path) -> str:
    """sha256 of a file, and of the files an ONNX model keeps its tensors in."""
    sha = hashlib.sha256()
    beside: set[str] = set()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha.update(block)
            if path.suffix == ".onnx":
                beside |= _locations(block)
    for name in sorted(beside):
        other = path.parent / name
        with contextlib.suppress(OSError):
            if other.is_file() and not other.is_symlink():
                sha.update(hashlib.file_digest(other.open("rb"), "sha256").digest())
    return sha.hexdigest()


def _locations(block: bytes) -> set[str]:
    found = set()
    for match in _LOCATION.finditer(block):
        short, low, high = match.groups()
        length = short[0] if short else (low[0] & 0x7F) | high[0] << 7
        name = block[match.end() : match.end() + length].decode("utf-8", "replace")
        if "/" not in name.lstrip("./") and ".." not in name:
            found.add(name)
    return found


def _folder(path: Path) -> str:
    sha = hashlib.sha256()
    for each in sorted(path.rglob("*")):
        if each.is_file():
            status = each.stat()
            sha.update(f"{each.relative_to(path)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return sha.hexdigest()
