"""Whether the attacks can be believed, and what the draw of the samples leaves open, in words."""

from __future__ import annotations

from lipcert.records import EvaluationCheck, EvaluationRecord, ModelRecord, RobustnessRecord
from lipcert.render.notation import lower, nearest, percent_down, percent_up, radius, short, upper


def evaluation(model: ModelRecord) -> EvaluationRecord | None:
    """The checks of the attacks, where there are any."""
    return model.evaluation if isinstance(model.evaluation, EvaluationRecord) else None


def flagged(record: EvaluationRecord) -> list[EvaluationCheck]:
    """Checks that did not pass, the gravest first."""
    return [check for status in ("fail", "warn") for check in record.checks if check.status == status]


def verdict(record: EvaluationRecord) -> str:
    """One line: "evaluation: sound (21 checks pass, 2 notes)"; a note is a check that does not apply here."""
    count = {status: sum(c.status == status for c in record.checks) for status in ("pass", "warn", "fail", "skipped")}
    parts = [f"{count['fail']} fail" * bool(count["fail"]), f"{count['warn']} warn" * bool(count["warn"])]
    parts += [_many(count["pass"], "check passes", "checks pass"), _many(count["skipped"], "note", "notes")]
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


def sampling(record: RobustnessRecord) -> str:
    """The sampling error of one ball's figures; nothing where it was not computed."""
    found = record.sampling
    if found is None:
        return ""
    accuracy = f"{percent_down(found.robust_accuracy[0]).removesuffix(' %')} - {percent_up(found.robust_accuracy[1])}"
    loss = f"{lower(found.robust_loss[0])} - {upper(found.robust_loss[1])}"
    return f"{record.norm} {radius(record.eps)}: accuracy {accuracy}, loss {loss}"


def sampling_lead(records: tuple[RobustnessRecord, ...]) -> str:
    """What the intervals are about, and what they are not."""
    confidence = next((short(100 * r.sampling.confidence) for r in records if r.sampling is not None), "")
    return (
        f"{confidence} % intervals for the draw of the samples alone, were these attacks repeated on others; a better "
        "attack may lower accuracy further, and no interval covers that"
    )


def _many(count: int, one: str, more: str) -> str:
    return "" if not count else f"{count} {one if count == 1 else more}"
