"""How each shell asks for completions, and how it wants them told.

The questions are those of the scripts that `--show-completion` prints.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable

from lipcert.cli.completion import Answer, answers

_ASKED = "_LIPCERT_COMPLETE"


def is_asking() -> bool:
    """Whether a shell started this process for completions."""
    return os.environ.get(_ASKED, "") in _TELL


def run() -> int:
    """Tell the shell what it asked for, and return the exit code: 1 tells fish that there is nothing but files."""
    shell = os.environ[_ASKED]
    found = answers(*_question(shell))
    if shell == "complete_fish" and os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return 0 if found else 1
    text = _TELL[shell](found)
    sys.stdout.write(f"{text}\n" if text else "")
    return 0


def _question(shell: str) -> tuple[list[str], str]:
    """The words before the one being typed, less the command's own name, and what there is of that one."""
    if shell == "complete_bash":
        words, place = _split(os.environ.get("COMP_WORDS", "")), int(os.environ.get("COMP_CWORD", "1"))
        return words[1:place], words[place] if place < len(words) else ""
    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = _split(line)[1:]
    if shell in {"complete_zsh", "complete_fish"}:
        begins = not words or line[-1:].isspace()
        return (words, "") if begins else (words[:-1], words[-1])
    begun = os.environ.get("_TYPER_COMPLETE_WORD_TO_COMPLETE", "")
    return words[:-1] if begun else words, begun


def _split(line: str) -> list[str]:
    """The words of an unfinished command line; a quote that is still open goes on to its end."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        words.append(lexer.token)
    return words


def _plain(found: list[Answer]) -> str:
    return "\n".join(answer.word for answer in found)


def _zsh(found: list[Answer]) -> str:
    told = "\n".join(":".join(f'"{_escaped(part)}"' for part in answer if part) for answer in found)
    return f"_arguments '*: :(({told}))'" if told else "_files"


def _escaped(text: str) -> str:
    """Text within double quotes within single ones, where zsh reads a colon as the start of a meaning."""
    for special, safe in (('"', '""'), ("'", "''"), ("$", r"\$"), ("`", r"\`"), (":", r"\\:")):
        text = text.replace(special, safe)
    return text


def _fish(found: list[Answer]) -> str:
    return "\n".join(f"{answer.word}\t{answer.meaning}".rstrip() for answer in found)


def _powershell(found: list[Answer]) -> str:
    return "\n".join(f"{answer.word}:::{answer.meaning or ' '}" for answer in found)


_TELL: dict[str, Callable[[list[Answer]], str]] = {
    "complete_bash": _plain,
    "complete_zsh": _zsh,
    "complete_fish": _fish,
    "complete_powershell": _powershell,
    "complete_pwsh": _powershell,
}
