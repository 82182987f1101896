"""Short phrases that several sections share."""

from __future__ import annotations

from lipcert.records import ModelRecord, Report, RobustnessRecord, Skipped
from lipcert.render.notation import duration


def spaces(model: ModelRecord) -> list[str]:
    """In which units eps is measured, and whether perturbed inputs are clipped, each statement once."""
    units = dict.fromkeys(f"eps in {bracket.eps_space}" for bracket in model.brackets)
    for record in attacked(model):
        units.setdefault(f"eps in {record.eps_space}")
    clips = {record.clipped for record in attacked(model)}
    words = {True: "attacks stay inside the input range", False: "attacks are not clipped to a range"}
    return [
        *units,
        *(words[clip] for clip in sorted(clips)),
        *(["certificates are for the unclipped ball"] if clips else []),
    ]


def attacked(model: ModelRecord) -> tuple[RobustnessRecord, ...]:
    """The records of the attacks, none where they were skipped."""
    return () if isinstance(model.robustness, Skipped) else model.robustness


def circumstances(report: Report) -> list[str]:
    """How long it took, where, and with which versions."""
    tool = report.tool
    facts = []
    if report.run is not None:
        facts.append(f"{duration(report.run.duration_s)} on {report.run.device}, {report.run.threads} threads")
        if report.run.partial:
            facts.append("PARTIAL: the run was interrupted")
    facts.append(f"seed {report.settings.seed}, {report.settings.dtype}, effort {report.settings.effort}")
    facts.append(f"lipcert {tool.version}, torch {tool.torch}")
    return facts
