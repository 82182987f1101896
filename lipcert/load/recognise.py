"""Which files of a folder are models."""

from __future__ import annotations

from pathlib import Path

from lipcert.errors import LipcertError
from lipcert.load.sniff import sniff

LARGE = 400_000_000
"""Bytes of a file above which its content is not looked at before it is opened."""

_SUFFIXES = frozenset((".onnx", ".pt", ".pt2", ".pth", ".ts", ".ptl", ".torchscript", ".jit"))


def is_model(path: Path) -> bool:
    """Whether a file of a folder is a model: by content, or by suffix where the content is in doubt."""
    if path.suffix.lower() in _SUFFIXES:
        return True
    if path.stat().st_size > LARGE:
        return False
    try:
        sniff(path.read_bytes())
    except (LipcertError, OSError):
        return False
    return True
