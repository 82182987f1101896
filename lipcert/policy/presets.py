"""Checks that come under one name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SANITY: dict[str, dict[str, Any]] = {
    "diagnostics.errors": {"level": "error", "max": 0},
    "diagnostics.warnings": {"level": "warning", "max": 0},
    "fidelity.agreement": {"level": "error", "min": 1},
}
_ROBUST: dict[str, dict[str, Any]] = {
    **_SANITY,
    "evaluation.failed": {"level": "error", "max": 0},
    "evaluation.warned": {"level": "warning", "max": 0},
    "brackets.undecided": {"level": "warning", "max": 0.25},
}
_REGRESSION: dict[str, dict[str, Any]] = {
    **_SANITY,
    "clean.accuracy": {"level": "error", "regression": "1%"},
    "certified.accuracy": {"level": "error", "regression": "2%"},
    "attacked.accuracy": {"level": "error", "regression": "2%"},
    "lipschitz.l2": {"level": "warning", "regression": "10%"},
}
_STRICT: dict[str, dict[str, Any]] = {
    name: {**table, "level": "error"} for name, table in {**_ROBUST, **_REGRESSION}.items()
}

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "sanity": _SANITY,
    "robust": _ROBUST,
    "regression": _REGRESSION,
    "strict": _STRICT,
}
"""Name -> checks.

sanity      the file is read as its own runtime reads it, and the samples seem to be fed as in training
robust      sanity, attacks that can be believed, and at most a quarter of the samples left undecided
regression  sanity, and accuracies and the Lipschitz constant no worse than in a baseline
strict      robust and regression, every check at level error
"""
