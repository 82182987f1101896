"""From whatever went wrong to one failure: exit code, code, message, hint."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import typer

from lipcert.errors import LipcertError, UnsupportedOperatorError, UsageError

INTERRUPTED, TERMINATED, INTERNAL = 130, 143, 3
_UsageException: type[Exception] = typer.BadParameter.__mro__[1]
_PHASES = {
    "usage": "arguments",
    "configuration": "arguments",
    "no_model": "arguments",
    "data": "data",
    "model": "load",
    **dict.fromkeys(("model.timeout", "model.memory", "model.crashed", "model.killed"), "run"),
}


@final
class Interrupted(BaseException):
    """SIGINT or SIGTERM arrived. No `except Exception` on the way may swallow it.

    delivered  whether the result so far has been written, so that nothing more is to be said
    """

    def __init__(self, exit_code: int, *, delivered: bool = False) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code
        self.delivered = delivered


@final
class AboutModelError(Exception):
    """Carries the name of the model its cause is about."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure ready to be shown."""

    exit_code: int
    code: str
    message: str
    hint: str = ""
    model: str = ""
    operators: tuple[str, ...] = ()

    @property
    def phase(self) -> str:
        """The step that failed, by the kind of the error."""
        return _PHASES.get(self.code) or _PHASES.get(self.code.partition(".")[0], "run")


@contextmanager
def about(model: str) -> Iterator[None]:
    """Attach the model's name to whatever fails inside."""
    try:
        yield
    except typer.Exit:
        raise
    except (Exception, KeyboardInterrupt, SystemExit, Interrupted) as error:
        raise AboutModelError(model) from error


def classify(error: BaseException) -> Failure:
    """The failure an exception stands for. Only a gate that failed may exit 1, so no exception does."""
    if isinstance(error, AboutModelError) and error.__cause__ is not None:
        return replace(classify(error.__cause__), model=error.model)
    if isinstance(error, LipcertError):
        operators = error.operators if isinstance(error, UnsupportedOperatorError) else ()
        return Failure(
            exit_code=error.exit_code, code=error.code, message=error.message, hint=error.hint, operators=operators
        )
    if isinstance(error, _UsageException):
        return _usage(error)
    if isinstance(error, Interrupted | KeyboardInterrupt | typer.Abort):
        code = error.exit_code if isinstance(error, Interrupted) else INTERRUPTED
        return Failure(exit_code=code, code="interrupted", message="interrupted before the result was complete")
    if isinstance(error, MemoryError):
        return Failure(
            exit_code=INTERNAL,
            code="memory",
            message="out of memory",
            hint="use a smaller --batch-size or fewer --samples",
        )
    return Failure(
        exit_code=INTERNAL,
        code=LipcertError.code,
        message=f"internal error: {type(error).__name__}: {error}".strip(": "),
    )


def is_internal(failure: Failure) -> bool:
    """Whether a traceback would help: the failure is lipcert's own and not the user's."""
    return failure.code.partition(".")[0] in {"internal", "memory"}


def _usage(error: Exception) -> Failure:
    context = getattr(error, "ctx", None)
    path = "lipcert" if context is None else context.command_path
    if context is not None and context.command.hidden:  # meant without being named
        path = context.parent.command_path
    message = getattr(error, "format_message", error.__str__)()
    return Failure(exit_code=UsageError.exit_code, code=UsageError.code, message=message, hint=f"see {path} --help")


def keep_traceback(error: BaseException) -> Path | None:
    """Write the traceback to a file of its own in the temporary folder; None where that fails."""
    name = f"lipcert-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    path = Path(tempfile.gettempdir()) / name
    try:
        with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError:
        return None
    return path
