"""The comparison as Markdown that fits a comment on a pull request."""

from __future__ import annotations

from lipcert.records.compare import ChangeRecord, CompareReport, ModelComparison
from lipcert.render.comparison.wording import ends, headline, label, paired, reason, remarks, rest, shown, verdict, word
from lipcert.render.markdown.escape import bullets, escape, table
from lipcert.render.style import Style

MOST = 60_000
"""Characters: GitHub takes 65,536 in a comment, GitLab far more."""

_HEADERS = ["", "before", "after", "verdict", "why"]


def render(report: CompareReport, _style: Style, *, full: bool = False) -> str:
    """Verdict first, then a table a model, as many models as a comment holds."""
    parts = [
        f"<!-- lipcert.compare {report.schema_version} -->",
        f"### lipcert: {verdict(report).lower()}",
        f"**{escape(headline(report))}**",
        f"{escape(report.before.path)} -> {escape(report.after.path)}".replace("->", "&rarr;"),
    ]
    if lines := remarks(report):
        parts.append(bullets(lines))
    if report.errors:
        parts.append(bullets([f"{error.model}: {error.message}" for error in report.errors]))
    return _fitted(parts, [_model(model, full=full) for model in report.models])


def _fitted(parts: list[str], models: list[str]) -> str:
    """As many whole models as fit; the others are counted."""
    length = sum(len(part) + 2 for part in parts) + 200
    kept = []
    for text in models:
        length += len(text) + 2
        if length > MOST:
            break
        kept.append(text)
    left = len(models) - len(kept)
    more = [f"_{left} more models are left out here; `-f json` has them._"] if left else []
    return "\n\n".join([*parts, *kept, *more]) + "\n"


def _model(model: ModelComparison, *, full: bool) -> str:
    rows = [_row(change) for change in shown(model, full=full)]
    parts = [f"#### {escape(model.after)}", table(_HEADERS, rows) if rows else "nothing to compare"]
    if model.paired:
        parts.append(table(["sample by sample", "lost", "won", "p (McNemar)"], [list(row) for row in paired(model)]))
    if not full and rest(model):
        parts.append(f"<sub>{escape(rest(model))}</sub>")
    return "\n\n".join(parts)


def _row(change: ChangeRecord) -> list[str]:
    return [label(change.metric), ends(change.before), ends(change.after), word(change), reason(change)]
