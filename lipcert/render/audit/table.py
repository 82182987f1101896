"""The leaderboard as words: what every format shows, in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import final

from lipcert.records.audit import AuditBall, AuditModel, AuditReport
from lipcert.render import notation

ABSENT = "-"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model: its cells as the headings say, and its histogram as blocks."""

    model: AuditModel
    cells: tuple[str, ...]
    spark: str


def headings(report: AuditReport) -> tuple[str, ...]:
    """What the cells of a row are."""
    ball = "" if report.ranked_by is None else f"{report.ranked_by[0]} {notation.radius(report.ranked_by[1])}"
    return ("model", "clean", f"attacked {ball}".strip(), f"certified {ball}".strip(), "rank", "Lipschitz", "status")


def groups(report: AuditReport) -> Iterator[tuple[str, list[Row]]]:
    """Each family with its rows; "" is the family of those that have none."""
    for family, models in groupby(report.models, key=lambda model: model.family):
        yield family, [_row(model, report) for model in models]


def _row(model: AuditModel, report: AuditReport) -> Row:
    ball = shown_ball(model, report)
    samples = model.samples or 0
    certified, attacked = (None, None) if ball is None else (ball.certified_accuracy, ball.robust_accuracy)
    cells = (
        model.name,
        ABSENT if model.clean_accuracy is None else notation.share(model.clean_accuracy, samples),
        ABSENT if attacked is None else notation.share_up(attacked, samples),
        ABSENT if certified is None else notation.share_down(certified, samples),
        ABSENT if ball is None or ball.rank is None else _places(ball.rank),
        _constant(model),
        status(model),
    )
    return Row(model=model, cells=cells, spark=notation.sparkline(model.histogram) if model.histogram else "")


def shown_ball(model: AuditModel, report: AuditReport) -> AuditBall | None:
    """The model's numbers in the ball that the table is about."""
    return next((ball for ball in model.balls if (ball.norm, ball.eps) == report.ranked_by), None)


def status(model: AuditModel) -> str:
    """How it went, in a word, with the cause where it failed and the checks where there are any."""
    if model.error is not None:
        return f"{model.status}: {model.error.code}"
    counted = [check.state for check in model.checks if check.ignored is None]
    word = f"{counted.count('pass')} of {len(counted)} checks" if counted else model.status
    count = len(model.warnings)
    return f"{word}, {count} warning{'s' if count > 1 else ''}" if count else word


def causes(report: AuditReport) -> list[tuple[str, str]]:
    """Model and message of everything that could not be concluded on."""
    return [
        (model.name, model.error.message + (f" · {model.error.hint}" if model.error.hint else ""))
        for model in report.models
        if model.error is not None
    ]


def doubts(report: AuditReport) -> list[tuple[str, str]]:
    """Model and warning about its numbers."""
    return [
        (model.name, f"{each.message}{f' · {each.hint}' if each.hint else ''}")
        for model in report.models
        for each in model.warnings
    ]


def sections(report: AuditReport) -> list[tuple[str, list[tuple[str, str]]]]:
    """What stands below the table: a title, and lines of a model and what is to be said of it."""
    found = [
        ("Checks not passed", breaches(report)),
        ("Warnings", doubts(report)),
        ("Not concluded", causes(report)),
    ]
    return [(title, lines) for title, lines in found if lines]


def breaches(report: AuditReport) -> list[tuple[str, str]]:
    """Model, and a check on it that did not pass and is not ignored: failures first."""
    found = [
        (check.state != "fail", model.name, f"{check.id}: {check.state}: {check.message}")
        for model in report.models
        for check in model.checks
        if check.state != "pass" and check.ignored is None
    ]
    return [(name, words) for _, name, words in sorted(found, key=lambda each: each[0])]


def tally(report: AuditReport) -> str:
    """The counts, in words."""
    found = report.summary
    words = [f"{found.models:,} models", f"{found.analyzed:,} analysed"]
    words += [f"{found.inconclusive:,} inconclusive"] if found.inconclusive else []
    words += [f"{found.pending:,} to do"] if found.pending else []
    done = found.models - found.pending
    words += [f"{done - found.results:,} of the same content as another"] if done > found.results else []
    return " · ".join([*words, *([f"gate: {found.gate}"] if found.gate != "none" else [])])


def reading(report: AuditReport) -> str:
    """How the table is to be read."""
    if report.ranked_by is None:
        return ""
    units = "eps in data units, before mean/std"
    if all(ball.rank is None for model in report.models for ball in model.balls):
        return units
    levels = {ball.confidence for model in report.models for ball in model.balls if ball.confidence is not None}
    level = f"{100 * min(levels):g} %" if levels else "stated"
    return (
        f"{units}; rank: places that the samples leave open, among models on the same data; "
        f"two models change places for sure only where their {level} Clopper-Pearson intervals for the true robust "
        "accuracy do not overlap"
    )


def _places(rank: tuple[int, int]) -> str:
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}-{rank[1]}"


def _constant(model: AuditModel) -> str:
    found = model.lipschitz
    if found is None:
        return ABSENT
    ends = f"{notation.lower(found.lower)} - {notation.upper(found.upper)}"
    return ends if found.norm == "l2" else f"{found.norm} {ends}"
