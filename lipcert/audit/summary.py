"""From the report on one model to the row of a table: what an index keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]


def summarise(document: Mapping[str, Any]) -> Row | None:
    """The row of a stored result; None where the document is no such result."""
    if document.get("schema") != "lipcert.report":
        return None
    models = document.get("models") or []
    errors = document.get("errors") or []
    try:
        if models:
            return _analyzed(models[0], errors)
        return {"status": "inconclusive", "error": errors[0]} if errors else None
    except (KeyError, TypeError, AttributeError, IndexError):
        return None


def _analyzed(model: Mapping[str, Any], errors: list[Any]) -> Row:
    row: Row = {"status": model["status"], "format": model["format"]}
    signature = model["signature"]
    row |= {"parameters": signature["parameters"], "classes": signature["classes"]}
    if errors:
        row["error"] = errors[0]
    if model.get("data"):
        row["data"] = model["data"]["sha256"][:16]
    margins = model.get("margins") or {}
    if "clean_accuracy" in margins:
        row |= {"samples": margins["samples"], "clean": margins["clean_accuracy"]}
    row["warnings"] = [each for each in _items(model, "diagnostics") if each["level"] != "note"]
    row["points"] = _points(model)
    row["lipschitz"] = _lipschitz(model)
    row["spark"] = _spark(model)
    return {name: value for name, value in row.items() if value not in (None, [], ())}


def _points(model: Mapping[str, Any]) -> list[list[Any]]:
    """norm, eps, certified, attacked, and the ends of the true robust accuracy with their confidence."""
    found: dict[tuple[str, float], list[Any]] = {}
    for each in _items(model, "brackets"):
        if each["eps"] > 0:
            risk = each["population_risk"]
            ends = [1 - risk["upper"], 1 - risk["lower"], risk["confidence"]]
            found[each["norm"], each["eps"]] = [
                each["norm"], each["eps"], each["certified_accuracy"], each["robust_accuracy"], *ends,
            ]  # fmt: skip
    for each in _items(model, "robustness"):
        ball = (each["norm"], each["eps"])
        found.setdefault(ball, [*ball, None, each["robust_accuracy"], None, None, None])
    for each in _items(model, "certificates"):
        ball = (each["norm"], each["eps"])
        found.setdefault(ball, [*ball, each["certified_accuracy"], None, None, None, None])
    return [found[ball] for ball in sorted(found)]


def _lipschitz(model: Mapping[str, Any]) -> list[Any] | None:
    """norm, lower, upper of the tightest global constant in l2, else in another norm."""
    found = [
        [each["norm"], each["value"]["lower"], each["value"]["upper"]]
        for each in _items(model, "lipschitz")
        if each["scope"] == "global" and "lower" in each["value"] and each["value"]["upper"] is not None
    ]
    return min(found, key=lambda each: (each[0] != "l2", each[0], each[2]), default=None)


def _spark(model: Mapping[str, Any]) -> list[int] | None:
    """The histogram of certified radii, in l2 where there is one; else that of the Jacobian's norm."""
    radii = sorted(_items(model, "radii"), key=lambda each: each["norm"] != "l2")
    for each in radii:
        return list(each["certified_radius"]["counts"])
    statistics = (model.get("jacobian") or {}).get("statistics") or {}
    return list(statistics["spectral_norm"]["counts"]) if "spectral_norm" in statistics else None


def _items(model: Mapping[str, Any], name: str) -> list[Any]:
    """A list of records; empty where the analysis was skipped."""
    found = model.get(name)
    return found if isinstance(found, list) else []
