"""The one thing to know first."""

from __future__ import annotations

from lipcert.records import (
    BracketRecord,
    CertificateRecord,
    JacobianRecord,
    LipschitzRecord,
    MarginRecord,
    ModelRecord,
    Norm,
    RobustnessRecord,
    Skipped,
    Soundness,
)
from lipcert.records.metrics import metric_id
from lipcert.render.figure import Figure, figure, inequality, selectors, sentence
from lipcert.render.notation import (
    count,
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


def ball(record: BracketRecord | CertificateRecord | RobustnessRecord) -> str:
    """A record's ball: "linf 8/255"."""
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
        accuracy, samples = model.margins.clean_accuracy, model.margins.samples
        return sentence(
            "{right} of these {samples} samples are classified rightly (measured).",
            right=figure(share(accuracy, samples), accuracy, "margins.clean_accuracy"),
            samples=figure(count(samples), samples, "margins.samples"),
        )
    measured = isinstance(model.jacobian, JacobianRecord) or (model.layers and not isinstance(model.layers, Skipped))
    if measured:
        return "No verdict on robustness: that takes data, attacks and certificates."
    return "Nothing could be concluded about this model."


def _one_sided(model: ModelRecord) -> list[str]:
    """What attacks alone, or certificates alone, say at the largest radius of each norm."""
    certificates = () if isinstance(model.certificates, Skipped) else model.certificates
    found: dict[str, str] = {}
    for proved in sorted(certificates, key=lambda record: (record.eps, record.certified_accuracy)):
        low, names = proved.certified_accuracy, selectors(proved)
        words = "{ball}: at least {least} ({soundness}) of these {samples} samples are robust."
        found[proved.norm] = sentence(
            words if low else "{ball}: nothing is certified of these {samples} samples{because}.",
            ball=ball(proved),
            because=_because(model, proved),
            least=figure(share_down(low, proved.samples), low, "certificates.certified_accuracy", names),
            soundness=proved.soundness,
            samples=figure(count(proved.samples), proved.samples, "certificates.samples", names),
        )
    for broken in sorted(attacked(model), key=lambda record: record.eps):
        high, names = broken.robust_accuracy, selectors(broken)
        found[broken.norm] = sentence(
            "{ball}: at most {most} (attacked) of these {samples} samples are robust.",
            ball=ball(broken),
            most=figure(share_up(high, broken.samples), high, "robustness.robust_accuracy", names),
            samples=figure(count(broken.samples), broken.samples, "robustness.samples", names),
        )
    return [found[norm] for norm in _NORMS if norm in found]


def _because(model: ModelRecord, record: BracketRecord | CertificateRecord) -> str:
    """Why nothing is certified, where that is known."""
    certificates = () if isinstance(model.certificates, Skipped) else model.certificates
    told = [c.obstacle for c in certificates if c.norm == record.norm and c.eps <= record.eps and c.obstacle]
    return f": {told[0]}" if told else ""


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
    name = metric_id("brackets.population_risk", selectors(record))
    truth = sentence(
        "With {confidence} % confidence the robust error on inputs drawn like these lies between {low} and {high}.",
        confidence=short(100 * risk.confidence),
        low=Figure(percent_down(risk.lower), name, risk.lower, "lower"),
        high=Figure(percent_up(risk.upper), name, risk.upper, "upper"),
    )
    reach = [] if record.certified_accuracy else _reach(model, record.norm)
    return [
        sentence("{ball}: {share}", ball=ball(record), share=_share(model, record, soundness)),
        *reach,
        TRAINED_ON if is_trained_on(model) else truth,
    ]


def _reach(model: ModelRecord, norm: Norm) -> list[str]:
    """How far certificates do reach, where they do not reach the radius asked for."""
    found = [(record.certified_radius.median, record.soundness) for record in model.radii if record.norm == norm]
    median, soundness = max(found, default=(0.0, Soundness.PROVED))
    least = figure(lower(median), median, "radii.certified_radius.median", {"norm": norm})
    words = "Half of the samples are certified up to {norm} {least} ({soundness})."
    return [sentence(words, norm=norm, least=least, soundness=soundness)] if median > 0 else []


def _share(model: ModelRecord, record: BracketRecord, soundness: Soundness) -> str:
    if record.robust_accuracy == 0:
        words = "none of these {samples} samples are robust: an attack breaks every one (measured)."
    elif record.certified_accuracy == 1:
        words = "all of these {samples} samples are robust ({soundness})."
    elif record.certified_accuracy == record.robust_accuracy:
        words = (
            "{low} of these {samples} samples are robust ({soundness}, and every other sample is broken by an attack)."
        )
    elif record.certified_accuracy == 0 and _unbroken(model, record):
        words = "attacks found no error, and there is no certificate at this radius{because}."
    elif record.certified_accuracy == 0:
        words = (
            "at most {high} (attacked) of these {samples} samples are robust; no certificate at this radius{because}."
        )
    else:
        words = "between {low} ({soundness}) and {high} (attacked) of these {samples} samples are robust."
    names, samples = selectors(record), record.samples
    low, high = record.certified_accuracy, record.robust_accuracy
    return sentence(
        words,
        low=figure(share_down(low, samples), low, "brackets.certified_accuracy", names),
        high=figure(share_up(high, samples), high, "brackets.robust_accuracy", names),
        samples=figure(count(samples), samples, "brackets.samples", names),
        soundness=soundness,
        because=_because(model, record),
    )


def _unbroken(model: ModelRecord, record: BracketRecord) -> bool:
    """Whether attacks found nothing beyond the clean errors."""
    return any(other.eps == 0 and other.robust_accuracy <= record.robust_accuracy for other in model.brackets)


def _lipschitz(model: ModelRecord) -> list[str]:
    best = tightest(model)
    return [
        sentence(
            "The {norm} Lipschitz constant of the logits: {bounds} ({soundness}).",
            norm=norm,
            bounds=inequality(record.value, "L", "lipschitz.value", selectors(record)),
            soundness=record.value.soundness,
        )
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
