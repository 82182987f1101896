"""Records to JSON and back, and their JSON Schema, through pydantic. Imported lazily: it costs 0.2 s."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from lipcert.records.audit import AuditReport
from lipcert.records.cap import CapReport
from lipcert.records.certify import CertifyReport
from lipcert.records.compare import CompareReport
from lipcert.records.configuration import ConfigReport
from lipcert.records.inspect import InspectReport
from lipcert.records.report import Report

Document = Literal["report", "certify", "compare", "audit", "cap", "inspect", "config"]
DOCUMENTS: dict[Document, Any] = {
    "report": Report,
    "certify": CertifyReport,
    "compare": CompareReport,
    "audit": AuditReport,
    "cap": CapReport,
    "inspect": InspectReport,
    "config": ConfigReport,
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LONE = re.compile("[\ud800-\udfff]")
_ADAPTERS: dict[type, TypeAdapter[Any]] = {}
T = TypeVar("T")


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """What reads and writes records of one kind. It takes a while to build, and is built once."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _reject_non_finite(value: Any, path: str) -> None:
    """Raise ValueError where a NaN or an infinity hides; pydantic would write null in its place."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{path} is {value}: a report holds finite numbers only")
    if isinstance(value, dict):
        for key, item in value.items():
            _reject_non_finite(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _reject_non_finite(item, f"{path}[{index}]")


def to_json(report: object) -> str:
    """The report as one strict JSON document, two-space indented, ending in a newline.

    Characters that are no valid Unicode are spelled out; see `written`.
    """
    writer: TypeAdapter[Any] = adapter(type(report))
    _reject_non_finite(writer.dump_python(report, mode="python"), "report")
    document = writer.dump_python(report, mode="json")
    return written(document)


def written(document: object) -> str:
    """JSON data as text.

    Characters that are no valid Unicode (file names may hold such bytes) are spelled out, backslash and all: an escape
    of JSON's own would stand for them exactly, and most programs refuse to read it, pydantic among them.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return _LONE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text) + "\n"


def from_json(text: str | bytes) -> Report:
    """Read a report back. Raises pydantic.ValidationError on a document of another shape."""
    return adapter(Report).validate_json(text)


def read(text: str | bytes, kind: type[T]) -> T:
    """Read a record of any kind back. Raises pydantic.ValidationError on a document of another shape."""
    return adapter(kind).validate_json(text)


def json_schema(document: Document = "report") -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a document."""
    schema = TypeAdapter(DOCUMENTS[document]).json_schema(mode="serialization")
    return {"$schema": DIALECT, "$id": f"lipcert.{document}", **schema}


def schema_text(document: Document = "report") -> str:
    """The schema as shipped: sorted keys, two-space indented."""
    return json.dumps(json_schema(document), indent=2, sort_keys=True) + "\n"
