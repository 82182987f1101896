"""A report shown by rich, in whatever console it is printed to."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions
from rich.text import Text

from lipcert.records import Report
from lipcert.render.style import Style
from lipcert.render.terminal import render


def segments(report: Report, console: Console, options: ConsoleOptions) -> Iterator[Text]:
    """The terminal report at the console's width, in its colours and characters."""
    style = Style(
        width=options.max_width,
        color=console.color_system is not None,
        unicode=not options.ascii_only,
    )
    yield Text.from_ansi(render(report, style).rstrip("\n"), no_wrap=True)
