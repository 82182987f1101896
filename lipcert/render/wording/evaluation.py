"""Whether the attacks can be believed, and what the draw of the samples leaves open, in words."""

from __future__ import annotations

from lipcert.records import EvaluationCheck, EvaluationRecord, ModelRecord, RobustnessRecord
from lipcert.render.figure import figure, selectors, sentence
from lipcert.render.notation import count, lower, nearest, percent_down, percent_up, radius, short, upper


def evaluation(model: ModelRecord) -> EvaluationRecord | None:
    """The checks of the attacks, where there are any."""
    return model.evaluation if isinstance(model.evaluation, EvaluationRecord) else None


def flagged(record: EvaluationRecord) -> list[EvaluationCheck]:
    """Checks that did not pass, the gravest first."""
    return [check for status in ("fail", "warn") for check in record.checks if check.status == status]


def verdict(record: EvaluationRecord) -> str:
    """One line: "evaluation: sound (21 checks pass, 2 notes)"; a note is a check that does not apply here."""
    number = {status: sum(c.status == status for c in record.checks) for status in ("pass", "warn", "fail", "skipped")}
    parts = [f"{number['fail']} fail" * bool(number["fail"]), f"{number['warn']} warn" * bool(number["warn"])]
    parts += [_many(number["pass"], "check passes", "checks pass"), _many(number["skipped"], "note", "notes")]
    return f"evaluation: {record.verdict} ({', '.join(part for part in parts if part)})"


def caution(model: ModelRecord) -> list[str]:
    """What stands above the verdict where the attacks cannot be believed."""
    record = evaluation(model)
    if record is None or record.verdict == "sound":
        return []
    names = ", ".join(dict.fromkeys(check.id for check in flagged(record)))
    if record.verdict == "broken":
        return [f"The attacks do not work on this model ({names}): its accuracy under attack means nothing."]
    return [f"The attacks may be too weak here ({names}): read accuracy under attack as an upper bound only."]


def check_line(check: EvaluationCheck) -> str:
    """A check with its ball, what it found, and the largest value that passes."""
    where = f" ({check.ball})" if check.ball else ""
    limit = "" if check.value is None or check.threshold is None else _limit(check.value, check.threshold)
    return f"{check.id}{where}: {check.message}{limit}"


def _limit(value: float, threshold: float) -> str:
    return f" [{nearest(value)}, passes up to {short(threshold, 3)}]"


def broken(record: RobustnessRecord) -> int:
    """Samples classified rightly that something broke: a search for the nearest error, or one in this ball."""
    return round(record.samples * (record.clean_accuracy - record.robust_accuracy))


NEARBY = "nearest errors"
"""Row of a table: what the search for the nearest errors, or one in a smaller ball, broke before the attacks."""


def broken_nearby(record: RobustnessRecord) -> int:
    """Samples that no attack of this ball was the first to break."""
    return max(0, broken(record) - sum(attack.broken for attack in record.attacks))


def sampling(record: RobustnessRecord) -> str:
    """The sampling error of one ball's figures; nothing where it was not computed."""
    found = record.sampling
    if found is None:
        return ""
    accuracy = f"{percent_down(found.robust_accuracy[0]).removesuffix(' %')} - {percent_up(found.robust_accuracy[1])}"
    loss = f"{lower(found.robust_loss[0])} - {upper(found.robust_loss[1])}"
    return f"{record.norm} {radius(record.eps)}: accuracy {accuracy}, loss {loss}"


def unseen(record: RobustnessRecord) -> str:
    """What further seeds would find, by Chao's estimate; nothing below three seeds, or where no sample fell."""
    fallen = [round(record.samples * (record.clean_accuracy - each.robust_accuracy)) for each in record.seeds]
    if record.unseen is None or not any(fallen):
        return ""
    return sentence(
        "{ball}: {seeds} seeds broke {fewest} samples each, {broken} together; more seeds would break about {unseen} "
        "more (Chao's ESTIMATE, no bound)",
        ball=f"{record.norm} {radius(record.eps)}",
        seeds=count(len(fallen)),
        fewest=count(fallen[0]) if min(fallen) == max(fallen) else f"{count(min(fallen))} to {count(max(fallen))}",
        broken=count(broken(record)),
        unseen=figure(nearest(record.unseen, 2), record.unseen, "robustness.unseen", selectors(record)),
    )


def sampling_lead(records: tuple[RobustnessRecord, ...]) -> str:
    """What the intervals are about, and what they are not."""
    confidence = next((short(100 * r.sampling.confidence) for r in records if r.sampling is not None), "")
    return (
        f"{confidence} % intervals for the draw of the samples alone, were these attacks repeated on others; a better "
        "attack may lower accuracy further, and no interval covers that"
    )


def _many(number: int, one: str, more: str) -> str:
    return "" if not number else f"{number} {one if number == 1 else more}"
