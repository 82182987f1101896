"""Loss and accuracy under each attack, and how near the nearest errors are."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import AdversarialRadiusRecord, AttackRecord, ModelRecord, RobustnessRecord
from lipcert.render.notation import count, lower, nearest, radius, share_up, upper
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.evaluation import (
    NEARBY,
    broken,
    broken_nearby,
    evaluation,
    sampling,
    sampling_lead,
    unseen,
    verdict,
)
from lipcert.render.wording.lines import attacked, judges


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """For each ball the clean loss, every search in its order, and the worst of all; then radii and sampling error."""
    records = attacked(model)
    if not records:
        return None
    columns = [
        Column(header="", justify="left"),
        Column(header="attack", justify="left", fold=True),
        Column(header="searched"),
        Column(header="broke"),
        Column(header="accuracy <="),
        Column(header="loss >="),
    ]
    rows = [row for record in records for row in _rows(record, ink)]
    heading = ink.heading("UNDER ATTACK", ["loss: mean cross-entropy in nats", *judges(model)])
    parts: list[RenderableType] = [ink.grid(columns, rows)]
    if model.adversarial_radii:
        parts += [Text(""), _radii(model.adversarial_radii, ink)]
    parts += [ink.text(line, "dim") for line in _notes(model, records)]
    return ink.section(heading, *parts)


def _rows(record: RobustnessRecord, ink: Ink) -> list[list[str | Text]]:
    ball = f"{record.norm} {radius(record.eps)}"
    worst: list[str | Text] = [
        ball,
        ink.text("all together", "heading"),
        count(record.samples),
        count(broken(record)),
        ink.marked(share_up(record.robust_accuracy, record.samples), "measured"),
        ink.marked(lower(record.robust_loss), "measured"),
    ]
    clean: list[str | Text] = [
        "",
        "none",
        "",
        "",
        share_up(record.clean_accuracy, record.samples) + "  ",
        nearest(record.clean_loss) + "  ",
    ]
    near: list[str | Text] = [
        "",
        NEARBY,
        "",
        count(broken_nearby(record)),
        share_up(record.clean_accuracy - broken_nearby(record) / record.samples, record.samples) + "  ",
        "",
    ]
    nearby = [near] if broken_nearby(record) else []
    return [worst, clean, *nearby, *(_attack(attack, record.samples) for attack in record.attacks)]


def _attack(attack: AttackRecord, samples: int) -> list[str | Text]:
    return [
        "",
        attack.attack + ("" if attack.complete else " (cut short)"),
        count(attack.searched),
        count(attack.broken),
        share_up(attack.robust_accuracy, samples) + "  ",
        lower(attack.robust_loss) + "  ",
    ]


def _radii(records: tuple[AdversarialRadiusRecord, ...], ink: Ink) -> RenderableType:
    """Distances of the nearest errors: upper bounds, rounded up."""
    columns = [Column(header="nearest error", justify="left"), Column(header="attack", justify="left", fold=True)]
    columns += [Column(header="found")]
    columns += [Column(header=f"{name} <=") for name in ("q05", "median", "q95")]
    rows: list[list[str | Text]] = []
    for record in records:
        spread = record.adversarial_radius
        ends = ["-"] * 3 if spread is None else [upper(value) for value in (spread.q05, spread.median, spread.q95)]
        rows.append(
            [
                record.norm,
                ", ".join(record.attacks),
                count(record.found),
                *(ink.marked(end, "measured") for end in ends),
            ]
        )
    return ink.grid(columns, rows)


def _notes(model: ModelRecord, records: tuple[RobustnessRecord, ...]) -> list[str]:
    """Whether to believe it, what was spent, what was left undone, and the sampling error."""
    checks = evaluation(model)
    lines = [] if checks is None else [verdict(checks)]
    spent = sum(r.gradients for r in records) + sum(r.gradients for r in model.adversarial_radii)
    asked = sum(r.forwards for r in records) + sum(r.forwards for r in model.adversarial_radii)
    if spent or asked:
        lines.append(f"spent {count(spent)} gradients and {count(asked)} evaluations")
    undone = dict.fromkeys(name for record in records for name in record.unfinished)
    lines += [f"out of time before the end of {', '.join(undone)}"] if undone else []
    lines += [line for record in records if (line := unseen(record))]
    sampled = [line for record in records if (line := sampling(record))]
    return [*lines, sampling_lead(records), *sampled] if sampled else lines
