"""Values of a TOML document as the command line would have them, and what stands in an ignore."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from lipcert.errors import ConfigurationError
from lipcert.policy.schema import Kind

IGNORE_DEFAULTS: dict[str, Any] = {"check": None, "model": "*", "reason": None}
IGNORE_HINTS = {
    "check": "the id of the check to ignore",
    "model": "a glob pattern of model paths",
    "reason": "an ignore needs a reason that a reader understands next year",
}


def read_day(value: object, where: str) -> date:
    """A date of TOML, or one as text. Raises ConfigurationError."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ConfigurationError(f"expires of {where} is {value!r}", hint="a date is 2027-03-31") from None


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _list(value: object) -> tuple[str, ...] | None:
    entries = value if isinstance(value, list) else [value]
    found = [_text(entry) for entry in entries]
    return None if None in found or not found else tuple(text for text in found if text is not None)


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _plain(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


TYPED: dict[Kind, Any] = {
    "text": _text,
    "number": _text,
    "list": _list,
    "numbers": _list,
    "flag": _flag,
    "path": _plain,
}
NEEDED: dict[Kind, str] = {
    "text": "text",
    "number": "a number",
    "list": "a list of words",
    "numbers": "a number or a list of them",
    "flag": "true or false",
    "path": "a path",
}
