"""Options completed from a configuration: what was typed or stands in the environment counts before the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from lipcert.cli.analyze import PARAMETERS
from lipcert.policy import CheckSpec, Setting, analyses_needed, balls_needed


def completed(given: Mapping[str, Any], settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Every option of analyze: as given, else as configured, else not given."""
    found = {name: False if get_args(kind)[0] is bool else None for name, kind in PARAMETERS.items()} | dict(given)
    for name, setting in settings.items():
        if name in PARAMETERS and not is_given(found[name]):
            found[name] = _typed(setting.value, PARAMETERS[name])
    return found


def is_given(value: Any) -> bool:
    """Whether an option was typed or stands in the environment."""
    return value is not None and value is not False


def _typed(value: str | tuple[str, ...] | bool, annotation: Any) -> Any:
    """A configured value as typer would hand it over."""
    kinds = {getattr(kind, "__origin__", kind) for kind in (get_args(get_args(annotation)[0]) or ())}
    if list in kinds:
        return list(value) if isinstance(value, tuple) else [str(value)]
    if Path in kinds:
        return Path(str(value))
    return ",".join(value) if isinstance(value, tuple) else value


def needed(given: dict[str, Any], specs: tuple[CheckSpec, ...]) -> dict[str, Any]:
    """Options that ask for what the checks are judged by, and for nothing else."""
    radii, norms = balls_needed(specs)
    eps, chosen = list(given["eps"] or ()), list(given["norm"] or ())
    if radii or norms:
        chosen = [*chosen, *(norm for norm in norms if norm not in chosen)]
    only = list(analyses_needed(specs)) or ["layers"]
    return {**given, "only": only, "skip": None, "eps": [*eps, *radii] or None, "norm": chosen or None}
