"""The only place that knows the order of the analyses.

Loaded on first use (PEP 562), so that a request can be put together before torch is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lipcert.pipeline.certify_request import CertifyRequest
from lipcert.pipeline.request import AnalyzeRequest

_HOMES = {
    "analyze": "lipcert.pipeline.objects",
    "analyze_file": "lipcert.pipeline.files",
    "certify_file": "lipcert.pipeline.certify",
    "inspect_file": "lipcert.pipeline.inspection",
}
__all__ = ["AnalyzeRequest", "CertifyRequest", *_HOMES]  # noqa: PLE0604  the keys are strings


def __getattr__(name: str) -> Any:
    """Import a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lipcert.pipeline' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
