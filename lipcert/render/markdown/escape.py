"""Untrusted text in Markdown: names must come out as text, whatever they hold."""

from __future__ import annotations

import re

from lipcert.render.style import visible

# An underscore inside a word marks nothing up, and names are full of them.
_SPECIAL = re.compile(r"([\\`*\[\]|~#$]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z]))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_LINKS = re.compile(r"(?i)(https?|ftp):(?=//)|www\.")


def escape(text: str) -> str:
    """`text` so that Markdown and HTML show it as it is: no table breaks, no links, no mentions, no line breaks."""
    shown = "".join(_ENTITIES.get(char, char) for char in visible(text))
    shown = _SPECIAL.sub(r"\\\1", shown.replace("&#64;", "\0")).replace("\0", "&#64;")
    return _LINKS.sub(lambda match: match[0][:-1] + f"&#{ord(match[0][-1])};", shown)


def table(headers: list[str], rows: list[list[str]]) -> str:
    """A table whose cells are escaped; the first column is text, the others are numbers."""
    rule = ["---", *("---:" for _ in headers[1:])]
    cells = [[escape(cell) or " " for cell in row] for row in [headers, *rows]]
    lines = [f"| {' | '.join(row)} |" for row in (cells[0], rule, *cells[1:])]
    return "\n".join(lines)


def bullets(items: list[str]) -> str:
    """A list, an item a line."""
    return "\n".join(f"- {escape(item)}" for item in items)
