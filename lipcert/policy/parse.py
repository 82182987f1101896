"""From a TOML document to a configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from lipcert.errors import ConfigurationError
from lipcert.policy.config import Config, IgnoreSpec, Override, RawCheck, Setting
from lipcert.policy.entries import IGNORE_DEFAULTS, IGNORE_HINTS, NEEDED, TYPED, read_day
from lipcert.policy.lines import Keys, line_numbers
from lipcert.policy.presets import PRESETS
from lipcert.policy.schema import IGNORE_KEYS, JOINED, MODEL_KEYS, SECTIONS, TOP, VERSION, Kind
from lipcert.policy.specs import check_spec, place, refuse_unknown, word

_FAIL_ON = ("error", "warning", "never")


def parse_config(text: str, source: str, folder: Path) -> Config | None:
    """The configuration in a file's text; None in a pyproject.toml without [tool.lipcert].

    folder  paths in the file start from here

    Raises ConfigurationError on anything that is not understood, naming the line.
    """
    try:
        document: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{source} is not readable TOML: {error}") from error
    prefix: Keys = ()
    if Path(source).name == "pyproject.toml":
        prefix, document = ("tool", "lipcert"), document.get("tool", {}).get("lipcert")
        if document is None:
            return None
    return _Reader(source, folder, prefix, line_numbers(text)).config(document)


@final
class _Reader:
    """Reads one file; knows where everything stands."""

    def __init__(self, source: str, folder: Path, prefix: Keys, lines: Mapping[Keys, int]) -> None:
        self.source, self.folder, self.prefix, self.lines = source, folder, prefix, lines

    def config(self, document: object) -> Config:
        table = self.table(document, ())
        refuse_unknown(table, TOP, self.where())
        if table.get("schema", VERSION) != VERSION:
            raise ConfigurationError(
                f"{self.where('schema')} is {table['schema']!r}, this lipcert reads {VERSION}",
                hint="upgrade lipcert, or write the configuration for this version",
            )
        options = self.options(table, ())
        presets = self.presets(table)
        checks = self.preset_checks(presets) | self.checks(table, ())
        config = Config(
            path=self.source,
            presets=presets,
            options=options | self.top_options(table),
            checks=checks,
            overrides=self.overrides(table),
            ignores=self.ignores(table),
        )
        self.prove(config)
        return config

    def prove(self, config: Config) -> None:
        """Every check can be understood, also where an override changes it; an ignore means a check that exists."""
        names = set(config.checks)
        for name, raw in config.checks.items():
            check_spec(name, raw)
        for override in config.overrides:
            names |= set(override.checks)
            for name, raw in override.checks.items():
                check_spec(name, merged(config.checks.get(name), raw))
        for ignore in config.ignores:
            if ignore.check not in names:
                where = place("ignore", self.source, ignore.line)
                refuse_unknown({ignore.check: ""}, sorted(names), f"check of {where}")

    def line(self, *keys: str) -> int | None:
        return self.lines.get((*self.prefix, *keys))

    def where(self, *keys: str) -> str:
        named = ".".join((*self.prefix, *keys))
        return place(named, self.source, self.line(*keys)) if named else self.source

    def table(self, value: object, keys: Keys) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ConfigurationError(f"{self.where(*keys)} is {value!r}, a table is needed")
        if keys[-1:] == ("checks",):
            return value
        return {str(key).replace("-", "_"): item for key, item in value.items()}

    def spelled(self, keys: Keys) -> Keys:
        """Keys as they stand in the file, which may have dashes."""
        dashed = (*keys[:-1], keys[-1].replace("_", "-"))
        return dashed if self.line(*dashed) is not None else keys

    def options(self, table: Mapping[str, Any], above: Keys) -> dict[str, Setting]:
        found: dict[str, Setting] = {}
        for section, known in SECTIONS.items():
            entries = self.table(table.get(section, {}), (*above, section))
            refuse_unknown(entries, tuple(known), self.where(*above, section))
            for key, value in entries.items():
                option, kind = known[key]
                found[option] = self.setting(value, option, kind, self.spelled((*above, section, key)))
        return found

    def setting(self, value: object, option: str, kind: Kind, keys: Keys) -> Setting:
        typed = TYPED[kind](value)
        if typed is None:
            raise ConfigurationError(f"{self.where(*keys)} is {value!r}, {NEEDED[kind]} is needed")
        if kind == "path":
            typed = self.path(str(typed))
        if isinstance(typed, tuple) and option in JOINED:
            typed = ",".join(typed)
        return Setting(value=typed, source=self.source, line=self.line(*keys))

    def path(self, text: str) -> str:
        """Relative to the file's folder; module:function stays as it is."""
        path = self.folder / text
        return text if ":" in text and not path.exists() else str(path)

    def top_options(self, table: Mapping[str, Any]) -> dict[str, Setting]:
        found = {}
        if "fail_on" in table:
            keys = self.spelled(("fail_on",))
            text = word(table["fail_on"], _FAIL_ON, self.where(*keys))
            found["fail_on"] = Setting(value=text, source=self.source, line=self.line(*keys))
        if "baseline" in table:
            found["baseline"] = self.setting(table["baseline"], "baseline", "path", ("baseline",))
        return found

    def presets(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        if "preset" in table and "presets" in table:
            raise ConfigurationError(f"{self.source} has both preset and presets", hint="keep one of them")
        given = table.get("presets", table.get("preset", ()))
        names = (given,) if isinstance(given, str) else given
        if not isinstance(names, list | tuple):
            raise ConfigurationError(f"{self.where('preset')} is {given!r}, a name is needed")
        return tuple(word(name, tuple(PRESETS), self.where("preset")) for name in names)

    def preset_checks(self, names: tuple[str, ...]) -> dict[str, RawCheck]:
        line = self.line("preset") or self.line("presets")
        return {
            check: RawCheck(table=table, source=self.source, line=line)
            for name in names
            for check, table in PRESETS[name].items()
        }

    def checks(self, table: Mapping[str, Any], above: Keys) -> dict[str, RawCheck]:
        found = {}
        for name, entry in self.table(table.get("checks", {}), (*above, "checks")).items():
            keys = (*above, "checks", name)
            if not isinstance(entry, dict):
                raise ConfigurationError(
                    f"{self.where(*keys)} is {entry!r}, a table is needed",
                    hint='an id with dots stands in quotes: [checks."clean.accuracy"]',
                )
            found[name] = RawCheck(table=entry, source=self.source, line=self.line(*keys))
        return found

    def overrides(self, table: Mapping[str, Any]) -> tuple[Override, ...]:
        given = table.get("models", {})
        if not isinstance(given, dict):
            raise ConfigurationError(f"{self.where('models')} is {given!r}, a table is needed")
        found = []
        for pattern, entry in given.items():
            above = ("models", pattern)
            inner = self.table(entry, above)
            refuse_unknown(inner, MODEL_KEYS, self.where(*above))
            found.append(
                Override(
                    pattern=pattern,
                    options=self.options(inner, above),
                    checks=self.checks(inner, above),
                    line=self.line(*above),
                )
            )
        return tuple(found)

    def ignores(self, table: Mapping[str, Any]) -> tuple[IgnoreSpec, ...]:
        given = table.get("ignore", [])
        if not isinstance(given, list):
            raise ConfigurationError(f"{self.where('ignore')} is {given!r}", hint="ignores are written as [[ignore]]")
        return tuple(self.ignore(entry, ("ignore", str(number))) for number, entry in enumerate(given))

    def ignore(self, entry: object, keys: Keys) -> IgnoreSpec:
        table, where = self.table(entry, keys), place("ignore", self.source, self.line(*keys))
        refuse_unknown(table, IGNORE_KEYS, where)
        check, model, reason = (table.get(key, default) for key, default in IGNORE_DEFAULTS.items())
        for name, value in (("check", check), ("model", model), ("reason", reason)):
            if not isinstance(value, str) or not value.strip():
                raise ConfigurationError(f"{name} of {where} is {value!r}, text is needed", hint=IGNORE_HINTS[name])
        expires = table.get("expires")
        return IgnoreSpec(
            check=check,
            model=model,
            reason=reason,
            expires=None if expires is None else read_day(expires, where),
            source=self.source,
            line=self.line(*keys),
        )


def merged(below: RawCheck | None, above: RawCheck) -> RawCheck:
    """A check with an override on top of it, key by key."""
    if below is None:
        return above
    return RawCheck(table={**below.table, **above.table}, source=above.source, line=above.line)
