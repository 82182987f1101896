"""What the report does not hold, and why."""

from __future__ import annotations

from lipcert.records import LayerRecord, ModelRecord, Skipped

SECTIONS = ("layers", "lipschitz", "jacobian", "margins", "robustness", "certificates", "generalization")
NEEDS_LABELS = ("margins", "robustness", "certificates", "generalization")
_LAYER_NORMS = ("spectral_norm", "linf_norm", "l1_norm", "frobenius_norm", "stable_rank")


def skipped(model: ModelRecord) -> list[tuple[str, str]]:
    """Analyses and Lipschitz methods that could not run, each with its reason.

    What only waits for data or labels is left to `data_would_add`.
    """
    waiting = _waiting(model)
    found = [
        (name, value) for name in SECTIONS if name not in waiting and isinstance(value := getattr(model, name), Skipped)
    ]
    if not isinstance(model.lipschitz, Skipped):
        found += [
            (f"lipschitz {record.norm} {record.scope} ({record.method})", record.value)
            for record in model.lipschitz
            if isinstance(record.value, Skipped)
        ]
    return [(name, reason(value)) for name, value in found]


def reason(value: Skipped) -> str:
    """Why, and which operators stood in the way."""
    blocked = f" (operators: {', '.join(value.operators)})" if value.operators else ""
    return value.reason + blocked


def layer_note(layer: LayerRecord) -> str:
    """What a reader must know about a layer's numbers; empty where nothing."""
    notes: dict[str, list[str]] = {}
    for name in _LAYER_NORMS:
        value = getattr(layer, name)
        if isinstance(value, Skipped):
            notes.setdefault(f"skipped: {reason(value)}", []).append(name)
        elif value.unbounded:
            notes.setdefault(f"no upper end ({value.method})", []).append(name)
        elif value.soundness not in {"proved", "exact"} and value.failure_probability:
            notes.setdefault(f"may fail with probability {value.failure_probability:.0e}", []).append(name)
    return "; ".join(f"{', '.join(names)} {note}" for note, names in notes.items())


def data_would_add(model: ModelRecord, asked: tuple[str, ...]) -> str:
    """What samples, or labels, would add to this report; empty where nothing is missing."""
    missing = [name for name in _waiting(model) if name in asked]
    option = "--data" if model.data is None else "--labels"
    return f"{option} FILE adds {_list(missing)}" if missing else ""


def _waiting(model: ModelRecord) -> tuple[str, ...]:
    if model.data is None:
        return ("jacobian", *NEEDS_LABELS)
    return () if model.data.labelled else NEEDS_LABELS


def _list(names: list[str]) -> str:
    words = {
        "jacobian": "Jacobian norms",
        "margins": "margins",
        "robustness": "robust loss and accuracy under attack",
        "certificates": "certified accuracy and radii",
        "generalization": "bounds on the error on unseen inputs",
    }
    shown = [words[name] for name in names]
    if len(shown) < 3:
        return " and ".join(shown)
    return f"{', '.join(shown[:-1])}, and {shown[-1]}"
