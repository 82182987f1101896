"""Which files a command line means, and what they look like before anything heavy is loaded."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Sequence
from pathlib import Path

from lipcert.cli.values import nearest
from lipcert.errors import NoModelError, UsageError
from lipcert.load.recognise import LARGE, is_model
from lipcert.render.notation import digest, size

_WORDS = {"onnx": "ONNX", "torchscript": "TorchScript", "exported": "exported program"}


def one(argument: str) -> Path:
    """The one model file meant. A folder or a pattern with several is a usage error, with none a NoModelError."""
    found = expand([argument])
    if len(found) > 1 or Path(argument).is_dir():
        names = ", ".join(path.name for path in found[:3])
        raise UsageError(
            f"{argument} holds {len(found)} models ({names}{', ...' if len(found) > 3 else ''}), one file is needed",
            hint="name one of them; lipcert inspect takes several",
        )
    return found[0]


def expand(arguments: Sequence[str]) -> list[Path]:
    """Every model file meant by files, folders and glob patterns, in order, each once."""
    found: dict[Path, None] = {}
    for argument in arguments:
        try:
            found |= dict.fromkeys(_expand(argument))
        except (OSError, ValueError) as error:
            raise UsageError(f"{argument!r} is no usable path: {error}") from error
    return list(found)


def _expand(argument: str) -> list[Path]:
    path = Path(argument)
    if path.is_dir():
        models = [p for p in sorted(path.rglob("*")) if p.is_file() and not p.name.startswith(".") and is_model(p)]
        if not models:
            raise NoModelError(
                f"the folder {argument} holds no model", hint="models are .onnx, TorchScript or .pt2 files"
            )
        return models
    if path.is_file():
        return [path]
    if path.exists():
        raise UsageError(f"{argument} is no regular file")
    if glob.has_magic(argument):
        # Path.glob takes no absolute pattern.
        matches = [Path(match) for match in sorted(glob.glob(argument, recursive=True)) if Path(match).is_file()]  # noqa: PTH207
        if not matches:
            raise NoModelError(f"the pattern {argument} matches no file")
        return matches
    raise UsageError(f"{argument} does not exist", hint=_sibling(path))


def _sibling(path: Path) -> str:
    """The nearest name in the same folder."""
    try:
        names = [p.name for p in path.parent.iterdir() if p.is_file()][:1000]
    except OSError:
        return f"the folder {path.parent} does not exist"
    hint = nearest(path.name, names)
    return hint if hint.startswith("did you") else "the path is taken from the current folder"


def first_line(path: Path) -> str:
    """Name, format, size and digest of a file, without torch; a huge file goes without format and digest.

    What a file claims is held against what it holds first, so that bombs and traps end here.

    Raises:
        UsageError: the file cannot be read.
        RefusedModelError: a pickle, a bomb, a trap, or another format that has to be exported first.
        UnreadableModelError: no model at all.
    """
    from lipcert.load.screen import screen

    try:
        length = path.stat().st_size
        data = path.read_bytes() if length <= LARGE else None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if data is None:
        return f"{path.name}: {size(length)}"
    return (
        f"{path.name}: {_WORDS[screen(data, path)]}, {size(length)}, sha256 {digest(hashlib.sha256(data).hexdigest())}"
    )
