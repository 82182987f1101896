"""How a report may look on its way out, and which characters that leaves."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import final

from lipcert.records import Soundness
from lipcert.render.notation import BROKEN, EIGHTHS, SPARKS, UNDECIDED

MEASURED = "measured"
MARKS = {
    Soundness.PROVED: "●",
    Soundness.EXACT: "◆",
    Soundness.PROBABILISTIC: "◐",
    Soundness.ESTIMATE: "~",
    Soundness.HEURISTIC: "?",
    MEASURED: "○",
}
SEPARATOR = " · "
_ASCII = str.maketrans(
    dict(zip(SPARKS, "_.:-=+*#", strict=True))
    | dict(zip(EIGHTHS[1:], "    ####", strict=True))
    | {UNDECIDED: "?", BROKEN: ".", "●": "#", "◆": "=", "◐": "^", "○": "o", "·": "|"}
)
SYMBOLS = "".join(map(chr, _ASCII))
_COMMANDS = re.compile(
    r"\[(?<=##\[)|::(?=(?:error|warning|notice|debug|group|endgroup|add-mask|stop-commands|echo|add-matcher|"
    r"remove-matcher|save-state|set-env|set-output|add-path)(?: |::))"
)
"""What GitHub's runner takes for a command in a log: ##[error] anywhere, ::error:: where a line begins."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The space and the characters a renderer has: columns, ANSI colour, and whether more than ASCII.

    `dense` lets sections stand side by side where the width allows it: for a screen, not for a log. `verbose` asks for
    every table. `sheet` is a PNG of adversarial examples, for a format that shows pictures.
    """

    width: int = 160
    color: bool = False
    unicode: bool = True
    dense: bool = False
    verbose: bool = False
    sheet: bytes | None = None

    def spell(self, text: str) -> str:
        r"""`text` with every character visible and, where only ASCII will do, in ASCII, one column for one.

        Names of models, layers and files are untrusted: control characters, ANSI escapes, line breaks and
        direction marks come out as escapes like \x1b.
        """
        shown = visible(text)
        return shown if self.unicode else shown.translate(_ASCII).encode("ascii", "backslashreplace").decode()


def visible(text: str) -> str:
    """`text` with every character that moves the cursor, hides, or reorders its neighbours spelled as an escape."""
    text = _COMMANDS.sub(lambda match: _escape(match[0][0]) + match[0][1:], text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _is_harmless(char) else _escape(char) for char in text)


def _is_harmless(char: str) -> bool:
    return char == " " or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def _escape(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode() if ord(char) > 127 else f"\\x{ord(char):02x}"
