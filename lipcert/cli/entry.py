"""The way in and out of the process: always one exit code, and one JSON document where JSON was asked for."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from functools import cache
from types import FrameType
from typing import Any

import typer

from lipcert import openmp
from lipcert.cli import streams
from lipcert.cli.failures import INTERRUPTED, TERMINATED, Failure, Interrupted, classify, is_internal, keep_traceback
from lipcert.errors import UsageError


def run(arguments: Sequence[str]) -> int:
    """Run the command line `arguments` and return the exit code; no exception escapes."""
    openmp.wait_patiently()
    argv = list(arguments)
    try:
        with _signals():
            code = _invoke(argv)
    except BaseException as error:  # noqa: BLE001  the last line of defence: 1 is for a failed gate alone
        code = _report(error, argv)
    return _flushed(code)


def _invoke(argv: list[str]) -> int:
    command = _command()
    if not argv and "_LIPCERT_COMPLETE" not in os.environ:
        with contextlib.redirect_stdout(sys.stderr):
            command.main(args=["--help"], prog_name="lipcert", standalone_mode=False)
        return UsageError.exit_code
    try:
        result = command.main(args=argv, prog_name="lipcert", standalone_mode=False)
    except SystemExit as end:  # shell completion ends the process itself
        return 0 if end.code in {0, None} else UsageError.exit_code
    if result == INTERRUPTED:
        raise Interrupted(INTERRUPTED)
    return result if isinstance(result, int) else 0


@cache
def _command() -> Any:
    """The command table, built once: it takes a while."""
    from lipcert.cli.app import app

    return typer.main.get_command(app)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into one exception, once: the second one ends the process the hard way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise Interrupted(INTERRUPTED if number == signal.SIGINT else TERMINATED)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(error: BaseException, argv: list[str]) -> int:
    """Say on stderr what failed, and put the error document on stdout where JSON was asked for."""
    if isinstance(error, BrokenPipeError):
        streams.abandon_stdout()
        return 0
    if isinstance(error, Interrupted) and error.delivered:
        return error.exit_code
    failure = classify(error)
    streams.say(_message(failure))
    if is_internal(failure):
        _trace(error, argv)
    if wants_json(argv):
        from lipcert.cli.error_document import error_report
        from lipcert.render import render

        with contextlib.suppress(Exception):
            streams.write_result(render(error_report(failure, argv), "json"), encoding="utf-8")
    return failure.exit_code


def _message(failure: Failure) -> str:
    """The failure in words: where, what, and what to do."""
    where = "" if not failure.model or failure.model in failure.message else f"{failure.model}: "
    lines = [f"lipcert: {where}{failure.message}"]
    if failure.operators and failure.operators[0] not in failure.message:
        lines.append(f"  operators: {', '.join(failure.operators)}")
    return "\n".join([*lines, *([f"  hint: {failure.hint}"] if failure.hint else [])])


def _trace(error: BaseException, argv: list[str]) -> None:
    """Show the traceback with -v; without it, say where it was written."""
    if _is_verbose(argv):
        streams.say("".join(traceback.format_exception(error)).rstrip())
    elif (path := keep_traceback(error)) is not None:
        streams.say(f"  the traceback is in {path}; -v shows it here")


def wants_json(argv: Sequence[str]) -> bool:
    """Whether JSON was asked for, as far as an unparsed command line tells: the last format named wins."""
    asked = os.environ.get("LIPCERT_FORMAT", "")
    if os.environ.get("LIPCERT_JSON", "").lower() in {"1", "true", "yes", "on", "t", "y"}:
        asked = "json"
    for position, argument in enumerate(argv):
        if argument == "--":
            break
        if argument == "--json":
            asked = "json"
        elif argument in {"-f", "--format"}:
            asked = "".join(argv[position + 1 : position + 2])
        elif argument.startswith("--format="):
            asked = argument.partition("=")[2]
        elif argument.startswith("-f") and not argument.startswith("--"):
            asked = argument[2:].removeprefix("=")
    return asked.lower() == "json"


def _is_verbose(argv: Sequence[str]) -> bool:
    return os.environ.get("LIPCERT_VERBOSE", "") not in {"", "0"} or "-v" in argv or "--verbose" in argv


def _flushed(code: int) -> int:
    """Flush what the command left in stdout, so that the interpreter has nothing to fail on at exit."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        streams.abandon_stdout()
    return code
