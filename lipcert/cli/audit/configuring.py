"""What a configuration says about the models of a zoo: their data, their options, and the balls their checks name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lipcert.audit import Entry
from lipcert.audit.judging import as_typed
from lipcert.cli import values
from lipcert.cli.analyze import OPTIONS
from lipcert.cli.configured import completed, is_given
from lipcert.policy import Config, balls_needed, checks_for, load_config, settings_for

_RUN = ("threads", "max_memory", "device")


def configuration(path: Path | None) -> Config | None:
    """The configuration that is named; None where none is, since a zoo is not judged by what lies about."""
    return None if path is None else load_config(path)


def machine(given: dict[str, Any], config: Config) -> dict[str, Any]:
    """The options with what the configuration says about the processes of the run."""
    found = completed(given, {name: config.options[name] for name in _RUN if name in config.options})
    return {name: found[name] for name in given}


def configured(entries: Iterable[Entry], given: dict[str, Any], config: Config) -> list[Entry]:
    """The models with the options that the configuration has for them, below those of the manifest.

    To the balls that are asked for come those that the checks name: a ball that nobody computed passes no check. Typed
    balls are among these, and are not to be set over them once more.
    """
    found = []
    for entry in entries:
        place = as_typed(entry.path)
        settings = {name: setting.value for name, setting in settings_for(config, place).items() if name in OPTIONS}
        options = {name: _plain(value) for name, value in settings.items()} | entry.options
        found.append(replace(entry, options=options | _balls(config, place, options, given)))
    return found


def _balls(config: Config, place: str, options: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """`eps` and `norm`, as they are asked for, with those of the checks."""
    radii, norms = balls_needed(checks_for(config, place))
    asked = {name: _asked(name, given, options) for name in ("eps", "norm")}
    if radii or norms:  # a norm that a check names must not become that of the other radii
        own = asked["norm"] or ["linf"]
        asked["eps"] = [ball for each in asked["eps"] for ball in _named(each, own)]
        asked["norm"] = asked["norm"] or [each.partition(":")[0] for each in asked["eps"]]
    found = {"eps": [*asked["eps"], *radii], "norm": [*asked["norm"], *norms]}
    return {name: list(dict.fromkeys(each)) for name, each in found.items() if each}


def _asked(name: str, given: dict[str, Any], options: dict[str, Any]) -> list[str]:
    """What is typed, else what the manifest or the configuration says."""
    said = given[name] if is_given(given[name]) else options.get(name)
    listed = said if isinstance(said, list | tuple) else [said]
    return [] if said is None else list(values.items(map(str, listed), f"--{name}"))


def _named(eps: str, norms: list[str]) -> list[str]:
    """A radius with its norm; as many as there are norms, where it has none of its own."""
    return [eps] if ":" in eps else [f"{norm}:{eps}" for norm in norms]


def _plain(value: str | tuple[str, ...] | bool) -> Any:
    """As a manifest would have it."""
    return list(value) if isinstance(value, tuple) else value
