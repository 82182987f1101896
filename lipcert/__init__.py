"""Certified sensitivity and robustness reports for trained classifiers.

Public names are loaded on first use: `import lipcert` imports neither torch nor numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "analyze": "lipcert.pipeline",
    "load_model": "lipcert.load",
    "load_samples": "lipcert.load",
    "AnalyzeSettings": "lipcert.records",
    "Enclosure": "lipcert.records",
    "Report": "lipcert.records",
    "Skipped": "lipcert.records",
    "Soundness": "lipcert.records",
    "LipcertError": "lipcert.errors",
}
__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604  the keys are strings; the version is read when asked for


def __getattr__(name: str) -> Any:
    """Import a public name from its home (PEP 562)."""
    if name == "__version__":
        return import_module("importlib.metadata").version("lipcert")
    if name not in _HOMES:
        raise AttributeError(f"module 'lipcert' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted(__all__)
