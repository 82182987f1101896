"""What the network does to first order at the samples, and beside it what attacks found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from lipcert.analyses.jacobian import (
    CLASS_LIMIT,
    PASSES,
    Attacked,
    Leading,
    Measured,
    affordable_dtype,
    first_order,
    jacobian_record,
    leading_record,
    leading_rows,
    measure_jacobians,
    measure_leading,
    sample_rows,
    with_attacks,
)
from lipcert.analyses.robustness import Robustness
from lipcert.pipeline.context import Run
from lipcert.pipeline.radii import radii
from lipcert.records import JacobianRecord, Norm, Skipped
from lipcert.samples import Samples

NO_DATA = Skipped(reason="it needs samples: give them with --data")

Balls = Sequence[tuple[Norm, float]]


def analyze_jacobian(run: Run, samples: Samples | None) -> Measured | Leading | None:
    """Put the record on the run; what was measured at each sample, where it was."""
    if samples is None:
        run.found(jacobian=NO_DATA)
        return None
    measure = _measure if run.graph.classes <= CLASS_LIMIT else _measure_leading
    return run.timed("jacobian", lambda: measure(run, samples))


def _measure(run: Run, samples: Samples) -> Measured:
    settings = run.settings
    balls = [(norm, eps) for norm, values in radii(settings, samples).items() for eps in values]
    measured = measure_jacobians(
        run.graph,
        samples.inputs,
        samples.labels,
        exponents=[_exponents(text) for text in settings.exponents],
        step=_probe_step(balls, math.prod(run.graph.input_shape)),
        batch_size=settings.batch_size,
        seed=settings.seed,
        progress=run.progress,
    )
    run.found(jacobian=jacobian_record(measured, balls=balls, seed=settings.seed))
    run.each(jacobian=sample_rows(measured))
    return measured


def _measure_leading(run: Run, samples: Samples) -> Leading:
    """What a few products with the Jacobian say, where there are too many classes for a backward pass each."""
    settings = run.settings
    balls = [(norm, eps) for norm, values in radii(settings, samples).items() for eps in values]
    graph = run.graph.to(dtype=affordable_dtype(run.graph, len(samples), passes=PASSES))
    size = min(settings.batch_size, 32)
    found = measure_leading(
        graph, samples.inputs, samples.labels, batch_size=size, seed=settings.seed, progress=run.progress
    )
    run.found(jacobian=leading_record(found, graph, balls=balls, seed=settings.seed))
    run.each(jacobian=leading_rows(found))
    return found


def join_attacks(run: Run, measured: Measured | Leading, robustness: Robustness) -> None:
    """Set surrogates and correlations beside the losses and errors that attacks reached."""
    record = run.record.jacobian
    if not isinstance(record, JacobianRecord):
        return
    attacked = {
        (one.ball.norm, one.ball.eps): Attacked(loss=one.outcome.loss, broken=one.outcome.broken)
        for one in robustness.attacked
    }
    if isinstance(measured, Leading):
        if measured.labelled:
            near, seed = measured.likely, run.settings.seed
            losses = {ball: one.loss.to(near.loss) for ball, one in attacked.items()}
            beside = tuple(first_order(near, ball, losses[ball], seed=seed) for ball in sorted(losses))
            run.found(jacobian=replace(record, surrogates=beside))
        return
    run.found(jacobian=with_attacks(record, measured, attacked, seed=run.settings.seed))


def _exponents(text: str) -> tuple[float, float]:
    p, _, q = text.partition(":")
    return float(p), float(q)


def _probe_step(balls: Balls, size: int) -> float:
    """The smallest radius attacked, as a length in l2."""
    lengths = [eps if norm == "l2" else eps * math.sqrt(size) for norm, eps in balls if eps > 0]
    return min(lengths, default=0.1)
