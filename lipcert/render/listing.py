"""Names with their meanings, wrapped to a width: what commands print that are no report."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

_NARROWEST = 20


def listing(rows: Mapping[str, str], width: int, *, indent: str = "") -> str:
    """One row a name; what does not fit goes on below its beginning. Every line ends with a newline."""
    column = max(map(len, rows), default=0) + 2
    room = max(width - len(indent) - column, _NARROWEST)
    lines = []
    for name, meaning in rows.items():
        first, *rest = textwrap.wrap(meaning, room, break_on_hyphens=False) or [""]
        lines.append(f"{indent}{name:<{column}}{first}".rstrip())
        lines += [f"{indent}{'':<{column}}{line}" for line in rest]
    return "".join(f"{line}\n" for line in lines)
