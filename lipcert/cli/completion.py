"""What a shell is told when it asks how a command line may go on.

The answers come from the table of options alone: a shell asks at every press of the tabulator key, and building the
command line as typer has it takes four times as long as all that is done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lipcert.cli.option import Command, Group, Option
from lipcert.cli.table import ROOT

_HELP = {"--help": "Show this message and exit.", "-h": "Show this message and exit."}
_AT_THE_TOP = {
    "--version": "Show the version and exit.",
    "--install-completion": "Install completion for the current shell.",
    "--show-completion": "Show completion for the current shell, to copy it or customize the installation.",
}


class Answer(NamedTuple):
    """A word that may stand where one is being typed, and what it means."""

    word: str
    meaning: str = ""


def answers(words: Sequence[str], begun: str) -> list[Answer]:
    """How `begun`, the word after `words`, may go on; none where a file may, or where nothing is known."""
    place, rest = _place([word for word in words if word != "="])
    begun = "" if begun == "=" else begun
    if isinstance(place, Command):
        return _after_command(place, rest, begun)
    if begun.startswith("-"):
        default = next((each for each in place.commands if each.name == place.default), None)
        if isinstance(default, Command):
            return _names(default, rest, begun)
        return _that_begin(begun, _AT_THE_TOP | _HELP if place is ROOT else _HELP)
    listed = {each.name: each.help.partition("\n")[0] for each in place.commands if each.name != place.default}
    return _that_begin(begun, listed)


def _place(words: Sequence[str]) -> tuple[Command | Group, Sequence[str]]:
    """The command that is being typed, or the group whose command is not yet named; and the words after it."""
    place: Command | Group = ROOT
    while isinstance(place, Group):
        named = {each.name: each for each in place.commands}
        plain = next((word for word in words if not word.startswith("-")), "")
        if plain in named:
            place, words = named[plain], words[words.index(plain) + 1 :]
        elif place.default is not None and words:
            place = named[place.default]
        else:
            break
    return place, words


def _after_command(command: Command, words: Sequence[str], begun: str) -> list[Answer]:
    if "--" not in words and begun.startswith("-"):
        flag, joined, value = begun.partition("=")
        if not joined:
            return _names(command, words, begun)
        option = _flags(command).get(flag)
        return [] if option is None else [Answer(f"{flag}={each.word}") for each in _values(option, value)]
    awaited, count = _awaited(command, words)
    if awaited is None:
        arguments = [option for option in command.options.values() if option.is_argument]
        awaited = arguments[count] if count < len(arguments) else None
    return [] if awaited is None else _values(awaited, begun)


def _awaited(command: Command, words: Sequence[str]) -> tuple[Option | None, int]:
    """The option whose value comes next, if any, and how many arguments there are already."""
    flags, awaited, count = _flags(command), None, 0
    for position, word in enumerate(words):
        if awaited is not None:
            awaited = None
        elif word in flags and "--" not in words[:position]:
            awaited = None if flags[word].kind == "flag" else flags[word]
        elif not word.startswith("-"):
            count += 1
    return awaited, count


def _flags(command: Command) -> dict[str, Option]:
    options = command.options.items()
    return {flag: option for name, option in options if not option.is_argument for flag in option.names(name)}


def _names(command: Command, words: Sequence[str], begun: str) -> list[Answer]:
    """Names of options that may still be given."""
    found: dict[str, str] = {}
    for name, option in command.options.items():
        names = option.names(name)
        if not option.is_argument and (option.kind == "many" or not set(names) & set(words)):
            found |= dict.fromkeys([*names, *([option.off] if option.off else [])], option.text)
    return _that_begin(begun, found | _HELP)


def _values(option: Option, begun: str) -> list[Answer]:
    """Words an option knows; of a list with commas the last entry is completed."""
    done, comma, last = begun.rpartition(",")
    return [Answer(done + comma + word) for word in option.known() if word.startswith(last.lower())]


def _that_begin(begun: str, known: dict[str, str]) -> list[Answer]:
    return [Answer(word, meaning) for word, meaning in known.items() if word.startswith(begun)]
