"""What `lipcert config show` does with its options."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from lipcert.cli import streams, values
from lipcert.cli.configured import completed, is_given
from lipcert.policy import CheckSpec, Config, Setting, checks_for, load_config, settings_for
from lipcert.policy.schema import SECTIONS
from lipcert.records import AnalyzeSettings, codec
from lipcert.records.configuration import AskedRecord, ConfigReport, IgnoredRecord, SettingRecord
from lipcert.render.terminal.settings import settings_text

Row = tuple[str, str, str]


def run(given: dict[str, Any]) -> int:
    """Show what is in force, and return 0."""
    wanted = values.choice(given["format"], "--format", ("text", "json")) or "text"
    config = load_config(given["config"])
    model = given["model"] or ""
    settings = settings_for(config, model)
    rows = _rows(given, settings)
    checks = checks_for(config, model)
    if given["json"] or wanted == "json":
        streams.write_result(codec.to_json(_document(config, rows, checks)), encoding="utf-8")
        return 0
    shown = [[spec.id, spec.level, str(spec.metric), _asked(spec), _place(spec)] for spec in checks]
    title = f"configuration  {config.path or 'none: no lipcert.toml here, no [tool.lipcert] in pyproject.toml'}"
    streams.write_result(settings_text(title, rows, shown, streams.style_of(sys.stdout, given["color"] or "auto")))
    return 0


def _rows(given: Mapping[str, Any], settings: Mapping[str, Setting]) -> list[Row]:
    """Setting, value, origin, in the order of the configuration's sections."""
    names = [*("fail_on", "baseline"), *(option for known in SECTIONS.values() for option, _ in known.values())]
    merged = completed(given, settings)
    found = []
    for name in names:
        value = merged.get(name) if name in given else None
        if name in settings and not is_given(given.get(name)):
            value = settings[name].value
        found.append((name.replace("_", "-"), _text(name, value), _origin(name, given, settings)))
    return found


def _origin(name: str, given: Mapping[str, Any], settings: Mapping[str, Setting]) -> str:
    if is_given(given.get(name)):
        variable = f"LIPCERT_{name.upper()}"
        from_environment = _typed(given[name]) == os.environ.get(variable, "").strip()
        return f"environment {variable}" if from_environment else f"option --{name.replace('_', '-')}"
    return settings[name].place() if name in settings else "default"


def _typed(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _text(name: str, value: Any) -> str:
    """A value as typed; where nothing was said, the default that is known before a model is opened."""
    if is_given(value):
        return _typed(value)
    if name == "fail_on":
        return "error"
    default = getattr(AnalyzeSettings(), name, None)
    return "-" if default is None else _typed(default)


def _asked(spec: CheckSpec) -> str:
    parts = [] if spec.minimum is None else [f"min {spec.minimum:g}"]
    parts += [] if spec.maximum is None else [f"max {spec.maximum:g}"]
    parts += [] if spec.regression is None else [f"regression {spec.regression.text}"]
    return ", ".join(parts)


def _place(spec: CheckSpec) -> str:
    return (spec.source or "") if spec.line is None else f"{spec.source}:{spec.line}"


def _document(config: Config, rows: list[Row], checks: tuple[CheckSpec, ...]) -> ConfigReport:
    return ConfigReport(
        path=None if config.path is None else str(config.path),
        settings={name: SettingRecord(value=value, origin=origin) for name, value, origin in rows},
        checks=tuple(
            AskedRecord(
                id=spec.id,
                metric=str(spec.metric),
                level=spec.level,
                asked=_asked(spec),
                accept=spec.accept,
                origin=_place(spec),
            )
            for spec in checks
        ),
        ignores=tuple(
            IgnoredRecord(check=rule.check, model=rule.model, reason=rule.reason, expires=_day(rule.expires))
            for rule in config.ignores
        ),
    )


def _day(day: Any) -> str | None:
    return None if day is None else str(day.isoformat())
