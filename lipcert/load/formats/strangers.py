"""Files given as data that hold none, told by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lipcert.errors import DataError, LipcertError
from lipcert.load.magic import stranger
from lipcert.load.sniff import sniff

_LARGE = 400_000_000
_STORE = "store them as .npz with 'images' and 'labels'"


def refuse_stranger(path: Path, head: bytes) -> None:
    """Raise DataError where the first bytes say that this is something else than data."""
    if known := stranger(head):
        raise DataError(f"expected samples in {path}, and the content is {known.kind}", hint=known.hint or _STORE)


def not_samples(path: Path, head: bytes, known: Iterable[str]) -> DataError:
    """Says what the file at `path`, which is in none of the `known` formats, is instead."""
    if _is_model(path):
        return DataError(
            f"expected samples in {path}, and the content is a model",
            hint="give the model as MODEL and the samples with --data",
        )
    found = f"begins with {_spelled(head[:8])}" if head else "is empty"
    return DataError(f"expected samples in {path} as {', '.join(known)}, but it {found}, which is none", hint=_STORE)


def _spelled(head: bytes) -> str:
    """Text as text, anything else in hexadecimal."""
    text = head.decode("ascii", errors="replace")
    return repr(text) if text.isprintable() and text.isascii() else f"the bytes {head.hex(' ')}"


def _is_model(path: Path) -> bool:
    try:
        if path.stat().st_size > _LARGE:
            return False
        sniff(path.read_bytes())
    except (LipcertError, OSError):
        return False
    return True
