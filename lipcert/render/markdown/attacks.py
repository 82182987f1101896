"""Loss and accuracy under attack, and whether to believe them, in Markdown."""

from __future__ import annotations

from lipcert.records import ModelRecord, RobustnessRecord
from lipcert.render import notation
from lipcert.render.markdown.escape import bullets, escape, table
from lipcert.render.wording import evaluation as words
from lipcert.render.wording.lines import attacked, judges


def attacks(model: ModelRecord) -> str | None:
    """Loss and accuracy under each attack, distances of the nearest errors, and the sampling error."""
    records = attacked(model)
    if not records:
        return None
    head = ["ball", "attack", "searched", "broke", "robust accuracy <=", "robust loss >="]
    parts = ["## Under attack (measured)", table(head, [row for record in records for row in _rows(record)])]
    if model.adversarial_radii:
        parts.append(_radii(model))
    parts.append(escape(", ".join(judges(model))))
    parts += [bullets(lines)] if (lines := [line for record in records if (line := words.unseen(record))]) else []
    sampled = [line for record in records if (line := words.sampling(record))]
    if sampled:
        parts += [escape(f"{words.sampling_lead(records)}:"), bullets(sampled)]
    return "\n\n".join(parts)


def _rows(record: RobustnessRecord) -> list[list[str]]:
    where, samples = f"{record.norm} {notation.radius(record.eps)}", record.samples
    clean = [
        where,
        "none",
        "",
        "",
        notation.share_up(record.clean_accuracy, samples),
        notation.nearest(record.clean_loss),
    ]
    found = words.broken_nearby(record)
    left = notation.share_up(record.clean_accuracy - found / samples, samples) if samples else ""
    near = [where, words.NEARBY, "", notation.count(found), left, ""]
    worst = [notation.share_up(record.robust_accuracy, samples), notation.lower(record.robust_loss)]
    each = [
        [
            where,
            attack.attack,
            notation.count(attack.searched),
            notation.count(attack.broken),
            notation.share_up(attack.robust_accuracy, samples),
            notation.lower(attack.robust_loss),
        ]
        for attack in record.attacks
    ]
    return [
        [where, "all together", notation.count(samples), notation.count(words.broken(record)), *worst],
        clean,
        *([near] if words.broken_nearby(record) else []),
        *each,
    ]


def _radii(model: ModelRecord) -> str:
    rows = []
    for record in model.adversarial_radii:
        spread = record.adversarial_radius
        points = () if spread is None else (spread.q05, spread.median, spread.q95)
        ends = [notation.upper(point) for point in points] or ["-"] * 3
        rows.append([record.norm, ", ".join(record.attacks), notation.count(record.found), *ends])
    return table(["nearest error", "attack", "found", "q05 <=", "median <=", "q95 <="], rows)


def evaluation(model: ModelRecord) -> str | None:
    """What did not pass, and the names of what did."""
    record = words.evaluation(model)
    if record is None:
        return None
    lines = [
        f"{check.status}: {words.check_line(check)}" + (f" Hint: {check.hint}" if check.hint else "")
        for check in words.flagged(record)
    ]
    passed = dict.fromkeys(check.id for check in record.checks if check.status == "pass")
    parts = [
        "## Can the attacks be believed",
        f"**{escape(words.verdict(record))}**",
        *([bullets(lines)] if lines else []),
    ]
    return "\n\n".join([*parts, escape(f"passed: {', '.join(passed)}")])
