"""The Jacobian of the logits at the samples."""

from __future__ import annotations

from lipcert.records import JacobianRecord, ModelRecord
from lipcert.render.markdown.escape import bullets, escape, table
from lipcert.render.wording.jacobian import facts, readings
from lipcert.render.wording.jacobian_tables import Table, tables


def jacobian(model: ModelRecord) -> str | None:
    """The sentences, then every table behind a fold."""
    record = model.jacobian
    if not isinstance(record, JacobianRecord):
        return None
    lines = [f"{each.name}: {each.text}" + (f"  {each.plot}" if each.plot else "") for each in readings(record)]
    folded = "\n\n".join(_table(each) for each in tables(record))
    fold = f"<details>\n<summary>All tables</summary>\n\n{folded}\n\n</details>"
    return f"## Jacobian of the logits\n\n{bullets(lines)}\n\n{escape(', '.join(facts(record)))}\n\n{fold}"


def _table(found: Table) -> str:
    parts = [f"### {escape(found.title)}"]
    if found.rows:
        parts.append(table(list(found.head), found.rows))
    if found.notes:
        parts.append(bullets(list(found.notes)))
    return "\n\n".join(parts)
