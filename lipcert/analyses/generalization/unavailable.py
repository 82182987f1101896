"""Bounds of the literature that are named and not computed, each with the reason."""

from __future__ import annotations

from lipcert.records import GeneralizationRecord, Soundness

_UNREAD = "not implemented: its statement was not available to be checked, and a bound from memory is none"
_SOURCE = "Farnia, Zhang, Tse 2019"
NAMED = {
    "farnia-pgm": "error under projected gradient steps on unseen inputs",
    "farnia-wrm": "error under penalised perturbations on unseen inputs",
}


def unavailable() -> tuple[GeneralizationRecord, ...]:
    """One record each."""
    return tuple(
        GeneralizationRecord(
            bound=name,
            quantity=quantity,
            soundness=Soundness.HEURISTIC,
            log10_value=None,
            vacuous=None,
            guarantee=False,
            source=_SOURCE,
            missing=_UNREAD,
        )
        for name, quantity in NAMED.items()
    )
