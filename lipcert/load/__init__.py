"""From a file to the one graph. Names are loaded on first use, so that `load.sniff` costs no torch import."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "LoadedModel": "lipcert.load.model",
    "Preprocess": "lipcert.load.preprocess",
    "load_model": "lipcert.load.model",
    "load_samples": "lipcert.load.samples",
}
__all__ = [*_HOMES]  # noqa: PLE0604  the keys are strings


def __getattr__(name: str) -> Any:
    """Import a public name from its home (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lipcert.load' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
