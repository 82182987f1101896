"""The one thing to know first."""

from __future__ import annotations

from lipcert.records import (
    BracketRecord,
    JacobianRecord,
    LipschitzRecord,
    MarginRecord,
    ModelRecord,
    Norm,
    Skipped,
    Soundness,
)
from lipcert.render.notation import (
    count,
    inequality,
    lower,
    percent_down,
    percent_up,
    radius,
    share,
    share_down,
    share_up,
    short,
)
from lipcert.render.wording.generalization import bounds, is_trained_on, unseen
from lipcert.render.wording.lines import attacked

_NORMS = ("linf", "l2", "l1")
TRAINED_ON = "These are training samples: nothing follows for unseen inputs."


def ball(record: BracketRecord) -> str:
    """A bracket's ball: "linf 8/255"."""
    return f"{record.norm} {radius(record.eps)}"


def headline(model: ModelRecord) -> list[str]:
    """What holds at the largest radius of each norm; where no bracket is, what is known of the Lipschitz constant."""
    grave = ", ".join(item.id for item in model.diagnostics if item.level == "error")
    doubt = [f"DOUBTFUL until {grave} is settled: see the diagnostics."] if grave else []
    widest = [_widest(model, norm) for norm in _NORMS]
    brackets = [bracket for bracket in widest if bracket is not None]
    if brackets:
        return [*doubt, *(sentence for bracket in brackets for sentence in _bracket(model, bracket))]
    return [*doubt, *(_one_sided(model) or _lipschitz(model) or _of_unseen(model) or [_without(model)])]


def _of_unseen(model: ModelRecord) -> list[str]:
    """What is known of unseen inputs, where nothing is known of perturbed ones."""
    found = unseen(model) or ([TRAINED_ON] if is_trained_on(model) and bounds(model) else [])
    return [_without(model), *found] if found and isinstance(model.margins, MarginRecord) else found


def _without(model: ModelRecord) -> str:
    """What stands for a verdict where no figure of the report is one."""
    if isinstance(model.margins, MarginRecord):
        right = share(model.margins.clean_accuracy, model.margins.samples)
        return f"{right} of these {count(model.margins.samples)} samples are classified rightly (measured)."
    measured = isinstance(model.jacobian, JacobianRecord) or (model.layers and not isinstance(model.layers, Skipped))
    if measured:
        return "No verdict on robustness: that takes data, attacks and certificates."
    return "Nothing could be concluded about this model."


def _one_sided(model: ModelRecord) -> list[str]:
    """What attacks alone, or certificates alone, say at the largest radius of each norm."""
    certificates = () if isinstance(model.certificates, Skipped) else model.certificates
    found: dict[str, str] = {}
    for proved in sorted(certificates, key=lambda record: (record.eps, record.certified_accuracy)):
        least = f"at least {share_down(proved.certified_accuracy, proved.samples)} ({proved.soundness})"
        found[proved.norm] = f"{proved.norm} {radius(proved.eps)}: {least} of these {count(proved.samples)} samples"
    for broken in sorted(attacked(model), key=lambda record: record.eps):
        most = f"at most {share_up(broken.robust_accuracy, broken.samples)} (attacked)"
        found[broken.norm] = f"{broken.norm} {radius(broken.eps)}: {most} of these {count(broken.samples)} samples"
    return [f"{found[norm]} are robust." for norm in _NORMS if norm in found]


def _widest(model: ModelRecord, norm: str) -> BracketRecord | None:
    found = [bracket for bracket in model.brackets if bracket.norm == norm and bracket.eps > 0]
    return max(found, key=lambda bracket: bracket.eps, default=None)


def soundness_at(model: ModelRecord, bracket: BracketRecord) -> Soundness:
    """The evidence behind a bracket's certified end: that of the certificate which reaches it."""
    if isinstance(model.certificates, Skipped):
        return Soundness.PROVED
    at_ball = [c for c in model.certificates if (c.norm, c.eps) == (bracket.norm, bracket.eps)]
    best = max(at_ball, key=lambda c: c.certified_accuracy, default=None)
    return best.soundness if best is not None else Soundness.PROVED


def _bracket(model: ModelRecord, record: BracketRecord) -> list[str]:
    risk, soundness = record.population_risk, soundness_at(model, record)
    limits = f"{percent_down(risk.lower)} and {percent_up(risk.upper)}"
    lead = f"With {short(100 * risk.confidence)} % confidence the robust error on inputs drawn like these"
    reach = [] if record.certified_accuracy else _reach(model, record.norm)
    truth = TRAINED_ON if is_trained_on(model) else f"{lead} lies between {limits}."
    return [f"{ball(record)}: {_share(model, record, soundness)}", *reach, truth]


def _reach(model: ModelRecord, norm: Norm) -> list[str]:
    """How far certificates do reach, where they do not reach the radius asked for."""
    found = [(record.certified_radius.median, record.soundness) for record in model.radii if record.norm == norm]
    median, soundness = max(found, default=(0.0, Soundness.PROVED))
    return [f"Half of the samples are certified up to {norm} {lower(median)} ({soundness})."] if median > 0 else []


def _share(model: ModelRecord, record: BracketRecord, soundness: Soundness) -> str:
    low, high = share_down(record.certified_accuracy, record.samples), share_up(record.robust_accuracy, record.samples)
    what = f"of these {count(record.samples)} samples are robust"
    if record.robust_accuracy == 0:
        return f"none {what}: an attack breaks every one (measured)."
    if record.certified_accuracy == 1:
        return f"all {what} ({soundness})."
    if record.certified_accuracy == record.robust_accuracy:
        return f"{low} {what} ({soundness}, and every other sample is broken by an attack)."
    if record.certified_accuracy == 0 and _unbroken(model, record):
        return "no certificate at this radius; attacks found no error either."
    if record.certified_accuracy == 0:
        return f"at most {high} (attacked) {what}; no certificate at this radius."
    return f"between {low} ({soundness}) and {high} (attacked) {what}."


def _unbroken(model: ModelRecord, record: BracketRecord) -> bool:
    """Whether attacks found nothing beyond the clean errors."""
    return any(other.eps == 0 and other.robust_accuracy <= record.robust_accuracy for other in model.brackets)


def _lipschitz(model: ModelRecord) -> list[str]:
    best = tightest(model)
    return [
        f"The {norm} Lipschitz constant of the logits: {inequality(record.value, 'L')} ({record.value.soundness})."
        for norm, record in best.items()
        if not isinstance(record.value, Skipped)
    ]


def tightest(model: ModelRecord) -> dict[str, LipschitzRecord]:
    """The global Lipschitz record with the smallest upper end, a norm each."""
    records = () if isinstance(model.lipschitz, Skipped) else model.lipschitz
    best: dict[str, LipschitzRecord] = {}
    for record in sorted(records, key=upper_end):
        if record.scope == "global":
            best.setdefault(record.norm, record)
    return {norm: best[norm] for norm in ("l2", "linf", "l1") if norm in best}


def upper_end(record: LipschitzRecord) -> float:
    """A sorting key: the upper end, infinite where there is none."""
    if isinstance(record.value, Skipped) or record.value.upper is None:
        return float("inf")
    return record.value.upper
