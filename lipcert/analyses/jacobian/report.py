"""From what was measured at each sample to the record over all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.jacobian.columns import Columns
from lipcert.analyses.jacobian.correlation import correlations
from lipcert.analyses.jacobian.curvature import probe_record
from lipcert.analyses.jacobian.functionals import MASKED, UNMASKED
from lipcert.analyses.jacobian.induced import Ends
from lipcert.analyses.jacobian.measurement import Measured
from lipcert.analyses.jacobian.relations import relation_records
from lipcert.analyses.jacobian.rivals import EXPONENTS, distance_record
from lipcert.analyses.jacobian.surrogates import Ball, surrogate_record, surrogates
from lipcert.records import (
    CorrelationRecord,
    FunctionalsRecord,
    JacobianClassRecord,
    JacobianRecord,
    Norm,
    OperatorNormRecord,
    Skipped,
    Soundness,
    SurrogateRecord,
)

NO_LABELS = Skipped(reason="it is about the loss, and the samples have no labels")
_CONFIDENT = 0.01
_MOSTLY = 0.5
_BY_CLASS = ("spectral_norm", "centred_frobenius_norm", "l1_entries", "stable_rank")


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Attacked:
    """What attacks reached in one ball: the largest loss, and whether the sample was misclassified, each (N,)."""

    loss: Tensor
    broken: Tensor


def jacobian_record(
    measured: Measured,
    *,
    balls: Sequence[Ball] = (),
    seed: int = 0,
) -> JacobianRecord:
    """The spread of everything over the samples.

    balls  where surrogates of the robust loss are wanted
    """
    found = measured.columns
    zero = found.zero_rows[:, 1:] if measured.structural_zero else found.zero_rows
    soundness = Soundness.EXACT if measured.dtype == torch.float64 else Soundness.ESTIMATE
    return JacobianRecord(
        samples=len(found.loss),
        dtype=str(measured.dtype).removeprefix("torch."),
        method="one backward pass a class; norms in closed form, spectrum from the Gram matrix",
        soundness=soundness,
        statistics={name: summarise(values, seed=seed) for name, values in found.norms.items()},
        singular_spectrum=tuple(found.spectrum.mean(dim=0).tolist()),
        operator_norms=tuple(_norm(p, q, ends, soundness, seed) for (p, q), ends in found.operator_norms.items()),
        distances=tuple(distance_record(found.rivals, norm, seed=seed) for norm in EXPONENTS),
        reference="label" if measured.labelled else "prediction",
        zero_rows=int(zero.any(dim=1).sum()),
        zero_samples=int(zero.all(dim=1).sum()),
        curved_ops=measured.curved_ops,
        functionals=_functionals(measured, seed) if measured.labelled else NO_LABELS,
        surrogates=tuple(_surrogate(found, ball, None, seed) for ball in balls) if measured.labelled else NO_LABELS,
        classes=_classes(found),
        correlations=_correlations(found, {}, seed),
    )


def with_attacks(
    record: JacobianRecord, measured: Measured, attacked: Mapping[Ball, Attacked], *, seed: int = 0
) -> JacobianRecord:
    """The same record with surrogates and correlations set beside what attacks found."""
    if not measured.labelled:
        return record
    found, balls = measured.columns, list(attacked)
    if not isinstance(record.surrogates, Skipped):
        balls += [(kept.norm, kept.eps) for kept in record.surrogates if (kept.norm, kept.eps) not in attacked]
    return replace(
        record,
        surrogates=tuple(_surrogate(found, ball, attacked.get(ball), seed) for ball in sorted(balls)),
        correlations=_correlations(found, attacked, seed),
    )


def _exponent(value: float) -> Any:
    return "inf" if math.isinf(value) else int(value) if value.is_integer() else value


def _norm(p: float, q: float, ends: Ends, soundness: Soundness, seed: int) -> OperatorNormRecord:
    positive = ends.lower > 0
    gaps = (ends.upper - ends.lower)[positive] / ends.lower[positive]
    lower = summarise(ends.lower, seed=seed)
    return OperatorNormRecord(
        p=_exponent(p),
        q=_exponent(q),
        lower=lower,
        upper=lower if ends.exact else summarise(ends.upper, seed=seed),
        exact=ends.exact,
        gap=float(gaps.median()) if len(gaps) else 0.0,
        # Two ends close in on the norm of J as it was computed, whose own rounding no bound here covers.
        soundness=soundness if ends.exact else Soundness.ESTIMATE,
        method=ends.method,
    )


def _functionals(measured: Measured, seed: int) -> FunctionalsRecord:
    found = measured.columns
    confident = float((found.functionals["doubt"] < _CONFIDENT).double().mean())
    unprobed = Skipped(reason="no sample was probed")
    return FunctionalsRecord(
        samples=len(found.loss),
        statistics={name: summarise(values, seed=seed) for name, values in found.functionals.items()},
        hessian="gauss-newton" if measured.curved_ops else "exact",
        relations=relation_records(found.sides),
        confident=confident,
        masked=MASKED,
        unmasked=UNMASKED,
        curvature_probe=probe_record(measured.probe, measured.step, seed=seed) if measured.probe else unprobed,
        reading=_reading(confident, measured.curved_ops),
    )


def _reading(confident: float, curved: tuple[str, ...]) -> str:
    share = f"{100 * confident:.0f} % of the samples have 1 - p_y below {_CONFIDENT:g}"
    if confident >= _MOSTLY:
        text = (
            f"{share}: there the input gradient and the Hessian are near zero whatever the Jacobian is. "
            "Small values of theirs are no sign of robustness here; compare models by the centred Jacobian."
        )
    else:
        text = f"{share}, where confidence hides the Jacobian; on the others all functionals speak."
    if curved:
        text += f" The Hessian is its Gauss-Newton part: {', '.join(curved)} bend the network itself."
    return text


def _surrogate(found: Columns, ball: Ball, attacked: Attacked | None, seed: int) -> SurrogateRecord:
    losses = ball_losses(found, ball)
    reached = None if attacked is None else attacked.loss.to(found.loss)
    return surrogate_record(ball, found.loss, losses, reached, seed=seed)


def ball_losses(found: Columns, ball: Ball) -> Mapping[Any, Tensor]:
    """The surrogates at each sample, by name, each (N,)."""
    norm, eps = ball
    entries: dict[Norm, Tensor] = {
        "l2": found.norms["frobenius_norm"],
        "linf": found.norms["l1_entries"],
        "l1": found.operator_norms[1.0, math.inf].upper,
    }
    return surrogates(
        norm,
        eps,
        loss=found.loss,
        rivals=found.rivals,
        gradient=found.gradient[norm],
        entries=entries[norm],
    )


def _classes(found: Columns) -> tuple[JacobianClassRecord, ...]:
    values = {name: found.norms[name] for name in _BY_CLASS if name in found.norms}
    values |= {"margin": found.rivals.margins}
    values |= {f"first_order_distance_{norm}": found.rivals.nearest(norm) for norm in EXPONENTS}
    classes = found.rivals.classes
    return tuple(
        JacobianClassRecord(
            label=label, samples=int((classes == label).sum()), medians=_medians(values, classes == label)
        )
        for label in range(found.zero_rows.shape[1])
    )


def _medians(values: Mapping[str, Tensor], rows: Tensor) -> dict[str, float]:
    """Finite medians; none of a class without samples."""
    if not rows.any():
        return {}
    medians = {name: float(column[rows].median()) for name, column in values.items()}
    return {name: value for name, value in medians.items() if math.isfinite(value)}


def _correlations(found: Columns, attacked: Mapping[Ball, Attacked], seed: int) -> tuple[CorrelationRecord, ...]:
    first = {"spectral_norm": found.norms["spectral_norm"]}
    first |= {f"first_order_distance_{norm}": found.rivals.nearest(norm) for norm in ("l2", "linf")}
    second = {"margin": found.rivals.margins}
    second |= {f"survives {norm} {eps:g}": (~outcome.broken).double() for (norm, eps), outcome in attacked.items()}
    second |= {f"robust_loss {norm} {eps:g}": outcome.loss for (norm, eps), outcome in attacked.items()}
    return correlations(first, second, seed=seed)


def sample_rows(measured: Measured) -> list[dict[str, Any]]:
    """One row a sample for the table of samples; an infinite distance is None."""
    found = measured.columns
    flat = {name: found.norms[name].tolist() for name in found.norms}
    for ends, (p, q) in ((ends, key) for key, ends in found.operator_norms.items()):
        if not ends.exact:
            name = f"l{_exponent(p)}_l{_exponent(q)}_norm"
            flat |= {f"{name}_lower": ends.lower.tolist(), f"{name}_upper": ends.upper.tolist()}
    if measured.labelled:
        flat |= {name: values.tolist() for name, values in found.functionals.items()}
    distances = {norm: found.rivals.nearest(norm).tolist() for norm in EXPONENTS}
    zeros = found.zero_rows.sum(dim=1).tolist()
    return [
        {
            **{name: values[i] for name, values in flat.items()},
            "zero_rows": zeros[i],
            "first_order_distance": {
                norm: values[i] if math.isfinite(values[i]) else None for norm, values in distances.items()
            },
        }
        for i in range(len(found.loss))
    ]
