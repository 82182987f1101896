"""An exception as plain data, and back: nothing that a child sends is ever unpickled."""

from __future__ import annotations

import traceback
from typing import Any, final

from lipcert.errors import LipcertError, UnsupportedOperatorError

_NO_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "CUDA out of memory", "failed to allocate")


@final
class ChildError(LipcertError):
    """An exception of a child that is none of lipcert's own."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception, or what caused it, says that memory ran out; torch and onnxruntime have their own words."""
    if error.__cause__ is not None and is_out_of_memory(error.__cause__):
        return True
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def encode(error: BaseException) -> dict[str, Any]:
    """The exception as JSON data."""
    trace = "".join(traceback.format_exception(error))
    if is_out_of_memory(error):
        return {"code": "memory", "message": f"out of memory: {error}".removesuffix(": "), "trace": trace}
    if isinstance(error, LipcertError):
        found: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint}
        if isinstance(error, UnsupportedOperatorError):
            found["operators"] = list(error.operators)
        return {**found, "trace": trace}
    words = f"internal error: {type(error).__name__}: {error}".strip(": ")
    return {"code": "internal", "message": words, "trace": trace}


def decode(found: dict[str, Any]) -> BaseException:
    """The exception that `encode` was given, as near as its code tells; the child's traceback is its note."""
    code, message, hint = (str(found.get(name, "")) for name in ("code", "message", "hint"))
    kind = _kinds().get(code)
    error: BaseException
    if code == "memory":
        error = MemoryError(message)
    elif kind is UnsupportedOperatorError:
        operators = tuple(map(str, found.get("operators", ())))
        error = UnsupportedOperatorError(message, operators=operators, hint=hint)
    else:
        error = (kind or ChildError)(message, hint=hint)
    error.add_note(str(found.get("trace", "")))
    return error


def _kinds() -> dict[str, type[LipcertError]]:
    """Code -> the class that bears it."""
    found: dict[str, type[LipcertError]] = {}
    left = list(LipcertError.__subclasses__())
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        found.setdefault(kind.code, kind)
    found.pop(LipcertError.code, None)
    return found
