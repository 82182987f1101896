"""A commented configuration from a model's present numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

from lipcert.policy.wording import value_text
from lipcert.records import ModelRecord
from lipcert.records.metrics import Reading, look_up, readings, resolve

_SLACK = 0.01
_ROOM = 1.05

_TOP = """\
# What lipcert check holds models to. lipcert explain check tells what each key means.
# Written from the numbers of {model}; each check leaves a little room below or above them.
schema = 1

# Checks of this level and above decide the exit code: "error", "warning" or "never".
fail-on = "error"

# The file is read as its runtime reads it, and the samples seem to be fed as in training.
preset = "sanity"
"""
_BOTTOM = """
# Worse than an earlier report by more than this is an error:
#   lipcert check {model} --report json=baseline.json      writes one
#   lipcert check {model} --baseline baseline.json         compares with it
# Then add to a check, for example:  regression = "1%"

# To let a check fail for a while, with a reason and a last day:
# [[ignore]]
# check = "lipschitz.l2"
# model = "*"
# reason = "known, fixed in the next release"
# expires = 2030-01-31
"""


def draft(model: ModelRecord, sections: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of a lipcert.toml.

    sections  "data", "preprocess", "analysis" -> keys and values that the numbers were measured with
    """
    everything = readings(model)
    parts = [_TOP.format(model=_comment(model.path))]
    parts += [_section(name, table) for name, table in sections.items() if table]
    parts += _checks(model, everything)
    return "\n".join([*parts, _BOTTOM.format(model=_comment(model.path)).lstrip("\n")])


def _comment(text: str) -> str:
    """A name inside a comment: one line, nothing that ends it."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _section(name: str, table: Mapping[str, Any]) -> str:
    lines = [f"{key} = {toml_value(value)}" for key, value in table.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def toml_value(value: Any) -> str:
    """A string, number, flag or list as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _checks(model: ModelRecord, everything: tuple[Reading, ...]) -> Iterator[str]:
    yield from _least("clean.accuracy", "error", model, everything)
    yield from _least("certified.accuracy", "error", model, everything)
    yield from _least("attacked.accuracy", "warning", model, everything)
    yield from _most("lipschitz.l2", "warning", model, everything)


def _least(alias: str, level: str, model: ModelRecord, everything: tuple[Reading, ...]) -> Iterator[str]:
    """A check of `min` for each number there is, below its lower end."""
    for reading in _found(alias, model, everything):
        bound = _rounded((reading.lower or 0.0) - _SLACK, ROUND_FLOOR)
        if reading.lower is not None and bound > 0:
            yield _check(alias, reading, level, f"min = {bound:g}")


def _most(alias: str, level: str, model: ModelRecord, everything: tuple[Reading, ...]) -> Iterator[str]:
    """A check of `max`, above the upper end."""
    for reading in _found(alias, model, everything):
        if reading.upper is not None:
            yield _check(alias, reading, level, f"max = {_rounded(reading.upper * _ROOM, ROUND_CEILING):g}")


def _found(alias: str, model: ModelRecord, everything: tuple[Reading, ...]) -> tuple[Reading, ...]:
    readings_found = look_up(model, resolve(alias), everything).readings
    return tuple(reading for reading in readings_found if reading.skipped is None)


def _rounded(value: float, rounding: str) -> float:
    """Two decimals for shares, three digits for what is larger."""
    digits = 3 if abs(value) >= 1 else max(1, 3 + math.floor(math.log10(abs(value)))) if value else 1
    return float(Context(prec=digits, rounding=rounding).plus(Decimal(value)))


def _check(alias: str, reading: Reading, level: str, limit: str) -> str:
    chosen = {key: value for key, value in reading.id.selectors if key in {"norm", "eps"}}
    chosen = {} if alias.startswith("lipschitz") else chosen
    name = ".".join([alias, *chosen.values()]) if chosen else alias
    lines = [f"# now {value_text(reading)}", f"[checks.{toml_value(name)}]"]
    lines += [f"metric = {toml_value(alias)}"] if chosen else []
    lines += [f"{key} = {toml_value(value)}" for key, value in chosen.items()]
    return "\n".join([*lines, f"level = {toml_value(level)}", limit, ""])
