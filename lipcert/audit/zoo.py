"""Which models there are: from a folder, a pattern, files, or a manifest."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from lipcert.errors import NoModelError, UsageError
from lipcert.load.recognise import is_model

MANIFEST = "audit.toml"
_KINDS = {".toml", ".jsonl"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model of a zoo.

    name     as a table shows it, unique in the zoo
    family   models that are compared with one another first; "" for none
    options  of `analyze`, by name, as the manifest gives them
    """

    path: Path
    name: str
    family: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def manifest_in(target: str) -> Path | None:
    """The manifest that a target is or holds; None where it has none."""
    path = Path(target)
    if path.is_dir() and (path / MANIFEST).is_file():
        return path / MANIFEST
    return path if path.is_file() and path.suffix.lower() in _KINDS else None


def discover(targets: Sequence[str]) -> list[Entry]:
    """The models that folders, patterns and files mean, in order, each path once.

    Raises NoModelError where there are none, UsageError for what does not exist.
    """
    found: dict[Path, Entry] = {}
    for target in targets:
        pairs = list(_paths(target))
        if not pairs:
            raise NoModelError(f"{target} holds no model", hint="models are .onnx, TorchScript or .pt2 files")
        for root, path in pairs:
            found.setdefault(path, Entry(path=path, name=_name(path, root), family=_family(path, root)))
    return distinct(list(found.values()))


def distinct(entries: list[Entry]) -> list[Entry]:
    """The entries with names that tell them apart: the path, where a name stands twice."""
    seen: dict[str, int] = {}
    for entry in entries:
        seen[entry.name] = seen.get(entry.name, 0) + 1
    return [
        entry if seen[entry.name] == 1 else Entry(
            path=entry.path, name=str(entry.path), family=entry.family, options=entry.options
        )
        for entry in entries
    ]  # fmt: skip


def _paths(target: str) -> Iterator[tuple[Path, Path]]:
    """The root a target means, and each model under it."""
    path = Path(target)
    if path.is_dir():
        yield from ((path, each) for each in walk(path))
    elif path.is_file():
        yield path.parent, path
    elif glob.has_magic(target):
        matches = sorted(glob.glob(target, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
        root = Path(os.path.commonpath(matches)) if matches else path
        root = root.parent if root.is_file() else root
        yield from ((root, Path(match)) for match in matches if Path(match).is_file() and is_model(Path(match)))
    else:
        raise UsageError(f"{target} does not exist", hint="a folder, a pattern, model files or a manifest")


def walk(folder: Path) -> Iterator[Path]:
    """The models of a folder and those below it, in order; what starts with a dot is left alone.

    Raises UsageError where a folder cannot be read: an audit must not leave out models in silence.
    """
    for where, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(where) / name
            if not name.startswith(".") and path.is_file() and is_model(path):
                yield path


def _unreadable(error: OSError) -> None:
    raise UsageError(
        f"the folder {error.filename} cannot be read: {error.strerror}", hint="make it readable, or name what to audit"
    ) from error


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _family(path: Path, root: Path) -> str:
    """The first folder below the root."""
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    return parts[0] if len(parts) > 1 else ""
