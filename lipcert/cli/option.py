"""What one option is, and what one command takes: plain values, from which typer's and a shell's answers come.

Nothing here may be slow to import: a shell waits for it at every press of the tabulator key. Hence named tuples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["text", "many", "path", "flag"]


class Option(NamedTuple):
    """One option, or one argument, of the command line.

    panel    heading of the group it stands under in help
    metavar  what a value looks like; "a|b" spells out the words there are
    also     other names, like "-o"
    off      name of the opposite of a flag
    words    what a shell completes, where the metavar does not spell it out
    """

    panel: str
    text: str
    metavar: str | None = None
    kind: Kind = "text"
    also: str = ""
    off: str = ""
    words: tuple[str, ...] = ()

    def names(self, name: str) -> tuple[str, ...]:
        """What a user types for the option that a command knows as `name`."""
        return ("--" + name.replace("_", "-"), *self.also.split())

    def known(self) -> tuple[str, ...]:
        """The words a value may begin with: all of "auto|always|never"; none of "FILE"."""
        if self.words or self.metavar is None or "|" not in self.metavar:
            return self.words
        return tuple(word.partition("[")[0] for word in self.metavar.strip("[]").split("|"))

    @property
    def absent(self) -> bool | None:
        """Its value where it was not given."""
        return False if self.kind == "flag" else None

    @property
    def is_argument(self) -> bool:
        """Whether it is known by its place and not by a name."""
        return not self.panel

    @property
    def is_required(self) -> bool:
        """Whether it is an argument that cannot be left out: one whose metavar stands in no brackets."""
        return self.is_argument and not (self.metavar or "").startswith("[")


def argument(metavar: str, text: str, kind: Kind = "text") -> Option:
    """An argument; in brackets, one that may be left out."""
    return Option("", text, metavar, kind)


class Command(NamedTuple):
    """One command.

    runner   module whose `run` gets what was typed, imported only then: it may need torch
    options  in the order of help
    """

    name: str
    runner: str
    help: str
    options: Mapping[str, Option]


class Group(NamedTuple):
    """Commands under one name.

    default  the command meant where none of the others is named; it is not listed
    """

    name: str
    help: str
    commands: tuple[Command | Group, ...]
    default: str | None = None
