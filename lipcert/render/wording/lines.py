"""Short phrases that several sections share."""

from __future__ import annotations

from lipcert.records import ModelRecord, Report, RobustnessRecord, Skipped
from lipcert.render.notation import duration
from lipcert.render.wording.proofs import certificates


def spaces(model: ModelRecord) -> list[str]:
    """In which units eps is measured, and whether perturbed inputs are clipped, each statement once."""
    units = dict.fromkeys(f"eps in {bracket.eps_space}" for bracket in model.brackets)
    for record in attacked(model):
        units.setdefault(f"eps in {record.eps_space}")
    clipped = any(record.clipped for record in attacked(model))
    whole = any(not record.clipped for record in certificates(model))
    also = ", certificates cover the whole ball" if whole else ""
    who = "attacks" if whole or not certificates(model) else "attacks and certificates"
    inside = [f"{who} stay inside the input range{also}"] if clipped else []
    free = [] if clipped or any("not clipped" in unit for unit in units) else ["not clipped to a range"]
    return [*units, *inside, *(free if units else [])]


def judges(model: ModelRecord) -> list[str]:
    """Whose logits judged what the attacks found."""
    return [f"judged by {name}" for name in dict.fromkeys(record.scored_by for record in attacked(model))]


def attacked(model: ModelRecord) -> tuple[RobustnessRecord, ...]:
    """The records of the attacks, none where they were skipped."""
    return () if isinstance(model.robustness, Skipped) else model.robustness


def circumstances(report: Report) -> list[str]:
    """How long it took, where, and with which versions."""
    tool = report.tool
    facts = []
    if report.run is not None:
        threads = "1 thread" if report.run.threads == 1 else f"{report.run.threads} threads"
        facts.append(f"{duration(report.run.duration_s)} on {report.run.device}, {threads}")
        if report.run.partial:
            facts.append("PARTIAL: the run was interrupted")
    facts.append(f"seed {report.settings.seed}, {report.settings.dtype}, effort {report.settings.effort}")
    facts.append(f"lipcert {tool.version}, torch {tool.torch}")
    return facts
