"""Bounds on the error on unseen inputs, in words. Nothing vacuous is shown without the word."""

from __future__ import annotations

from lipcert.records import GeneralizationRecord, ModelRecord, Skipped
from lipcert.render.figure import figure, selectors, sentence
from lipcert.render.notation import lower, nearest, percent_down, percent_up, radius, share_up, short, upper

HOLDOUT = {"holdout-clopper-pearson": "alone", "holdout-union": "all rows", "holdout-dkw": "any eps"}
PREMISE = {
    "test": "as --split test says, the samples are fresh draws, used for nothing else",
    "unknown": "assumes fresh samples, not used for training, tuning or choosing eps; say --split test, or train",
    "train": "training samples, as --split train says: no statement on unseen inputs follows from them",
}


def bounds(model: ModelRecord) -> tuple[GeneralizationRecord, ...]:
    """The records, none where they were skipped."""
    return () if isinstance(model.generalization, Skipped) else model.generalization


def is_trained_on(model: ModelRecord) -> bool:
    """Whether the samples are said to be training samples, which say nothing of unseen inputs."""
    return model.data is not None and model.data.split == "train"


def premise(model: ModelRecord) -> str:
    """What the brackets from the samples rest on."""
    return PREMISE["unknown" if model.data is None else model.data.split]


def where(record: GeneralizationRecord) -> str:
    """The perturbations a bound speaks of."""
    return "clean" if record.norm is None or record.eps is None else f"{record.norm} {radius(record.eps)}"


def value(record: GeneralizationRecord) -> str:
    """The upper end: a percentage, or a power of ten with the word vacuous."""
    if record.log10_value is None:
        return "-"
    if record.vacuous:
        shown = "1" if record.log10_value == 0 else f"10^{upper(record.log10_value)}"
        return f"{shown} vacuous"
    return percent_up(10**record.log10_value)


def interval(record: GeneralizationRecord) -> str:
    """Both ends of a bracket."""
    high = record.terms.get("upper", 1.0)
    low = percent_down(record.lower or 0.0).removesuffix(" %")
    return f"{low} - {percent_up(high)}" + (" vacuous" if record.vacuous and not record.lower else "")


def brackets(model: ModelRecord) -> dict[str, list[str]]:
    """Ball -> its brackets, one a way of `HOLDOUT`; empty where the samples prove nothing."""
    rows: dict[str, list[str]] = {}
    for record in () if is_trained_on(model) else bounds(model):
        if record.bound in HOLDOUT and record.guarantee:
            rows.setdefault(where(record), []).append(interval(record))
    return rows


def norm_bounds(model: ModelRecord) -> list[GeneralizationRecord]:
    """The other bounds that have a value."""
    return [record for record in bounds(model) if record.bound not in HOLDOUT and not record.missing]


def evidence(record: GeneralizationRecord) -> str:
    """How far the statement can be trusted."""
    return str(record.soundness) + ("" if record.guarantee else ", UNVERIFIED, no guarantee")


def reading(record: GeneralizationRecord) -> str:
    """How a bound came about, and that it is no guarantee where it is none."""
    return margin(record) + ("" if record.guarantee else "; UNVERIFIED, no guarantee")


def summary(model: ModelRecord) -> str:
    """What the bounds from training samples come to; empty where there are none."""
    found = norm_bounds(model)
    telling = [record for record in found if not record.vacuous and record.guarantee]
    if not found:
        return ""
    if not telling:
        return "every bound from training samples is vacuous here, as on almost every trained network"
    best = min(telling, key=lambda record: record.log10_value or 0.0)
    rest = "all others are vacuous" if len(telling) < len(found) else "none is vacuous"
    return f"{best.bound} says something: {value(best)}, of {subject(best)} ({best.soundness}); {rest}"


def subject(record: GeneralizationRecord) -> str:
    """Of which network a bound speaks."""
    return "the network with random weights" if "divergence" in record.terms else "the network in the file"


def unseen(model: ModelRecord) -> list[str]:
    """What is known of the clean error on unseen inputs, as a verdict."""
    found: list[str] = []
    for record in bounds(model):
        if record.bound == "holdout-clopper-pearson" and record.norm is None and record.guarantee:
            found.append(_held_out(record, "unknown" if model.data is None else model.data.split))
        elif "divergence" in record.terms and record.guarantee and not record.vacuous:
            found.append(
                sentence(
                    "{lead} the network with random weights, drawn for each input, errs on at most {most} of unseen "
                    "inputs ({soundness}).",
                    lead=_confidence(record),
                    most=value(record),
                    soundness=record.soundness,
                )
            )
    return found


def _held_out(record: GeneralizationRecord, split: str) -> str:
    names, high = selectors(record), record.terms.get("upper", 1.0)
    low = record.lower or 0.0
    return sentence(
        "{lead} the error on inputs drawn like these lies between {low} and {high} ({soundness}{fresh}).",
        lead=_confidence(record),
        low=figure(percent_down(low), low, "generalization.lower", names),
        high=figure(percent_up(high), high, "generalization.terms.upper", names),
        soundness=record.soundness,
        fresh="" if split == "test" else ", if they are fresh draws: then say --split test",
    )


def _confidence(record: GeneralizationRecord) -> str:
    return f"With {short(100 * (1 - record.failure_probability))} % confidence"


def margin(record: GeneralizationRecord) -> str:
    """The margin at which a bound was read, and the share of training samples that miss it."""
    if "divergence" in record.terms:
        return f"random weights, training error {percent_up(record.terms['train_error_upper'])}"
    if "margin" not in record.terms:
        return ""
    share = share_up(record.terms["missed"], int(record.terms["samples"]))
    return f"{lower(record.terms['margin'])}, missed by {share}"


def missing(model: ModelRecord) -> list[str]:
    """Bounds without a value, those with the same reason together."""
    reasons: dict[str, dict[str, None]] = {}
    for record in bounds(model):
        if record.missing:
            reasons.setdefault(record.missing, {})[record.bound] = None
    return [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]


def flatness(model: ModelRecord) -> list[str]:
    """How much noise the weights bear, and that there are more measures."""
    values = {one.measure: one for one in model.measures}
    found = []
    if "pacbayes_sigma" in values:
        sigma, wide = values["pacbayes_sigma"], values["pacbayes_mag_sigma"]
        found.append(
            f"noise on all weights costs a tenth of the training accuracy at sigma {nearest(sigma.value)}, or at "
            f"{nearest(wide.value)} of each weight ({sigma.soundness})"
        )
    if values:
        found.append(f"{len(values)} correlational measures (heuristic) are in the JSON report and with -v")
    return found
