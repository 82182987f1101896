"""stdout holds the result and nothing else; all that is said along the way goes to stderr."""

from __future__ import annotations

import os
import shutil
import sys
from typing import IO, TYPE_CHECKING

from lipcert.errors import LipcertError

if TYPE_CHECKING:
    from lipcert.render import Style

PIPED_WIDTH = 160
_NARROWEST, _WIDEST = 60, 200


def wants_color(stream: IO[str] | None, choice: str = "auto") -> bool:
    """Whether ANSI colours belong on `stream`: the option, then NO_COLOR, FORCE_COLOR, TERM, a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether someone watches this stream live."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def width_of(stream: IO[str] | None) -> int:
    """Columns to fill: those of the terminal, or COLUMNS, or 160 in a pipe, where nothing must be cut short."""
    fallback = PIPED_WIDTH if not is_terminal(stream) else 80
    if is_terminal(stream) or os.environ.get("COLUMNS", "").isdecimal():
        columns = shutil.get_terminal_size((fallback, 24)).columns
    else:
        columns = fallback
    return min(max(columns, _NARROWEST), _WIDEST)


def can_show(stream: IO[str] | None, characters: str) -> bool:
    """Whether the stream's encoding has all of `characters`."""
    try:
        characters.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def style_of(stream: IO[str] | None, color: str = "auto") -> Style:
    """The style a report must keep to on `stream`."""
    from lipcert.render import Style
    from lipcert.render.style import SYMBOLS

    return Style(
        width=width_of(stream),
        color=wants_color(stream, color),
        unicode=can_show(stream, SYMBOLS),
        dense=is_terminal(stream),
    )


def write_result(text: str, *, encoding: str | None = None) -> None:
    """Write to stdout and flush. A reader that went away is no error; a full disk is.

    encoding  that of the format (JSON is UTF-8 everywhere); None for the stream's own, with escapes for what it lacks
    """
    stream = sys.stdout
    if stream is None:
        return
    try:
        data = text.encode(encoding or stream.encoding or "utf-8", "backslashreplace")
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            stream.write(data.decode(encoding or stream.encoding or "utf-8"))
        else:
            stream.flush()
            buffer.write(data)
        stream.flush()
    except BrokenPipeError:
        abandon_stdout()
    except OSError as error:
        abandon_stdout()
        raise LipcertError(f"the result could not be written to stdout: {error.strerror}") from error


def abandon_stdout() -> None:
    """Send what is left in the buffer nowhere, so that closing stdout at exit does not fail once more."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = None


def say(text: str) -> None:
    """One message on stderr. Its lines are the message's own; everything else that moves the cursor is spelled out."""
    from lipcert.render.style import visible

    if sys.stderr is None:
        return
    try:
        sys.stderr.write("\n".join(visible(line) for line in text.split("\n")) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return
