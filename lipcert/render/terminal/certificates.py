"""Certified radii, and what each certificate proves."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import CertificateRecord, ModelRecord, RadiusRecord, Skipped
from lipcert.render.notation import lower, radius, share_down, sparkline
from lipcert.render.terminal.ink import Column, Ink


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """Radii over the samples, then certified accuracy by method where there is more than one method to a ball."""
    parts: list[RenderableType] = []
    if model.radii:
        columns = [Column(header=name) for name in ("q05 >=", "median >=", "q95 >=", "max >=")]
        lead = [Column(header="radius", justify="left"), *columns, Column(header="spread", justify="left")]
        parts.append(ink.grid(lead, [_radius(record, ink) for record in model.radii]))
        parts += [ink.text(f"{norms}: {method}", "dim") for method, norms in _methods(model.radii).items()]
    if not isinstance(model.certificates, Skipped) and _compared(model.certificates):
        names = ("ball", "certified", "method")
        head = [Column(header=name, justify="left" if name != "certified" else "right") for name in names]
        parts.append(ink.grid(head, [_certificate(record, ink) for record in model.certificates]))
    return (
        ink.section(ink.heading("CERTIFIED RADII", ["a misclassified sample has radius 0"]), *parts) if parts else None
    )


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


def _compared(records: tuple[CertificateRecord, ...]) -> bool:
    balls = [(record.norm, record.eps) for record in records]
    return len(balls) > len(set(balls))


def _certificate(record: CertificateRecord, ink: Ink) -> list[str | Text]:
    share = share_down(record.certified_accuracy, record.samples)
    return [f"{record.norm} {radius(record.eps)}", ink.marked(share, record.soundness), record.method]
