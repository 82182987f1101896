"""Robust accuracy from both sides, what decided each sample, and certified radii."""

from __future__ import annotations

from collections.abc import Sequence

from lipcert.records import BracketRecord, CertificateRecord, ModelRecord, RadiusRecord
from lipcert.records.metrics import metric_id
from lipcert.render import notation
from lipcert.render.figure import Figure, figure, selectors
from lipcert.render.html.markup import Html, Part, element, mark, paragraph, table
from lipcert.render.notation import count
from lipcert.render.wording import proofs
from lipcert.render.wording.generalization import is_trained_on
from lipcert.render.wording.lines import spaces
from lipcert.render.wording.verdict import ball, soundness_at


def brackets(model: ModelRecord) -> list[Html]:
    """One row a ball: bar, certified, attacked, undecided, true risk."""
    if not model.brackets:
        return []
    confidence = notation.short(100 * model.brackets[0].population_risk.confidence)
    head = ("ball", "", "certified", "attacked", "undecided", f"true risk, {confidence} %")
    rows = [_bracket(model, record) for record in model.brackets]
    lead = f"{count(model.brackets[0].samples)} samples; {'; '.join(spaces(model))}"
    return [table("Robust accuracy", head, rows, text=(1,), hide=True), paragraph(lead, "muted")]


def _bracket(model: ModelRecord, record: BracketRecord) -> list[Part]:
    names, samples, clean = selectors(record), record.samples, record.eps == 0
    low = figure(
        notation.share_down(record.certified_accuracy, samples),
        record.certified_accuracy,
        "brackets.certified_accuracy",
        names,
    )
    high = figure(
        notation.share_up(record.robust_accuracy, samples), record.robust_accuracy, "brackets.robust_accuracy", names
    )
    undecided = figure(notation.share_up(record.undecided, samples), record.undecided, "brackets.undecided", names)
    return [
        "clean" if clean else ball(record),
        _bar(record.certified_accuracy, record.robust_accuracy),
        [low, mark("measured" if clean else soundness_at(model, record))],
        None if clean else [high, mark("measured")],
        None if clean else undecided,
        "-" if is_trained_on(model) else _risk(record),
    ]


def _risk(record: BracketRecord) -> list[Part]:
    risk, name = record.population_risk, metric_id("brackets.population_risk", selectors(record))
    low = notation.percent_down(risk.lower).removesuffix(" %")
    return [
        Figure(low, name, risk.lower, "lower"),
        " – ",
        Figure(notation.percent_up(risk.upper), name, risk.upper, "upper"),
    ]


def _bar(certified: float, attacked: float) -> Html:
    """Solid up to what is certified, hatched up to what is unbroken."""
    parts = (("c", certified), ("u", attacked - certified))
    return element(
        "span",
        *(element("i", class_=kind, style=f"width:{100 * share:.2f}%") for kind, share in parts),
        class_="bar",
        aria_hidden="true",
    )


def certificates(model: ModelRecord) -> list[Html]:
    """Verdicts ball by ball, then the statement that is proved."""
    shown = [record for record in proofs.certificates(model) if record.verdicts]
    lines = [*proofs.given_up(model), *proofs.statement(model)]
    notes = [paragraph(line, "muted") for line in lines]
    if not shown:
        return notes
    head = ("ball", *proofs.VERDICTS, "decided by")
    rows = [_verdicts(record) for record in shown]
    return [table("Certificates: what became of each sample", head, rows, text=(len(head) - 1,)), *notes]


def _verdicts(record: CertificateRecord) -> list[Part]:
    numbers = [(name, record.verdicts.get(name)) for name in proofs.VERDICTS]
    cells: list[Part] = [
        "0" if number is None else figure(count(number), number, f"certificates.verdicts.{name}", selectors(record))
        for name, number in numbers
    ]
    return [f"{record.norm} {notation.radius(record.eps)}", *cells, proofs.decided_by(record)]


def radii(model: ModelRecord) -> list[Html]:
    """Certified radii over the samples, all rounded down."""
    if not model.radii:
        return []
    head = ("norm", "q05 >=", "median >=", "q95 >=", "max >=", "method")
    rows = [_radius(record) for record in model.radii]
    return [table("Certified radii; a misclassified sample has radius 0", head, rows, text=(5,))]


_POINTS: Sequence[str] = ("q05", "median", "q95", "max")


def _radius(record: RadiusRecord) -> list[Part]:
    spread = record.certified_radius
    points = [(name, float(getattr(spread, name))) for name in _POINTS]
    cells: list[Part] = [
        figure(notation.lower(max(value, 0.0)), value, f"radii.certified_radius.{name}", selectors(record))
        for name, value in points
    ]
    return [[record.norm, mark(record.soundness)], *cells, record.method]
