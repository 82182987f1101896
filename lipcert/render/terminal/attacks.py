"""Loss and accuracy under each attack."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import AttackRecord, ModelRecord, RobustnessRecord
from lipcert.render.notation import lower, nearest, radius, share_up
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.lines import attacked, judges


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """For each ball the clean loss, every attack, and the worst of all."""
    records = attacked(model)
    if not records:
        return None
    columns = [
        Column(header="", justify="left"),
        Column(header="attack", justify="left", fold=True),
        Column(header="robust accuracy <="),
        Column(header="robust loss >="),
        Column(header="clean loss"),
    ]
    rows = [row for record in records for row in _rows(record, ink)]
    return ink.section(
        ink.heading("UNDER ATTACK", ["mean cross-entropy in nats", *judges(model)]), ink.grid(columns, rows)
    )


def _rows(record: RobustnessRecord, ink: Ink) -> list[list[str | Text]]:
    ball = f"{record.norm} {radius(record.eps)}"
    worst: list[str | Text] = [
        ball,
        ink.text("all together", "heading"),
        ink.marked(share_up(record.robust_accuracy, record.samples), "measured"),
        ink.marked(lower(record.robust_loss), "measured"),
        nearest(record.clean_loss),
    ]
    return [worst, *(_attack(attack, record.samples) for attack in record.attacks)]


def _attack(attack: AttackRecord, samples: int) -> list[str | Text]:
    return ["", attack.attack, share_up(attack.robust_accuracy, samples) + "  ", lower(attack.robust_loss) + "  ", ""]
