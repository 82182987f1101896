"""What decided each sample, certified radii, and what exactly is certified."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import CertificateRecord, ModelRecord, RadiusRecord
from lipcert.render.notation import count, lower, radius, sparkline
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.proofs import (
    VERDICTS,
    certificates,
    decided,
    decided_by,
    given_up,
    methods,
    products,
    statement,
)


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """Verdicts ball by ball, radii over the samples, then the statement that is proved."""
    parts: list[RenderableType] = []
    shown = [record for record in certificates(model) if record.verdicts]
    if shown:
        head = [Column(header="", justify="left"), *(Column(header=_HEADS[name]) for name in VERDICTS)]
        parts.append(ink.grid(head, [_verdicts(r) for r in shown]))
        parts += _methods_of(shown, ink)
    if model.radii:
        columns = [Column(header=name) for name in ("q05 >=", "median >=", "q95 >=", "max >=")]
        lead = [Column(header="radius", justify="left"), *columns, Column(header="spread", justify="left")]
        parts.append(ink.grid(lead, [_radius(record, ink) for record in model.radii]))
        parts += [ink.text(f"{norms}: {method}", "dim") for method, norms in _methods(model.radii).items()]
        parts += [ink.text(line, "dim") for line in products(model)]
    parts += [ink.text(line, "dim") for line in (*given_up(model), *statement(model))]
    return ink.section(ink.heading("CERTIFICATES", ["a misclassified sample has radius 0"]), *parts) if parts else None


_HEADS = {name: "wrong" if name == "misclassified" else name for name in VERDICTS}


def _verdicts(record: CertificateRecord) -> list[str | Text]:
    numbers = [count(record.verdicts.get(name, 0)) for name in VERDICTS]
    return [_ball(record), *numbers]


def _ball(record: CertificateRecord) -> str:
    return f"{record.norm} {radius(record.eps)}"


def _methods_of(shown: Sequence[CertificateRecord], ink: Ink) -> list[RenderableType]:
    """Methods down and balls across where there is room, else a line a ball."""
    names = methods(shown)
    if not names:
        return []
    width = 2 + max(map(len, names)) + sum(2 + len(_ball(record)) for record in shown)
    if width > ink.width:
        rows = [[_ball(record), decided_by(record)] for record in shown if record.decided_by]
        return [ink.grid([Column(header="decided by", justify="left"), Column(header="", justify="left")], rows)]
    head = [Column(header="decided by", justify="left"), *(Column(header=_ball(record)) for record in shown)]
    numbers = ([decided(record).get(name, 0) for record in shown] for name in names)
    return [
        ink.grid(
            head, [[name, *(count(n) if n else "" for n in row)] for name, row in zip(names, numbers, strict=True)]
        )
    ]


def _radius(record: RadiusRecord, ink: Ink) -> list[str | Text]:
    spread = record.certified_radius
    points = (spread.q05, spread.median, spread.q95, spread.max)
    return [
        ink.marked(record.norm, record.soundness),
        *(lower(max(point, 0.0)) for point in points),
        ink.text(sparkline(spread.counts), record.soundness),
    ]


def _methods(records: tuple[RadiusRecord, ...]) -> dict[str, str]:
    """Method -> the norms it was used for."""
    norms: dict[str, list[str]] = {}
    for record in records:
        norms.setdefault(record.method, []).append(record.norm)
    return {method: ", ".join(found) for method, found in norms.items()}
