"""Which sections a model's part has, in which order, with which pictures."""

from __future__ import annotations

from collections.abc import Sequence

from lipcert.records import ModelRecord, Report
from lipcert.render.html import accuracy, checks, findings, generalization, identity, samples, sensitivity
from lipcert.render.html.markup import Html, Part, section
from lipcert.render.html.pictures import Gallery
from lipcert.render.wording.checks import tally

Entry = tuple[str, str, Sequence[Part], str]
"""Anchor, heading, parts, and what stands beside the heading."""


def build(
    model: ModelRecord, anchor: str, report: Report, drawn: Gallery | None
) -> tuple[Html, list[tuple[str, str, Html]]]:
    """The head, then (anchor, name, section) of those that have something to show."""
    found = []
    for name, title, parts, lead in [*_numbers(model, anchor, drawn), *_words(model, report)]:
        shown = [part for part in parts if part]
        if shown:
            target = f"{anchor}-{name}"
            found.append((target, title, section(title, target, *shown, lead=lead)))
    return identity.head(model, report), found


def _numbers(model: ModelRecord, anchor: str, drawn: Gallery | None) -> list[Entry]:
    def show(*names: str) -> Html | None:
        return drawn.show(model, anchor, names) if drawn is not None else None

    certified = [*accuracy.certificates(model), show("radii"), *accuracy.radii(model)]
    layers = [show("layers"), *sensitivity.layers(model), show("spectra"), *sensitivity.spectra(model)]
    jacobian = [*samples.jacobian(model), show("jacobian", "spectrum", "surrogates"), *samples.jacobian_tables(model)]
    sheet = drawn.adversarials() if drawn is not None else None
    attacks = [*samples.attacks(model), sheet, *samples.evaluation(model)]
    bounds = generalization.section(model)
    return [
        ("checks", "Checks", [checks.section(model)], tally(model.checks)),
        ("accuracy", "Robust accuracy", [*accuracy.brackets(model), show("accuracy") if model.brackets else None], ""),
        ("certificates", "Certificates and radii", certified, ""),
        (
            "lipschitz",
            "Lipschitz constant",
            [*sensitivity.lipschitz(model)],
            "input to logits, the same norm on both sides",
        ),
        ("layers", "Layers", layers, "norms of the operators at their input size"),
        ("jacobian", "Jacobian of the logits", jacobian, "at the samples"),
        ("margins", "Clean samples", [*samples.margins(model), show("margins")], ""),
        ("attacks", "Under attack", attacks, "measured: accuracy from above, loss from below"),
        (
            "generalization",
            "Generalization",
            [*bounds, show("generalization") if bounds else None],
            "error on unseen inputs",
        ),
    ]


def _words(model: ModelRecord, report: Report) -> list[Entry]:
    return [
        ("diagnostics", "Diagnostics", [findings.diagnostics(model)], ""),
        ("skipped", "Skipped", [findings.skipped(model, report.settings.analyses)], ""),
        ("identity", "Identity and preprocessing", [identity.section(model, report)], ""),
    ]
