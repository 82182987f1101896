"""On which line of a TOML file a table or key begins: tomllib does not say."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

Keys = tuple[str, ...]


def line_numbers(text: str) -> dict[Keys, int]:
    """Path of keys -> number of the first line that opens it, from 1.

    A table's header counts, or the first key written into it. Elements of arrays of tables are numbered:
    ("ignore", "0"), ("ignore", "1").
    """
    found: dict[Keys, int] = {}
    table: Keys = ()
    seen: dict[Keys, int] = {}
    quotes = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quotes:
            quotes = "" if quotes in line else quotes
            continue
        stripped = line.strip()
        if stripped.startswith("["):
            header = _header(stripped)
            if header is not None:
                keys, repeated = header
                table = _numbered(keys, seen) if repeated else keys
                _note(found, table, number)
                continue
        key = _key(stripped)
        if key:
            _note(found, (*table, *key), number)
            quotes = _opens(stripped.partition("=")[2])
    return found


def _note(found: dict[Keys, int], keys: Keys, number: int) -> None:
    for end in range(1, len(keys) + 1):
        found.setdefault(keys[:end], number)


def _numbered(keys: Keys, seen: dict[Keys, int]) -> Keys:
    seen[keys] = seen.get(keys, -1) + 1
    return (*keys, str(seen[keys]))


def _header(line: str) -> tuple[Keys, bool] | None:
    """Keys of a `[table]` or `[[array]]` header, and whether it is the latter; None where the line is neither."""
    try:
        document = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    return (tuple(_descend(document)), line.startswith("[[")) if document else None


def _key(line: str) -> Keys:
    """Keys of a `dotted."key" = value` line; none where the line is something else."""
    if not line or line.startswith("#") or "=" not in line:
        return ()
    for position, char in enumerate(line):
        if char == "=":
            try:
                return tuple(_descend(tomllib.loads(f"{line[:position]} = true")))
            except tomllib.TOMLDecodeError:
                continue
    return ()


def _descend(document: object) -> Iterator[str]:
    while isinstance(document, dict | list) and document:
        if isinstance(document, list):
            document = document[0]
            continue
        key = next(iter(document))
        yield key
        document = document[key]


def _opens(value: str) -> str:
    """The quotes of a string that goes on over the next lines."""
    return next((mark for mark in ('"""', "'''") if value.count(mark) == 1), "")
