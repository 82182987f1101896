"""The sections of a Markdown report; every one is a function of the model, and None where it has nothing to show."""

from __future__ import annotations

from lipcert.records import (
    Enclosure,
    MarginRecord,
    ModelRecord,
    Skipped,
    Soundness,
)
from lipcert.render import notation
from lipcert.render.figure import inequality
from lipcert.render.markdown.escape import bullets, escape, table
from lipcert.render.wording import checks as words
from lipcert.render.wording import gaps, identity, proofs
from lipcert.render.wording.evaluation import caution
from lipcert.render.wording.generalization import is_trained_on
from lipcert.render.wording.lines import spaces
from lipcert.render.wording.lipschitz import estimates, reading
from lipcert.render.wording.verdict import ball, headline, soundness_at


def top(model: ModelRecord) -> str:
    """The verdict, then which file, what it reads, on what data, how faithfully."""
    rows = [
        ["model", ", ".join(identity.identity(model))],
        ["input", ", ".join(identity.preprocess(model.preprocess))],
        ["data", ", ".join(identity.data(model.data))],
        ["fidelity", ", ".join(identity.fidelity(model.fidelity))],
        *(["note", note] for note in identity.notes(model)),
    ]
    verdict = "\n".join(f"**{escape(line)}**  " for line in [*caution(model), *headline(model)])
    lines = [f"| {escape(name)} | {escape(value)} |" for name, value in rows]
    return "\n".join([f"# {escape(identity.title(model))}", "", verdict, "", "| | |", "|---|---|", *lines])


def brackets(model: ModelRecord) -> str | None:
    """Robust accuracy from both sides."""
    if not model.brackets:
        return None
    confidence = notation.short(100 * model.brackets[0].population_risk.confidence)
    rows = []
    for record in model.brackets:
        risk, samples, clean = record.population_risk, record.samples, record.eps == 0
        evidence = "measured" if clean else soundness_at(model, record)
        rows.append(
            [
                "clean" if clean else ball(record),
                f"{notation.share_down(record.certified_accuracy, samples)} ({evidence})",
                "" if clean else notation.share_up(record.robust_accuracy, samples),
                "" if clean else notation.share_up(record.undecided, samples),
                "-"
                if is_trained_on(model)
                else f"{notation.percent_down(risk.lower)} - {notation.percent_up(risk.upper)}",
            ]
        )
    head = ["ball", "certified", "attacked (measured)", "undecided", f"true risk, {confidence} %"]
    return f"## Robust accuracy\n\n{table(head, rows)}\n\n{escape('; '.join(spaces(model)))}"


def checks(model: ModelRecord) -> str | None:
    """The checks of the gate, those that did not pass first."""
    if not model.checks:
        return None
    rows = [
        [words.word(c), c.level, c.id, words.value(c), words.limit(c), words.remark(c), words.place(c)]
        for c in words.ordered(model)
    ]
    hints = [f"{c.id}: {c.hint}" for c in words.ordered(model) if words.gates(c) and c.hint]
    head = ["state", "level", "check", "known", "asked", "what was found", "declared at"]
    more = f"\n\n{bullets(hints)}" if hints else ""
    return f"## Checks: {words.tally(model.checks)}\n\n{table(head, rows)}{more}"


def certificates(model: ModelRecord) -> str | None:
    """What decided each sample, ball by ball, and what exactly is proved."""
    shown = [record for record in proofs.certificates(model) if record.verdicts]
    if not shown:
        return None
    rows = [
        [
            f"{record.norm} {notation.radius(record.eps)}",
            *(notation.count(record.verdicts.get(name, 0)) for name in proofs.VERDICTS),
            proofs.decided_by(record),
        ]
        for record in shown
    ]
    lines = "\n\n".join(escape(line) for line in (*proofs.given_up(model), *proofs.statement(model)))
    return f"## Certificates\n\n{table(['ball', *proofs.VERDICTS, 'decided by'], rows)}\n\n{lines}"


def radii(model: ModelRecord) -> str | None:
    """Certified radii over the samples, all rounded down."""
    if not model.radii:
        return None
    rows = []
    for record in model.radii:
        spread = record.certified_radius
        points = (spread.q05, spread.median, spread.q95, spread.max)
        row = [record.norm, *(notation.lower(max(point, 0.0)) for point in points)]
        rows.append([*row, f"{record.soundness}, {record.method}"])
    lines = "".join(f"\n\n{escape(line)}" for line in proofs.products(model))
    return f"## Certified radii\n\n{table(['norm', 'q05', 'median', 'q95', 'max', 'evidence'], rows)}{lines}"


def lipschitz(model: ModelRecord) -> str | None:
    """Lipschitz constants of the logits, by norm and method."""
    if isinstance(model.lipschitz, Skipped):
        return None
    rows = [
        [
            f"{record.norm}, {record.scope}",
            inequality(record.value, "L", "lipschitz.value"),
            notation.relative_gap(record.value),
            f"{record.value.soundness}, {record.method}",
        ]
        for record in model.lipschitz
        if not isinstance(record.value, Skipped)
    ]
    if not rows:
        return None
    lines = "".join(f"\n\n{escape(line)}" for line in (*reading(model), *estimates(model)))
    return f"## Lipschitz constant of the logits\n\n{table(['norm', 'constant', 'gap', 'evidence'], rows)}{lines}"


def margins(model: ModelRecord) -> str | None:
    """Accuracy, loss and margin of the clean samples."""
    record = model.margins
    if not isinstance(record, MarginRecord):
        return None
    spread = record.distribution
    numbers = map(notation.nearest, (record.clean_loss, spread.q05, spread.median, spread.q95))
    row = [notation.share(record.clean_accuracy, record.samples), *numbers]
    head = ["accuracy", "loss, nats", "margin q05", "margin median", "margin q95"]
    return f"## Clean samples\n\n{table(head, [row])}"


def layers(model: ModelRecord) -> str | None:
    """The layers as operators at their input size."""
    if isinstance(model.layers, Skipped) or not model.layers:
        return None
    rows = [
        [
            layer.name,
            layer.description or layer.op,
            _evidence(layer.spectral_norm),
            "-" if isinstance(layer.spectral_norm, Skipped) else notation.relative_gap(layer.spectral_norm),
            _upper(layer.stable_rank),
            "-" if layer.share is None else f"{100 * layer.share:.0f} %",
            _upper(layer.linf_norm),
            _upper(layer.l1_norm),
        ]
        for layer in model.layers
    ]
    notes = [f"{layer.name}: {note}" for layer in model.layers if (note := gaps.layer_note(layer))]
    head = ["layer", "operator", "spectral norm", "gap", "stable rank", "share", "linf norm", "l1 norm"]
    return f"## Layers\n\n{table(head, rows)}" + (f"\n\n{bullets(notes)}" if notes else "")


def _evidence(value: Enclosure | Skipped) -> str:
    if isinstance(value, Skipped):
        return "skipped"
    words = "" if value.soundness is Soundness.PROVED else f" ({value.soundness})"
    return notation.interval(value) + words


def _upper(value: Enclosure | Skipped) -> str:
    return "skipped" if isinstance(value, Skipped) else notation.upper_end(value)


def findings(model: ModelRecord) -> str | None:
    """Diagnostics with their hints."""
    if not model.diagnostics:
        return None
    lines = [
        f"{item.level}: {item.id}: {item.message}" + (f" Hint: {item.hint}" if item.hint else "")
        for item in model.diagnostics
    ]
    return f"## Diagnostics\n\n{bullets(lines)}"


def skipped(model: ModelRecord, asked: tuple[str, ...]) -> str:
    """What is not in this report, and what would bring it."""
    lines = [f"{name}: {reason}" for name, reason in gaps.skipped(model)]
    if model.unsupported_ops:
        lines.append(f"no rule for {', '.join(model.unsupported_ops)}")
    if missing := gaps.data_would_add(model, asked):
        lines.append(missing)
    return f"## Skipped\n\n{bullets(lines) if lines else 'nothing'}"
