"""What `lipcert explain` does with its options."""

from __future__ import annotations

import json
import sys
from typing import Any

from lipcert.cli import streams, values
from lipcert.errors import UsageError
from lipcert.render.explain import PAGES, find, read
from lipcert.render.explain.page import Page
from lipcert.render.listing import listing


def run(given: dict[str, Any]) -> int:
    """Print one page, or the list of all, and return 0."""
    wanted = values.choice(given["format"], "--format", ("text", "json", "markdown")) or "text"
    wanted = "json" if given["json"] else wanted
    if given["topic"] is None:
        _write(_index(wanted), wanted)
        return 0
    page = find(given["topic"])
    if page is None:
        names = [name for page in PAGES for name in (page.id, *page.aliases)]
        raise UsageError(f"nothing is called {given['topic']!r}", hint=_hint(given["topic"], names))
    text = read(page)
    _write(_document([page], text) if wanted == "json" else text, wanted)
    return 0


def _hint(topic: str, names: list[str]) -> str:
    hint = values.nearest(topic, names)
    return hint if hint.startswith("did you") else "lipcert explain lists everything that is explained"


def _index(wanted: str) -> str:
    if wanted == "json":
        return _document(PAGES)
    if wanted == "markdown":
        rows = [f"| `{page.id}` | {', '.join(page.aliases)} | {page.meaning} |" for page in PAGES]
        return "\n".join(["| id | also | meaning |", "|---|---|---|", *rows]) + "\n"
    shown = listing({page.id: page.meaning for page in PAGES}, streams.width_of(sys.stdout), indent="  ")
    return f"lipcert explain ID tells more about each of these.\n\n{shown}"


def _document(pages: tuple[Page, ...] | list[Page], text: str | None = None) -> str:
    entries = [{"id": page.id, "aliases": list(page.aliases), "meaning": page.meaning} for page in pages]
    if text is not None:
        entries[0]["text"] = text
    return json.dumps({"schema": "lipcert.explain", "schema_version": "1.0", "pages": entries}, indent=2) + "\n"


def _write(text: str, wanted: str) -> None:
    if wanted == "text" and streams.wants_color(sys.stdout):
        text = "".join(_bold(line) for line in text.splitlines(keepends=True))
    streams.write_result(text)


def _bold(line: str) -> str:
    return f"\x1b[1m{line.rstrip()}\x1b[0m\n" if line.startswith("#") else line
