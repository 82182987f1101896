"""The report for a terminal, one file a section. Names are loaded on first use: most commands need few sections."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "FOOTER": "lipcert.render.terminal.report",
    "render": "lipcert.render.terminal.report",
    "render_inspection": "lipcert.render.terminal.inspection",
}
__all__ = [*_HOMES]  # noqa: PLE0604  the keys are strings


def __getattr__(name: str) -> Any:
    """Import a public name from its home (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lipcert.render.terminal' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
