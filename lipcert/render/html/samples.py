"""What was measured at the samples: margins, the Jacobian, accuracy and loss under attack."""

from __future__ import annotations

from lipcert.records import (
    AdversarialRadiusRecord,
    AttackRecord,
    JacobianRecord,
    MarginRecord,
    ModelRecord,
    RobustnessRecord,
)
from lipcert.render import notation
from lipcert.render.figure import figure, selectors
from lipcert.render.html.markup import Html, Part, details, element, join, listing, mark, paragraph, table
from lipcert.render.notation import count, nearest
from lipcert.render.wording import evaluation as trust
from lipcert.render.wording.jacobian import facts, readings
from lipcert.render.wording.jacobian_tables import tables
from lipcert.render.wording.lines import attacked, judges

_POINTS = ("min", "q05", "median", "q95", "max")


def margins(model: ModelRecord) -> list[Html]:
    """Accuracy, loss and margins of the clean samples, and the accuracy of each class."""
    record = model.margins
    if not isinstance(record, MarginRecord):
        return []
    spread = record.distribution
    points = [
        figure(nearest(value), value, f"margins.distribution.{name}")
        for name in _POINTS
        for value in [float(getattr(spread, name))]
    ]
    head = ("samples", "accuracy", "loss, nats", *(f"margin {name}" for name in _POINTS))
    accuracy = figure(
        notation.share(record.clean_accuracy, record.samples), record.clean_accuracy, "margins.clean_accuracy"
    )
    loss = figure(nearest(record.clean_loss), record.clean_loss, "margins.clean_loss")
    found = [
        table("Clean samples", head, [[count(record.samples), [accuracy, mark("measured")], loss, *points]], hide=True)
    ]
    classes: list[list[Part]] = [
        [
            f"class {index}",
            "no samples"
            if share is None
            else figure(f"{nearest(100 * share)} %", share, "margins.class_accuracy", {"index": index}),
        ]
        for index, share in enumerate(record.class_accuracy)
    ]
    return [*found, details("Accuracy by class", table("Accuracy by class", ("class", "accuracy"), classes, hide=True))]


def jacobian(model: ModelRecord) -> list[Html]:
    """A few sentences."""
    record = model.jacobian
    if not isinstance(record, JacobianRecord):
        return []
    rows: list[list[Part]] = [[reading.name, reading.text] for reading in readings(record)]
    lead = paragraph(", ".join(facts(record)), "muted")
    return [table("The Jacobian in short", ("", ""), rows, text=(1,), hide=True), lead]


def jacobian_tables(model: ModelRecord) -> list[Html]:
    """Every table of the Jacobian, folded."""
    record = model.jacobian
    if not isinstance(record, JacobianRecord):
        return []
    parts: list[Part] = []
    for found in tables(record):
        if found.rows:
            parts.append(table(found.title, found.head, found.rows))
        else:
            parts.append(element("h3", found.title))
        parts += [paragraph(note, "muted") for note in found.notes]
    return [details("All tables of the Jacobian", *parts)] if parts else []


def attacks(model: ModelRecord) -> list[Html]:
    """Loss and accuracy under each attack, distances of the nearest errors, sampling error, and what was spent."""
    records = attacked(model)
    if not records:
        return []
    head = ("ball", "attack", "searched", "broke", "accuracy <=", "loss >=")
    rows = [row for record in records for row in _rows(record)]
    found = [table("Accuracy and loss under attack", head, rows, text=(1,), hide=True)]
    if model.adversarial_radii:
        titles = ("norm", "attack", "found", "q05 <=", "median <=", "q95 <=")
        found.append(
            table("Distance of the nearest errors", titles, [_radii(r) for r in model.adversarial_radii], text=(1,))
        )
    found.append(paragraph(", ".join(judges(model)), "muted"))
    found += [listing(lines)] if (lines := [line for record in records if (line := trust.unseen(record))]) else []
    sampled = [line for record in records if (line := trust.sampling(record))]
    return [*found, paragraph(f"{trust.sampling_lead(records)}:", "muted"), listing(sampled)] if sampled else found


def _rows(record: RobustnessRecord) -> list[list[Part]]:
    ball, names = f"{record.norm} {notation.radius(record.eps)}", selectors(record)
    accuracy = figure(
        notation.share_up(record.robust_accuracy, record.samples),
        record.robust_accuracy,
        "robustness.robust_accuracy",
        names,
    )
    loss = figure(notation.lower(record.robust_loss), record.robust_loss, "robustness.robust_loss", names)
    broken, again = count(trust.broken(record)), element("span", ball, class_="hidden")
    clean = figure(
        notation.share_up(record.clean_accuracy, record.samples),
        record.clean_accuracy,
        "robustness.clean_accuracy",
        names,
    )
    found = trust.broken_nearby(record)
    left = notation.share_up(record.clean_accuracy - found / record.samples, record.samples) if found else None
    near: list[list[Part]] = [[again, trust.NEARBY, None, count(found), left, None]] if found else []
    at_rest = figure(nearest(record.clean_loss), record.clean_loss, "robustness.clean_loss", names)
    return [
        [
            ball,
            element("strong", "all together"),
            count(record.samples),
            broken,
            [accuracy, mark("measured")],
            [loss, mark("measured")],
        ],
        [again, "none", None, None, clean, at_rest],
        *near,
        *(_attack(again, attack, record) for attack in record.attacks),
    ]


def _attack(ball: str, attack: AttackRecord, record: RobustnessRecord) -> list[Part]:
    names = [*selectors(record), *selectors(attack)]
    return [
        ball,
        attack.attack + ("" if attack.complete else " (cut short)"),
        figure(count(attack.searched), attack.searched, "robustness.attacks.searched", names),
        figure(count(attack.broken), attack.broken, "robustness.attacks.broken", names),
        figure(
            notation.share_up(attack.robust_accuracy, record.samples),
            attack.robust_accuracy,
            "robustness.attacks.robust_accuracy",
            names,
        ),
        figure(notation.lower(attack.robust_loss), attack.robust_loss, "robustness.attacks.robust_loss", names),
    ]


def _radii(record: AdversarialRadiusRecord) -> list[Part]:
    spread, path = record.adversarial_radius, "adversarial_radii.adversarial_radius"
    points: list[Part] = ["-"] * 3
    if spread is not None:
        points = [
            figure(notation.upper(value), value, f"{path}.{name}", selectors(record))
            for name, value in (("q05", spread.q05), ("median", spread.median), ("q95", spread.q95))
        ]
    found = figure(count(record.found), record.found, "adversarial_radii.found", selectors(record))
    return [record.norm, ", ".join(record.attacks), found, *points]


def evaluation(model: ModelRecord) -> list[Html]:
    """Whether the attacks can be believed: the verdict, what did not pass, and everything else folded."""
    record = trust.evaluation(model)
    if record is None:
        return []
    order = ("fail", "warn", "pass", "skipped")
    grave = {"fail": "fail", "warn": "warning", "pass": "pass", "skipped": "note"}
    rows: list[list[Part]] = [
        [
            element(
                "span",
                check.status.upper() if check.status in {"fail", "warn"} else check.status,
                class_=f"state {grave[check.status]}",
            ),
            join(
                [
                    trust.check_line(check),
                    element("small", f"hint: {check.hint}", class_="hint")
                    if check.hint and check.status != "pass"
                    else None,
                ]
            ),
        ]
        for check in sorted(record.checks, key=lambda check: order.index(check.status))
    ]
    flagged = [
        row
        for row, check in zip(rows, sorted(record.checks, key=lambda c: order.index(c.status)), strict=True)
        if check.status in {"fail", "warn"}
    ]
    shown = (
        [table("Checks of the attacks that did not pass", ("", ""), flagged, text=(1,), hide=True)] if flagged else []
    )
    return [
        paragraph(trust.verdict(record)),
        *shown,
        details("All checks of the attacks", table("Checks of the attacks", ("", ""), rows, text=(1,), hide=True)),
    ]
