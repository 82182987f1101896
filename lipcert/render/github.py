"""Workflow commands of GitHub Actions: annotations on the lines that declare what failed."""

from __future__ import annotations

from lipcert.records import Report
from lipcert.render.base import RENDERERS
from lipcert.render.findings import Finding, findings
from lipcert.render.style import Style, visible
from lipcert.render.wording.checks import tally

MOST = 10
"""Annotations of one step that GitHub shows."""

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
_LONGEST = 4000


@RENDERERS.register("github")
def render(report: Report, style: Style) -> str:  # noqa: ARG001  commands look the same everywhere
    """At most `MOST` annotations, the gravest first, then one plain line with the counts."""
    found = findings(report)
    shown = found if len(found) <= MOST else found[: MOST - 1]
    lines = [_annotation(finding) for finding in shown]
    if len(found) > len(shown):
        rest = found[len(shown) :]
        lines.append(
            _command(_COMMANDS[rest[0].level], {"title": "lipcert"}, f"{len(rest)} more findings in the summary")
        )
    return "".join(f"{line}\n" for line in [*lines, _counts(report)])


def _annotation(finding: Finding) -> str:
    where = {"file": finding.file, "line": str(finding.line)} if finding.file else {}
    title = f"{finding.rule}: {finding.model}" if finding.model else finding.rule
    state = "" if finding.state == "fail" else f"{finding.state}: "
    hint = f"\nhint: {visible(finding.hint)}" if finding.hint else ""
    return _command(_COMMANDS[finding.level], {**where, "title": title}, f"{state}{visible(finding.message)}{hint}")


def _command(name: str, properties: dict[str, str], message: str) -> str:
    """One command on one line: what would end it, or begin a property, is percent-encoded."""
    settings = ",".join(
        f"{key}={_encoded(visible(value)).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    return f"::{name} {settings}::{_encoded(message[:_LONGEST])}"


def _encoded(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _counts(report: Report) -> str:
    models = f"{len(report.models)} model{'s' * (len(report.models) != 1)}"
    checks = [check for model in report.models for check in model.checks]
    failed = f", {len(report.errors)} could not be concluded on" if report.errors else ""
    gate = "" if report.summary.gate == "none" else f"; gate: {report.summary.gate}"
    return f"lipcert: {models}{failed}; {tally(checks)}{gate}"
