"""What `lipcert init` does with its options."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from lipcert.cli import outputs, streams, values
from lipcert.cli.analysis import request_for, watched
from lipcert.cli.configured import completed, is_given
from lipcert.cli.failures import about
from lipcert.cli.outputs import Target
from lipcert.errors import UsageError
from lipcert.policy.draft import draft
from lipcert.policy.schema import JOINED, SECTIONS, Kind

DEFAULT = Path("lipcert.toml")


def run(given: dict[str, Any]) -> int:
    """Analyse the model, write the configuration, and return 0."""
    path = DEFAULT if given["output"] is None else given["output"]
    target = Target(format="json", path=None if str(path) == "-" else path)
    if target.path is not None and target.path.exists() and not given["overwrite"]:
        raise UsageError(f"{path} exists", hint="--overwrite replaces it, -o FILE writes another, -o - shows it")
    outputs.check([target], overwrite=True)
    options = completed(given, {})
    wanted = ["margins", "robustness", "certificates", "lipschitz"] if given["data"] else ["lipschitz"]
    request = request_for({**options, "only": wanted})
    with about(given["model"]):
        report = watched(request, options)
    folder = Path.cwd() if target.path is None else target.path.resolve().parent
    text = draft(report.models[0], _sections(given, folder))
    tomllib.loads(text)
    outputs.put(text, target)
    if target.path is not None and not given["quiet"]:
        streams.say(f"wrote {path}; next: lipcert check {given['model']}")
    return 0


def _sections(given: dict[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """What was typed, as the sections of a configuration."""
    return {
        section: {
            key.replace("_", "-"): _value(given[option], option, kind, folder)
            for key, (option, kind) in known.items()
            if is_given(given.get(option))
        }
        for section, known in SECTIONS.items()
    }


def _value(value: Any, option: str, kind: Kind, folder: Path) -> Any:
    if kind == "path":
        return _relative(str(value), folder)
    if kind in {"list", "numbers"}:
        entries = values.items([value] if isinstance(value, str) else value, option)
        return [_number(entry) for entry in entries] if option not in JOINED or len(entries) > 1 else entries
    return _number(str(value)) if kind == "number" else value


def _relative(text: str, folder: Path) -> str:
    """A path as seen from the configuration's folder; module:function as it is."""
    return os.path.relpath(text, folder) if Path(text).exists() else text


def _number(text: str) -> Any:
    """A number as TOML has it; a fraction stays text."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
