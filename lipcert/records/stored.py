"""Reports read back from files, whoever wrote them."""

from __future__ import annotations

import json
import math
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from lipcert.errors import DataError, EnclosureError
from lipcert.records.report import SCHEMA_VERSION, Report

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")
_SHOWN = 60


def read_report(path: Path) -> Report:
    """The report stored in a file.

    Raises:
        DataError: it cannot be read, is no JSON, no lipcert report, damaged, or of a later major version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    return parse_report(data, str(path))


def parse_report(data: bytes, name: str) -> Report:
    """The report in `data`; `name` says in messages where it came from. Raises DataError."""
    document = _document(data, name)
    version = _check_head(document, name)
    codec = import_module("lipcert.records.codec")
    try:
        report: Report = codec.from_json(data)
    except (ValueError, EnclosureError) as error:
        hint = "write it anew with lipcert analyze --json"
        if version > _known():
            hint = f"it was written by a later lipcert (schema {document['schema_version']}); update this one"
        raise DataError(f"{name} is a damaged lipcert report: {_first(error)}", hint=hint) from error
    return report


def _document(data: bytes, name: str) -> dict[str, Any]:
    """The strict JSON object in `data`."""
    if not data.strip():
        raise DataError(f"{name} is empty, a JSON report is needed", hint="write one with lipcert analyze --json")
    try:
        document = json.loads(data.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is no JSON report: it is not UTF-8 text", hint="lipcert report reads what -f json wrote"
        ) from error
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip())
        where = "it ends too early" if cut else f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise DataError(
            f"{name} is no complete JSON document: {where}", hint="was it cut short while written?"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is no strict JSON document: {error}") from error
    if not isinstance(document, dict):
        raise DataError(f"{name} is no lipcert report: a JSON object was expected, got {type(document).__name__}")
    return document


def _check_head(document: dict[str, Any], name: str) -> tuple[int, int]:
    """The schema's version; DataError where this is another document or too new."""
    schema, version = document.get("schema"), document.get("schema_version")
    if schema != "lipcert.report":
        got = "no schema is named" if schema is None else f"its schema is {str(schema)[:_SHOWN]!r}"
        raise DataError(f"{name} is no lipcert report: {got}", hint="a document of lipcert analyze --json is needed")
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if match is None:
        raise DataError(f"{name} has no readable schema_version, got {str(version)[:_SHOWN]!r}")
    found = int(match[1]), int(match[2])
    if found[0] > _known()[0]:
        raise DataError(
            f"{name} has schema version {version}, this lipcert reads up to {_known()[0]}.x", hint="update lipcert"
        )
    return found


def _known() -> tuple[int, int]:
    major, _, minor = SCHEMA_VERSION.partition(".")
    return int(major), int(minor)


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:_SHOWN]} is too large for a float")
    return value


def _first(error: Exception) -> str:
    """The first complaint of the validation, on one line."""
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error).splitlines()[0]
    first = errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])
