"""What capping did to a model, for a terminal."""

from __future__ import annotations

from lipcert.records import Skipped
from lipcert.records.cap import CappedLayerRecord, CapReport
from lipcert.render.notation import share, short, upper
from lipcert.render.style import Style


def render_cap(report: CapReport, style: Style) -> str:
    """One line a layer, then the network's constant and its accuracy before and after."""
    rows = [("LAYER", "", "BEFORE", "AFTER", "CAP"), *map(_layer, report.layers)]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = [_line(row, widths) for row in rows]
    lines += [
        "",
        f"Lipschitz constant, l2, at most  {_constant(report.lipschitz_before)} -> {_constant(report.lipschitz_after)}",
    ]
    if report.accuracy_before is not None and report.accuracy_after is not None:
        lines.append(
            f"accuracy on {report.samples} samples  {share(report.accuracy_before, report.samples)} -> "
            f"{share(report.accuracy_after, report.samples)}"
        )
    if report.changed is not None:
        lines.append(f"predictions changed  {report.changed} of {report.samples}")
    lines += [f"note: {note}" for note in report.notes]
    lines.append(f"written: {report.output}, sha256 {report.output_sha256[:12]}")
    return "\n".join(style.spell(line) for line in lines) + "\n"


def _layer(layer: CappedLayerRecord) -> tuple[str, ...]:
    before, after = ("none" if end.upper is None else upper(end.upper, 7) for end in (layer.before, layer.after))
    cap = "" if layer.beta is None else short(layer.beta)
    return layer.name, layer.description, before, after, cap


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = list(zip(row, widths, strict=True))
    words = [cell.ljust(width) for cell, width in cells[:2]] + [cell.rjust(width) for cell, width in cells[2:]]
    return "  ".join(words).rstrip()


def _constant(value: float | Skipped) -> str:
    return f"unknown ({value.reason})" if isinstance(value, Skipped) else upper(value)
