"""A manifest: models, their data and their options, in one file.

TOML with a table `[options]` for all models and one `[[models]]` a model or pattern; or, for very many, JSON lines:
one object a model, after an object without "path" that holds the options for all.
"""

from __future__ import annotations

import difflib
import glob
import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lipcert.audit.zoo import Entry, distinct, walk
from lipcert.errors import ConfigurationError, NoModelError
from lipcert.load.recognise import is_model

_FILES = ("data", "labels", "train_data", "init_model")
_OWN = ("path", "name", "family")


def read_manifest(path: Path, known: Sequence[str]) -> list[Entry]:
    """The models of a manifest, in its order; paths are taken from its own folder.

    known  names of the options a model may have

    Raises ConfigurationError on what cannot be used, NoModelError where no file matches.
    """
    common: dict[str, Any] = {}
    found: dict[Path, Entry] = {}
    for number, table in _tables(path):
        where = f"{path}, model {number}" if number else f"[options] in {path}"
        options = _options(table, known, path.parent, where)
        if "path" not in table:
            common |= options
            continue
        for entry in _entries(table, common | options, path.parent, where):
            found[entry.path] = entry
    if not found:
        raise NoModelError(f"{path} names no model", hint='add [[models]] with path = "net.onnx"')
    return distinct(list(found.values()))


def _tables(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The options for all as number 0, then the models from 1 on."""
    try:
        if path.suffix.lower() == ".jsonl":
            yield from _lines(path)
            return
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} is not readable: {error}", hint="correct the manifest") from error
    _refuse_unknown(document, ("options", "models", "schema"), str(path))
    yield 0, _table(document.get("options", {}), f"[options] in {path}")
    models = document.get("models", [])
    if not isinstance(models, list):
        raise ConfigurationError(f"expected [[models]] in {path} to be tables, got {models!r}")
    for number, table in enumerate(models, 1):
        found = _table(table, f"{path}, model {number}")
        if "path" not in found:
            raise ConfigurationError(f"{path}, model {number} has no path", hint='add path = "net.onnx"')
        yield number, found


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _table(json.loads(line), f"{path}, line {number}")


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"expected {where} to be a table, got {value!r}")
    return {str(key).replace("-", "_"): item for key, item in value.items()}


def _options(table: dict[str, Any], known: Sequence[str], folder: Path, where: str) -> dict[str, Any]:
    """The options of one table, as the command line would hand them over."""
    _refuse_unknown(table, (*_OWN, *known), where)
    found: dict[str, Any] = {}
    for name, value in table.items():
        if name in _OWN:
            continue
        if isinstance(value, dict) or value is None:
            raise ConfigurationError(f"expected a value for {name} in {where}, got {value!r}")
        if name in _FILES and ":" not in str(value):
            found[name] = str(folder / str(value))
        else:
            found[name] = [str(item) for item in value] if isinstance(value, list) else value
    return found


def _entries(table: dict[str, Any], options: dict[str, Any], folder: Path, where: str) -> Iterator[Entry]:
    pattern, family, name = (table.get(key, "") for key in ("path", "family", "name"))
    if not all(isinstance(value, str) for value in (pattern, family, name)):
        raise ConfigurationError(f"path, name and family of {where} must be strings")
    paths = list(_matches(folder, pattern))
    if not paths:
        raise NoModelError(f"{where}: {pattern} matches no model", hint=f"paths are taken from {folder}")
    for path in paths:
        shown = name if name and len(paths) == 1 else path.relative_to(folder).as_posix()
        yield Entry(path=path, name=shown, family=family, options=options)


def _matches(folder: Path, pattern: str) -> Iterator[Path]:
    path = folder / pattern
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from walk(path)
    elif glob.has_magic(pattern):
        matches = sorted(glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207
        yield from (each for match in matches if (each := folder / match).is_file() and is_model(each))


def _refuse_unknown(table: dict[str, Any], known: Sequence[str], where: str) -> None:
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigurationError(
                f"unknown key {name!r} in {where}", hint=f"did you mean {near[0]}?" if near else f"known: {known}"
            )
