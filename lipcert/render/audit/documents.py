"""The leaderboard for machines: JSON, JSON lines and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from lipcert.records import codec
from lipcert.records.audit import AuditModel, AuditReport
from lipcert.render.style import Style, visible

_PLAIN = ("name", "family", "path", "sha256", "key", "status", "format", "parameters", "classes", "samples")


def render_json(report: AuditReport, style: Style) -> str:  # noqa: ARG001  data has no style
    """The whole document."""
    return codec.to_json(report)


def render_jsonl(report: AuditReport, style: Style) -> str:  # noqa: ARG001
    """A row a model."""
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows(report))


def render_csv(report: AuditReport, style: Style) -> str:  # noqa: ARG001
    """A row a model, a column a number."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns(report), lineterminator="\n")
    writer.writeheader()
    for row in rows(report):
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return out.getvalue()


def columns(report: AuditReport) -> list[str]:
    """The names of a row's values, in order: those of the balls as `certified_accuracy[norm=linf,eps=0.1]`."""
    balls = sorted({(ball.norm, ball.eps) for model in report.models for ball in model.balls})
    kinds = ("certified_accuracy", "robust_accuracy", "true_accuracy.lower", "true_accuracy.upper")
    found = [f"{kind}[norm={norm},eps={eps!r}]" for norm, eps in balls for kind in kinds]
    ends = ["lipschitz.norm", "lipschitz.lower", "lipschitz.upper", "gate", "error.code", "error.message"]
    return [*_PLAIN, "clean_accuracy", *found, "rank.best", "rank.worst", *ends]


def rows(report: AuditReport) -> Iterator[dict[str, Any]]:
    """A flat row a model, with every column."""
    names = columns(report)
    for model in report.models:
        yield dict.fromkeys(names) | _row(model)


def _row(model: AuditModel) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(model, name) for name in (*_PLAIN, "clean_accuracy")}
    for ball in model.balls:
        place = f"[norm={ball.norm},eps={ball.eps!r}]"
        row |= {f"certified_accuracy{place}": ball.certified_accuracy, f"robust_accuracy{place}": ball.robust_accuracy}
        if ball.true_accuracy is not None:
            row[f"true_accuracy.lower{place}"], row[f"true_accuracy.upper{place}"] = ball.true_accuracy
        if ball.rank is not None:
            row["rank.best"], row["rank.worst"] = ball.rank
    if model.lipschitz is not None:
        row |= {f"lipschitz.{name}": getattr(model.lipschitz, name) for name in ("norm", "lower", "upper")}
    if model.checks:
        row["gate"] = "pass" if all(check.state == "pass" or check.ignored for check in model.checks) else "not passed"
    if model.error is not None:
        row |= {"error.code": model.error.code, "error.message": model.error.message}
    return row


def _harmless(value: Any) -> Any:
    """Text that neither a spreadsheet takes for a formula nor a terminal for a command."""
    if not isinstance(value, str):
        return value
    return visible(f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value)
