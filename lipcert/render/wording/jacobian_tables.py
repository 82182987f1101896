"""Everything the record of the Jacobian holds, as tables of strings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

from lipcert.records import (
    CellRecord,
    Distribution,
    JacobianClassRecord,
    JacobianRecord,
    PowerMethodRecord,
    Skipped,
    SurrogateRecord,
)
from lipcert.render.figure import Selectors, figure, selectors
from lipcert.render.notation import count, lower, nearest, percent, radius, upper
from lipcert.render.wording.jacobian import missed_share

_MOST_CLASSES = 20


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A title, a header, rows of text, and what to know about them. The first column names the row.

    Cells that are one number are `Figure`s, and know their metric.
    """

    title: str
    head: tuple[str, ...] = ()
    rows: list[list[str]] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def tables(record: JacobianRecord) -> list[Table]:
    """The tables that have something to show, or a reason why they have not."""
    builders: list[Callable[[JacobianRecord], Table]] = [
        _statistics, _norms, _distances, _functionals, _relations, _surrogates, _alignment, _linearity, _cells,
        _power_method, _gaps, _classes, _correlations,
    ]  # fmt: skip
    built = [build(record) for build in builders]
    return [table for table in built if table.rows or table.notes]


def _points(spread: Distribution, path: str, names: str, chosen: Selectors = ()) -> list[str]:
    """The points of a spread that are named, each with its metric."""
    values = [(name, float(getattr(spread, name))) for name in names.split()]
    return [figure(nearest(value), value, f"{path}.{name}", chosen) for name, value in values]


def _spread(name: str, spread: Distribution) -> list[str]:
    interval = f"{nearest(spread.ci95[0])} - {nearest(spread.ci95[1])}"
    return [_plain(name), *_points(spread, f"jacobian.statistics.{name}", "median q95 max mean"), interval]


def _statistics(record: JacobianRecord) -> Table:
    return Table(
        title="Statistics over the samples",
        head=("", "median", "q95", "max", "mean ~", "95 % interval"),
        rows=[_spread(name, spread) for name, spread in record.statistics.items()],
    )


def _norms(record: JacobianRecord) -> Table:
    rows = []
    for norm in record.operator_norms:
        path, ends = "jacobian.operator_norms.upper", [norm.lower.median, norm.upper.median]
        middle, most = _points(norm.upper, path, "median max", selectors(norm))
        if not norm.exact:
            middle, most = f"{lower(ends[0])} - {upper(ends[1])}", f"<= {upper(norm.upper.max)}"
        rows.append(
            [
                f"l{_exponent(norm.p)} -> l{_exponent(norm.q)}",
                middle,
                most,
                str(norm.soundness) if norm.exact else "two ends",
            ]
        )
    return Table(title="Operator norms", head=("", "median", "max", "evidence"), rows=rows)


def _exponent(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _distances(record: JacobianRecord) -> Table:
    rows = []
    for each in record.distances:
        if isinstance(each.nearest, Skipped):
            rows.append([each.norm, each.nearest.reason, "", "", ""])
        else:
            middle = _points(each.nearest, "jacobian.distances.nearest", "q05 median q95", selectors(each))
            rows.append([each.norm, *middle, count(each.unbounded)])
    return Table(
        title="First-order distance to another class", head=("", "q05", "median", "q95", "unbounded"), rows=rows
    )


def _functionals(record: JacobianRecord) -> Table:
    found = record.functionals
    title = "Functionals of the loss and the Jacobian"
    if not found or isinstance(found, Skipped):
        return Table(title=title, notes=() if not found else (found.reason,))
    rows = [
        [
            _plain(name),
            *_points(spread, f"jacobian.functionals.statistics.{name}", "median mean"),
            "yes" if name in found.masked else "no",
        ]
        for name, spread in found.statistics.items()
    ]
    return Table(title=title, head=("", "median", "mean ~", "masked by confidence"), rows=rows, notes=(found.reading,))


def _relations(record: JacobianRecord) -> Table:
    found = record.functionals
    if not found or isinstance(found, Skipped):
        return Table(title="")
    rows = [
        [each.statement, "holds" if each.holds else "FAILS", nearest(each.tightness, 2)] for each in found.relations
    ]
    return Table(title="Relations between them, at every sample", head=("", "", "left / right"), rows=rows)


def _surrogates(record: JacobianRecord) -> Table:
    title = "Surrogates of the robust loss"
    if isinstance(record.surrogates, Skipped):
        return Table(title=title, notes=(record.surrogates.reason,))
    head = ("", "clean", "first-order", "attacked >=", "pairwise", "max-pair", "Jacobian")
    return Table(title=title, head=head, rows=[_surrogate(each) for each in record.surrogates])


def _surrogate(record: SurrogateRecord) -> list[str]:
    path, ball = "jacobian.surrogates", selectors(record)
    losses = {
        each.name: _points(each.loss, f"{path}.surrogates.loss", "mean", [*ball, *selectors(each)])[0]
        for each in record.surrogates
    }
    attacked = "-"
    if record.robust_loss is not None:
        attacked = figure(lower(record.robust_loss), record.robust_loss, f"{path}.robust_loss", ball)
    order = [losses.get(name, "-") for name in ("first_order", "pairwise", "max_pair", "jacobian")]
    clean = figure(nearest(record.clean_loss), record.clean_loss, f"{path}.clean_loss", ball)
    return [f"{record.norm} {radius(record.eps)}", clean, order[0], attacked, *order[1:]]


def _alignment(record: JacobianRecord) -> Table:
    title = "Mean cosine with the singular directions, by rank"
    if isinstance(record.alignment, Skipped):
        return Table(title=title, notes=(record.alignment.reason,))
    rows = []
    for each in record.alignment:
        ranks = [*each.by_rank[:3], *each.by_rank[3:][-1:]]
        cells = ["-" if value is None else nearest(value, 2) for value in ranks]
        where = f"{each.direction}, l2 {radius(each.radius)}" if each.radius else each.direction
        gain = "-"
        if each.gain is not None:
            gain = figure(nearest(each.gain, 3), each.gain, "jacobian.alignment.gain", selectors(each))
        rows.append([where, *cells, *["-"] * (4 - len(cells)), gain])
    return Table(title=title, head=("", "1st", "2nd", "3rd", "last", "gain"), rows=rows)


def _linearity(record: JacobianRecord) -> Table:
    title = "Deviation from linearity, and the spectral norm on the way"
    if isinstance(record.linearity, Skipped):
        return Table(title=title, notes=(record.linearity.reason,))
    rows = []
    for each in record.linearity:
        features = "-"
        if each.feature_change and each.feature_deviation is not None:
            features = percent(each.feature_deviation / each.feature_change)
        where = f"{each.direction}, l2 {radius(each.radius)}"
        change, norm = [
            figure(nearest(value), value, f"jacobian.linearity.{name}", selectors(each))
            for name, value in (("logit_change", each.logit_change), ("spectral_norm", each.spectral_norm))
        ]
        rows.append([where, change, missed_share(each), features, norm])
    return Table(title=title, head=("", "logits move", "missed", "features missed", "spectral norm"), rows=rows)


def _cells(record: JacobianRecord) -> Table:
    cells, title = record.cells, "Linear regions (l2)"
    if not isinstance(cells, CellRecord):
        return Table(title=title, notes=() if cells is None else (cells.reason,))
    rows = [
        [name, *_points(spread, f"jacobian.cells.{field}", "min q05 median q95")]
        for name, field in (("nearest wall", "radius"), ("label holds within", "local_radius"))
        if isinstance(spread := getattr(cells, field), Distribution)
    ]
    decided = "" if cells.decided is None else f"; {percent(cells.decided)} of the boundaries lie inside"
    bounded = f"; a lower bound for {count(cells.undecided_walls)}" if cells.undecided_walls else ""
    reasons = [each.reason for each in (cells.radius, cells.local_radius) if isinstance(each, Skipped)]
    counts = f"{count(cells.samples)} samples, {count(cells.walls)} walls{decided}{bounded}"
    note = f"{counts}; {cells.soundness}, {cells.method}"
    return Table(title=title, head=("", "min", "q05", "median", "q95"), rows=rows, notes=(note, *reasons))


def _power_method(record: JacobianRecord) -> Table:
    found, title = record.power_method, "Attack with an infinite step = power method?"
    if not isinstance(found, PowerMethodRecord):
        return Table(title=title, notes=() if found is None else (found.reason,))
    text = (
        f"equal within {found.tolerance:g} after each of {found.steps} steps at l2 {nearest(found.radius, 2)} "
        f"on {percent(found.holds)} of {count(found.samples)} samples; "
        f"largest distance {upper(found.agreement.max, 2)}; "
        f"the ball is known to lie inside the linear region of {count(found.inside)}"
    )
    return Table(title=title, notes=(text,))


def _gaps(record: JacobianRecord) -> Table:
    title = "Training and test samples"
    if isinstance(record.gaps, Skipped):
        return Table(title=title, notes=(record.gaps.reason,))
    rows = [
        [
            _quantity(each.quantity),
            *(
                figure(nearest(value), value, f"jacobian.gaps.{name}", selectors(each))
                for name, value in (("train", each.train), ("test", each.test), ("gap", each.gap))
            ),
            f"{nearest(each.ci95[0])} .. {nearest(each.ci95[1])}",
        ]
        for each in record.gaps
    ]
    return Table(title=title, head=("", "train", "test", "gap ~", "95 % interval"), rows=rows)


def _quantity(name: str) -> str:
    """A quantity's name, its radius as it was asked for."""
    head, _, last = name.rpartition(" ")
    try:
        return f"{_plain(head)} {radius(float(last))}" if head else _plain(name)
    except ValueError:
        return _plain(name)


def _classes(record: JacobianRecord) -> Table:
    shown = [each for each in record.classes if each.samples][:_MOST_CLASSES]
    names = [name for name in _BY_CLASS if any(name in each.medians for each in shown)]
    rows = [[str(each.label), count(each.samples), *(_median(each, name) for name in names)] for each in shown]
    hidden = sum(1 for each in record.classes if each.samples) - len(shown)
    notes = (f"{hidden} more classes in the JSON report",) if hidden else ()
    return Table(title="Medians by class", head=("class", "samples", *map(_plain, names)), rows=rows, notes=notes)


_BY_CLASS = ("spectral_norm", "stable_rank", "margin", "first_order_distance_l2")


def _median(record: JacobianClassRecord, name: str) -> str:
    if name not in record.medians:
        return "-"
    value = record.medians[name]
    return figure(nearest(value), value, f"jacobian.classes.medians.{name}", selectors(record))


def _correlations(record: JacobianRecord) -> Table:
    rows = [
        [
            f"{_quantity(each.first)} and {_quantity(each.second)}",
            figure(nearest(each.value, 2), each.value, "jacobian.correlations.value", selectors(each)),
            f"{nearest(each.ci95[0], 2)} .. {nearest(each.ci95[1], 2)}",
        ]
        for each in record.correlations
    ]
    return Table(title="Rank correlations over the samples", head=("", "Spearman ~", "95 % interval"), rows=rows)


def _plain(name: str) -> str:
    return name.replace("_", " ")
