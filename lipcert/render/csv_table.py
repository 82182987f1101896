"""Every number of a report as a table: a row a metric, then a row a check."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from lipcert.records import CheckRecord, ModelRecord, Report
from lipcert.records.metrics import Reading, readings
from lipcert.render.base import RENDERERS
from lipcert.render.style import Style, visible
from lipcert.render.wording.checks import limit
from lipcert.render.wording.identity import title

HEAD = tuple("model path kind id value lower upper soundness samples state message".split())
_WHOLE = 2**53
_FORMULA = ("=", "+", "-", "@")


@RENDERERS.register("csv")
def render(report: Report, style: Style) -> str:  # noqa: ARG001  a table of numbers looks the same everywhere
    """Full precision, a point in decimals, commas between, one line a row; names are inert in spreadsheets."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEAD)
    for model in report.models:
        writer.writerows(_rows(model))
    for error in report.errors:
        cells = (error.model, error.model, "error", error.code, "", "", "", "", "", "error", error.message)
        writer.writerow([_inert(cell) for cell in cells])
    return stream.getvalue()


def _rows(model: ModelRecord) -> Iterator[list[str]]:
    lead = [_inert(title(model)), _inert(model.path)]
    for reading in readings(model):
        yield [*lead, "metric", *_metric(reading)]
    for check in model.checks:
        yield [*lead, "check", *_check(check)]


def _metric(reading: Reading) -> list[str]:
    name = _inert(str(reading.id))
    if reading.skipped is not None:
        return [name, "", "", "", "", "", "skipped", _inert(reading.skipped.reason)]
    samples = "" if reading.samples is None else str(reading.samples)
    numbers = [_number(value) for value in (reading.reported, reading.lower, reading.upper)]
    return [name, *numbers, str(reading.soundness), samples, "", _inert(reading.method)]


def _check(check: CheckRecord) -> list[str]:
    state = check.state if check.ignored is None or check.state == "pass" else "ignored"
    soundness = "" if check.soundness is None else str(check.soundness)
    message = f"{check.message} (asked: {limit(check)})" if limit(check) else check.message
    return [_inert(check.id), "", _number(check.lower), _number(check.upper), soundness, "", state, _inert(message)]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) and abs(value) < _WHOLE else repr(value)


def _inert(text: str) -> str:
    """`text` on one line, and no formula: a quote in front of what a spreadsheet would compute."""
    shown = visible(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
