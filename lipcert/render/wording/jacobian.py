"""What the Jacobian says, in a few sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from lipcert.records import (
    CellRecord,
    Distribution,
    JacobianRecord,
    LinearityRecord,
    Skipped,
    SurrogateRecord,
)
from lipcert.render.notation import count, heights, lower, nearest, percent, radius, sparkline

_CONFIDENT = 0.5
_SHOWN = 5


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One line: what it is about, a sentence, and a small plot where one helps."""

    name: str
    text: str
    plot: str = ""


def readings(record: JacobianRecord) -> list[Reading]:
    """The lines a practitioner starts with, those that there is nothing to say on left out."""
    parts: list[Callable[[JacobianRecord], Reading | None]] = [
        _stretch, _spectrum, _boundary, _linearity, _losses, _gaps, _caution,
    ]  # fmt: skip
    return [reading for part in parts if (reading := part(record)) is not None]


def facts(record: JacobianRecord) -> list[str]:
    """What holds for the whole section."""
    known = "to rounding" if record.residual is None else "from below"
    return [f"{count(record.samples)} samples", f"{record.dtype}, {known}", "no bound elsewhere"]


def _stretch(record: JacobianRecord) -> Reading | None:
    spread, prefix = record.statistics.get("spectral_norm"), ""
    if spread is None:
        spread, prefix = record.statistics.get("spectral_norm_lower"), ">= "
    if spread is None:
        return None
    points = zip(("median", "95 %", "largest"), (spread.median, spread.q95, spread.max), strict=True)
    text = ", ".join(f"{name} {prefix}{nearest(value)}" for name, value in points)
    return Reading(name="spectral norm", text=text, plot=_histogram(spread))


def _histogram(spread: Distribution) -> str:
    return sparkline(spread.counts) if len(spread.counts) > 1 else ""


def _spectrum(record: JacobianRecord) -> Reading | None:
    values = record.singular_spectrum
    if not values:
        return None
    more = " ..." if len(values) > _SHOWN else ""
    text = f"{'  '.join(nearest(value) for value in values[:_SHOWN])}{more}"
    rank = record.statistics.get("stable_rank")
    text += f", stable rank {nearest(rank.median, 2)}" if rank is not None else ""
    return Reading(name="spectrum", text=text, plot=heights(values))


def _boundary(record: JacobianRecord) -> Reading | None:
    known = [(each.norm, each.nearest) for each in record.distances if isinstance(each.nearest, Distribution)]
    if not known:
        return None
    medians = ", ".join(f"{norm} {nearest(spread.median)}" for norm, spread in known)
    start = "" if record.reference == "label" else ", from the predicted class,"
    # Without the whole Jacobian only the likeliest classes are looked at.
    start += "" if record.residual is None else ", of the likeliest classes,"
    return Reading(name="boundary", text=f"to first order{start} at {medians} (medians)")


def _linearity(record: JacobianRecord) -> Reading | None:
    if isinstance(record.linearity, Skipped) or not record.linearity:
        return None
    lines = {kind: [each for each in record.linearity if each.direction == kind] for kind in _KINDS}
    if not all(lines.values()):
        return None
    middle = lines["random"][len(lines["random"]) * 3 // 4].radius
    at = [(kind, each) for kind in _KINDS for each in lines[kind] if each.radius == middle]
    missed = " and ".join(f"{missed_share(each)} of {_KINDS[kind]}" for kind, each in at)
    text = f"misses {missed} of l2 {radius(middle)}"
    return Reading(name="linearity", text=text + _region(record.cells))


_KINDS = {"cross-entropy attack": "an attack", "random": "a random step"}


def missed_share(record: LinearityRecord) -> str:
    """How much of the change of the logits the Jacobian does not foretell."""
    return percent(record.logit_deviation / record.logit_change) if record.logit_change else "0 %"


def _region(cells: CellRecord | Skipped | None) -> str:
    # A lower bound on most distances says little, and belongs to the table.
    if not isinstance(cells, CellRecord) or isinstance(cells.radius, Skipped) or cells.undecided_walls:
        return ""
    return f"; linear regions end at {lower(cells.radius.median, 2)} (median)"


def _losses(record: JacobianRecord) -> Reading | None:
    if isinstance(record.surrogates, Skipped) or not record.surrogates:
        return None
    chosen = [max(group, key=lambda each: each.eps) for group in _by_norm(record.surrogates) if group]
    if not chosen:
        return None
    text = "; ".join((f"clean {nearest(chosen[0].clean_loss, 2)}", *(_loss(each) for each in chosen)))
    return Reading(name="robust loss", text=text)


def _by_norm(records: Sequence[SurrogateRecord]) -> list[list[SurrogateRecord]]:
    return [[each for each in records if each.norm == norm] for norm in ("l2", "linf")]


def _loss(record: SurrogateRecord) -> str:
    losses = {each.name: nearest(each.loss.mean, 2) for each in record.surrogates}
    attacked = "" if record.robust_loss is None else f", attacked >= {lower(record.robust_loss, 2)}"
    above = f", pairwise {losses['pairwise']}" if "pairwise" in losses else ""
    between = f"first-order {losses['first_order']}{attacked}{above}"
    return f"{record.norm} {radius(record.eps)}: {between}"


_COMPARED = ("clean_loss", "clean_accuracy", "spectral_norm")


def _gaps(record: JacobianRecord) -> Reading | None:
    if isinstance(record.gaps, Skipped) or not record.gaps:
        return None
    shown = [each for each in record.gaps if each.quantity in _COMPARED]
    parts = [f"{_plain(each.quantity)} {nearest(each.train)} -> {nearest(each.test)}" for each in shown]
    return Reading(name="train -> test", text="; ".join(parts))


def _caution(record: JacobianRecord) -> Reading | None:
    found = []
    if record.zero_rows:
        found.append(f"{count(record.zero_rows)} samples lie on a plateau where a logit has no derivative")
    functionals = record.functionals
    if functionals is not None and not isinstance(functionals, Skipped) and functionals.confident >= _CONFIDENT:
        share = percent(functionals.confident)
        found.append(f"confidence hides the input gradient on {share} of the samples: a small one proves nothing")
    return Reading(name="caution", text="; ".join(found)) if found else None


def _plain(name: str) -> str:
    return name.replace("_", " ")
