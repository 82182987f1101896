"""Options completed from a configuration: what was typed or stands in the environment counts before the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lipcert.cli.analyze import OPTIONS
from lipcert.cli.option import Option
from lipcert.policy import CheckSpec, Setting, analyses_needed, balls_needed


def completed(given: Mapping[str, Any], settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Every option of analyze: as given, else as configured, else not given."""
    found = not_given() | dict(given)
    for name, setting in settings.items():
        if name in OPTIONS and not is_given(found[name]):
            found[name] = typed(setting.value, OPTIONS[name])
    return found


def not_given() -> dict[str, Any]:
    """The options of analyze where nothing was typed."""
    return {name: option.absent for name, option in OPTIONS.items()}


def is_given(value: Any) -> bool:
    """Whether an option was typed or stands in the environment."""
    return value is not None and value is not False


def typed(value: Any, option: Option) -> Any:
    """A value out of a file, in the form the command line would hand over."""
    listed = isinstance(value, list | tuple)
    if option.kind == "many":
        return [str(item) for item in value] if listed else [str(value)]
    if isinstance(value, bool):
        return value
    text = ",".join(map(str, value)) if listed else str(value)
    return Path(text) if option.kind == "path" else text


def needed(given: dict[str, Any], specs: tuple[CheckSpec, ...]) -> dict[str, Any]:
    """Options that ask for what the checks are judged by, and for nothing else."""
    radii, norms = balls_needed(specs)
    eps, chosen = list(given["eps"] or ()), list(given["norm"] or ())
    if radii or norms:
        chosen = [*chosen, *(norm for norm in norms if norm not in chosen)]
    only = list(analyses_needed(specs)) or ["layers"]
    return {**given, "only": only, "skip": None, "eps": [*eps, *radii] or None, "norm": chosen or None}
