"""The one way a string becomes part of the terminal report: spelled out, coloured by its role, laid out in columns."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, final

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lipcert.records import Soundness
from lipcert.render.style import MARKS, SEPARATOR, Style

_COLORS = {
    "heading": "bold",
    "dim": "dim",
    "proved": "green",
    "exact": "green",
    "probabilistic": "cyan",
    "measured": "yellow",
    "estimate": "magenta",
    "heuristic": "magenta",
    "note": "cyan",
    "warning": "bold yellow",
    "error": "bold red",
}
INDENT = 2


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a grid. `fold` lets it break anywhere, for names; others break at spaces or not at all."""

    header: str
    justify: Literal["left", "right"] = "right"
    role: str = ""
    fold: bool = False
    limit: int | None = None


@final
class Ink:
    """Builds renderables for one style. Strings are never read as markup."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.width = style.width

    def text(self, content: str, role: str = "") -> Text:
        """A string, every character of it visible."""
        return Text(self.style.spell(content), style=_COLORS.get(role, ""), overflow="fold")

    def heading(self, title: str, facts: Iterable[str] = ()) -> RenderableType:
        """A section's first line: its title, then what holds for all of it, which goes on below itself."""
        line, rest = self.text(title, "heading"), SEPARATOR.join(facts)
        if not rest:
            return line
        if cell_len(title) > self.width // 2:
            return line.append_text(self.text(f"  {rest}", "dim"))
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(line, self.text(rest, "dim"))
        return grid

    def mark(self, soundness: str) -> Text:
        """The mark of one kind of evidence."""
        return self.text(MARKS[soundness], soundness)

    def marked(self, content: str, soundness: Soundness | str) -> Text:
        """A number with the mark of its evidence behind it."""
        return self.text(content, str(soundness)).append(" ").append_text(self.mark(str(soundness)))

    def facts(self, items: Iterable[str]) -> Text:
        """Facts in a row."""
        return self.text(SEPARATOR.join(items))

    def block(self, *parts: RenderableType) -> RenderableType:
        """Parts below a heading, indented."""
        return Padding(Group(*parts), (0, 0, 0, INDENT))

    def section(self, heading: RenderableType, *parts: RenderableType) -> RenderableType:
        """A heading, its parts below it, and an empty line after."""
        return Group(heading, self.block(*parts), Text(""))

    def beside(self, left: RenderableType | None, right: RenderableType | None) -> RenderableType | None:
        """Two sections side by side, each in its half; one alone keeps its place."""
        if left is None or right is None:
            return left or right
        table = Table.grid(padding=(0, 4, 0, 0))
        table.add_column(width=(self.width - 4) // 2)
        table.add_column(width=(self.width - 4) // 2)
        table.add_row(left, right)
        return table

    def grid(self, columns: Sequence[Column], rows: Iterable[Sequence[str | Text]]) -> Table:
        """Aligned columns without lines; a header row where any column has one."""
        table = Table(
            box=None,
            padding=(0, 2, 0, 0),
            pad_edge=False,
            collapse_padding=True,
            show_header=any(column.header for column in columns),
            header_style="dim",
        )
        for column in columns:
            free = column.fold or column.justify == "left"
            table.add_column(
                self.text(column.header, "dim"),
                justify=column.justify,
                overflow="fold",
                no_wrap=not free,
                max_width=column.limit,
                vertical="top",
            )
        for row in rows:
            cells = zip(row, columns, strict=True)
            table.add_row(*(self.text(cell, column.role) if isinstance(cell, str) else cell for cell, column in cells))
        return table


def to_text(parts: Iterable[RenderableType], style: Style) -> str:
    """Renderables as text of at most `style.width` columns, without trailing blanks."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=style.width,
        height=100,
        force_terminal=style.color,
        force_jupyter=False,
        force_interactive=False,
        color_system="standard" if style.color else None,
        no_color=not style.color,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join(lines).strip("\n") + "\n"
