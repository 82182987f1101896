"""The first line of an outcome: a word that stands out, and a sentence that stays with it where there is room."""

from __future__ import annotations

from rich.text import Text

from lipcert.render.terminal.ink import Ink


def verdict_lines(ink: Ink, word: str, role: str, sentence: str) -> list[Text]:
    """Word and sentence on one line, or below each other where they do not fit."""
    first, rest = ink.text(word, role), ink.text(sentence, "heading")
    if len(word) + 2 + len(sentence) <= ink.width:
        return [first.append("  ").append_text(rest)]
    return [first, rest]
