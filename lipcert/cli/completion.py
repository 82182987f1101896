"""What a shell offers after an option: the words it knows. Nothing here may be slow to import."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def completer(words: Sequence[str]) -> Callable[[str], list[str]]:
    """A function that typer asks for completions of what was typed so far.

    Of a list with commas the last entry is completed.
    """

    def complete(incomplete: str) -> list[str]:
        done, comma, last = incomplete.rpartition(",")
        return [done + comma + word for word in words if word.startswith(last.lower())]

    return complete


def words_of(metavar: str | None) -> tuple[str, ...]:
    """The words a metavar spells out: those of "auto|always|never"; none of "FILE"."""
    if metavar is None or "|" not in metavar:
        return ()
    return tuple(word.partition("[")[0] for word in metavar.split("|"))
