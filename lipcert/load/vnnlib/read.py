"""From a `.vnnlib` file, plain or gzipped, to a property."""

from __future__ import annotations

import zlib
from pathlib import Path

from lipcert.errors import DataError, UsageError
from lipcert.load.vnnlib.declarations import Declarations
from lipcert.load.vnnlib.expression import Expression, Tree, read_expressions, shown
from lipcert.load.vnnlib.normal_form import Property, assemble, normal_form

_LARGEST = 512 * 2**20
_GZIP = b"\x1f\x8b"


def read_property(path: Path, data: bytes | None = None) -> Property:
    """The property in a file, read as VNN-LIB 1.0 or 2.0.

    data  the file's bytes where they have been read already

    Raises:
        UsageError: no such file.
        DataError: no VNN-LIB, or more of it than boxes of inputs and linear constraints on outputs.
    """
    if data is None:
        data = read_bytes(path)
    try:
        return parse_property(_unpacked(data).decode())
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text", hint="A .vnnlib file, plain or gzipped, is expected.") from error
    except DataError as error:
        raise DataError(f"{path}: {error.message}", hint=error.hint) from error


def read_bytes(path: Path) -> bytes:
    """The content of a property file. Raises UsageError where there is none to read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"property file {path} cannot be read: {error.strerror}", hint="Check the path.") from error


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(data, _LARGEST)
    except zlib.error as error:
        raise DataError("the gzip file is damaged") from error
    if unpacker.unconsumed_tail:
        raise DataError(f"the gzip file unpacks to more than {_LARGEST // 2**20} MiB")
    if not unpacker.eof:
        raise DataError("the gzip file is cut short")
    return text


def parse_property(text: str) -> Property:
    """The property a text states. Raises DataError, with the line, on anything that is not read."""
    declared, assertions = Declarations(), list[Expression]()
    for statement in read_expressions(text):
        head = statement.head if isinstance(statement, Tree) else ""
        if isinstance(statement, Tree) and head in ("declare-const", "declare-network"):
            declared.add(statement)
        elif isinstance(statement, Tree) and head == "assert" and len(statement.items) == 2:
            assertions.append(statement.items[1])
        elif head not in ("vnnlib-version", "set-logic", "set-info", "check-sat", "exit"):
            raise DataError(
                f"line {statement.line}: a declaration or (assert ...) was expected, got {shown(statement)}",
                hint="VNN-LIB 1.0 is read, and 2.0 with one network.",
            )
    found = declared.count("X"), declared.count("Y")
    if not all(found):
        raise DataError(f"{found[0]} inputs and {found[1]} outputs are declared; some of each are needed")
    if not assertions:
        raise DataError("nothing is asserted")
    return assemble(*normal_form(assertions, declared), declared)
