"""What every data format gives: raw arrays, before any scaling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt

from lipcert.errors import DataError
from lipcert.registry import Registry

Array = npt.NDArray[Any]

INPUT_KEYS = ("images", "x")
LABEL_KEYS = ("labels", "y")
HEAD_BYTES = 64
_LONGEST = 1024


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RawSamples:
    """Values as stored.

    inputs  (N, ...), any dtype
    labels  any shape and dtype, unchecked; None when the data has none
    files   every file that was read, in a fixed order: the digest is taken over them
    """

    inputs: Array
    labels: Array | None
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


class AbstractFormat(ABC):
    """A way samples lie on disk."""

    @staticmethod
    @abstractmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Whether `path`, which begins with `head` (empty for a folder), is of this format."""

    @staticmethod
    @abstractmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:
        """Read it. With `separate_labels` the labels come from another file. Raises DataError."""


FORMATS: Registry[type[AbstractFormat]] = Registry("data format")


def head_of(path: Path) -> bytes:
    """The first bytes of a file; empty for a folder. Raises DataError when it cannot be opened."""
    try:
        if path.is_dir():
            return b""
        # Formats read a file several times, which a pipe or a device does not allow.
        if path.exists() and not path.is_file():
            raise DataError(
                f"expected a data file or folder, but {path} is a pipe or a device",
                hint="write the data to a file first",
            )
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except (OSError, ValueError) as error:
        absent = isinstance(error, FileNotFoundError)
        reason = "it does not exist" if absent else getattr(error, "strerror", None) or error
        raise DataError(
            f"expected a readable data file, but {shown(path)} cannot be opened: {reason}", hint="check the path"
        ) from error


def shown(path: Path) -> str:
    """A path, cut short where it is too long to be one."""
    text = str(path)
    return text if len(text) <= _LONGEST else f"{text[:60]}... ({len(text):,} characters)"


def from_mapping(arrays: Mapping[str, Any], path: Path) -> RawSamples:
    """Samples from named arrays. Raises DataError, listing the keys found, when none holds the inputs."""
    found = ", ".join(str(key) for key in arrays) or "none"
    key = next((key for key in INPUT_KEYS if key in arrays), None)
    if key is None:
        raise DataError(
            f"expected an array called 'images' or 'x' in {path}; the keys found are: {found}",
            hint="store the inputs as 'images' (or 'x') and the classes as 'labels' (or 'y')",
        )
    label_key = next((key for key in LABEL_KEYS if key in arrays), None)
    notes = () if label_key else (f"no labels: neither 'labels' nor 'y' is among the keys {found}",)
    labels = None if label_key is None else as_array(arrays[label_key], label_key, path)
    return RawSamples(inputs=as_array(arrays[key], key, path), labels=labels, files=(path,), notes=notes)


def as_array(value: Any, name: str, path: Path) -> Array:
    """A numeric array of one dtype. Raises DataError on ragged nested lists and on anything else that is none."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"expected {name!r} in {path} to be an array, got {type(value).__name__}: {error}") from error
    if array.dtype.kind not in "biufU":
        raise DataError(
            f"expected {name!r} in {path} to hold numbers, got dtype {array.dtype}",
            hint="store it as uint8, an integer or a floating dtype",
        )
    return array


def optional_module(name: str, extra: str, purpose: str) -> Any:
    """A module that comes with an extra. Raises DataError naming what to install."""
    try:
        return import_module(name)
    except ImportError as error:
        raise DataError(
            f"{purpose} needs the package {name.partition('.')[0]}, which is not installed",
            hint=f"pip install lipcert[{extra}]",
        ) from error
