"""What `inspect` found, for a terminal."""

from __future__ import annotations

from rich.console import RenderableType

from lipcert.records import InspectRecord, InspectReport, OperatorRecord, Skipped
from lipcert.render.notation import count, digest, shape, size
from lipcert.render.style import Style
from lipcert.render.terminal import diagnostics
from lipcert.render.terminal.ink import Column, Ink, to_text
from lipcert.render.wording.gaps import reason
from lipcert.render.wording.identity import fidelity, file_name

_VERDICTS = {
    "analysable": "every node can be analysed",
    "partly": "every node runs; bounds through some are skipped",
    "blocked": "cannot be analysed: a node has no interpretation",
}
_LEFT = Column(header="", justify="left")


def render_inspection(report: InspectReport, style: Style) -> str:
    """The files one after another, then what could not be read."""
    ink = Ink(style)
    parts: list[RenderableType] = [part for record in report.models for part in _file(record, ink)]
    failures = diagnostics.errors(report.errors, ink)
    return to_text([*parts, *([] if failures is None else [failures])], style)


def _file(record: InspectRecord, ink: Ink) -> list[RenderableType]:
    rows = [("model", ink.facts(_identity(record)))]
    if not isinstance(record.fidelity, Skipped):
        rows.append(("fidelity", ink.facts(fidelity(record.fidelity))))
    role = {"analysable": "proved", "partly": "warning", "blocked": "error"}[record.status]
    rows += [
        ("verdict", ink.text(_VERDICTS[record.status], role)),
        ("nodes", ink.text(_nodes(record))),
        *((f"{tier} only" if tier == "gradient" else tier, ink.text(names)) for tier, names in _tiers(record)),
        *(("note", ink.text(note)) for note in record.notes),
    ]
    head = ink.section(ink.text(file_name(record.path) or record.id, "heading"), ink.grid([_LEFT, _LEFT], rows))
    return [head, *_layers(record, ink)]


def _identity(record: InspectRecord) -> list[str]:
    facts = [record.description or record.format, size(record.size_bytes)]
    if isinstance(record.signature, Skipped):
        facts.append(reason(record.signature))
    else:
        signature = record.signature
        facts += [
            f"{count(signature.parameters)} parameters",
            f"{shape(signature.input_shape)} -> {count(signature.classes)} classes",
            signature.head.replace("_", " "),
        ]
    return [*facts, f"sha256 {digest(record.sha256)}"]


def _nodes(record: InspectRecord) -> str:
    blocked = f"; blocked by {', '.join(record.blocked_by)}" if record.blocked_by else ""
    return f"analysable: {count(record.analysable_nodes)} of {count(record.nodes)}{blocked}"


def _tiers(record: InspectRecord) -> list[tuple[str, str]]:
    tiers: dict[str, list[OperatorRecord]] = {"bounds": [], "gradient": [], "unsupported": []}
    for operator in record.operators:
        tiers[operator.tier].append(operator)
    return [(tier, ", ".join(f"{o.op} {o.count}" for o in found)) for tier, found in tiers.items() if found]


def _layers(record: InspectRecord, ink: Ink) -> list[RenderableType]:
    if not record.layers:
        return []
    columns = [
        Column(header="", justify="left", fold=True, limit=max(12, ink.width // 4)),
        Column(header="operator", justify="left", fold=True, limit=max(20, ink.width // 3)),
        Column(header="parameters"),
        Column(header="shape", justify="left"),
    ]
    rows = [
        (
            layer.name,
            layer.description,
            count(layer.parameters),
            f"{shape(layer.input_shape)} -> {shape(layer.output_shape)}",
        )
        for layer in record.layers
    ]
    return [ink.section(ink.heading("LAYERS", [count(len(rows))]), ink.grid(columns, rows))]
