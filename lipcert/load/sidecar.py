"""A model's sidecar: a small TOML file beside it that says how its data are read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import final

from lipcert.errors import ConfigurationError
from lipcert.load.preprocess_settings import PreprocessSettings, parse_settings, refuse_unknown


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """What a sidecar says. `data` and `labels` are resolved from its own folder; None where it names none."""

    path: Path
    preprocess: PreprocessSettings
    data: Path | None = None
    labels: Path | None = None


def find_sidecar(model: Path) -> Path | None:
    """`net.onnx.lipcert.toml` beside `net.onnx`, else `net.lipcert.toml`, which all formats of one net share."""
    candidates = (model.with_name(model.name + ".lipcert.toml"), model.with_name(model.stem + ".lipcert.toml"))
    return next((path for path in candidates if path.is_file()), None)


def read_sidecar(model: Path) -> Sidecar | None:
    """The sidecar of a model; None where it has none. Raises ConfigurationError on one that cannot be used."""
    path = find_sidecar(model)
    if path is None:
        return None
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(
            f"{path} is not readable TOML: {error}", hint="correct or remove the sidecar"
        ) from error
    refuse_unknown(document, ("preprocess", "data"), str(path))
    data = _table(document, "data", path)
    refuse_unknown(data, ("path", "labels"), f"[data] in {path}")
    return Sidecar(
        path=path,
        preprocess=parse_settings(_table(document, "preprocess", path), path.name),
        data=_file(data, "path", path),
        labels=_file(data, "labels", path),
    )


def _table(document: dict[str, object], name: str, path: Path) -> dict[str, object]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise ConfigurationError(f"expected [{name}] in {path} to be a table, got {table!r}")
    return table


def _file(table: dict[str, object], key: str, path: Path) -> Path | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"expected a path for {key} in [data] of {path}, got {value!r}")
    return None if value is None else path.parent / value
