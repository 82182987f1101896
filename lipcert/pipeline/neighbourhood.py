"""What lies around the samples, and how training samples differ: additions to the record of the Jacobian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lipcert.analyses.jacobian import Measured, measure_jacobians
from lipcert.analyses.jacobian.cost import spread_out
from lipcert.analyses.jacobian.gaps import gap_records
from lipcert.analyses.jacobian.neighbourhood import examine
from lipcert.pipeline.context import Run
from lipcert.pipeline.radii import default_radii, radii
from lipcert.records import JacobianRecord, Norm
from lipcert.samples import Samples

_SURROGATE_NORMS: tuple[Norm, ...] = ("l2", "linf")


def look_around(run: Run, samples: Samples) -> None:
    """Put alignment, linearity, linear regions and the check of the power method on the Jacobian's record."""
    record = run.record.jacobian
    if not isinstance(record, JacobianRecord):
        return
    found = run.timed(
        "jacobian",
        lambda: examine(
            run.graph,
            samples.inputs,
            samples.labels,
            radius=_radius(run, samples),
            seed=run.settings.seed,
            batch_size=run.settings.batch_size,
            progress=run.progress,
        ),
    )
    run.found(
        jacobian=replace(
            record,
            alignment=found.alignment,
            linearity=found.linearity,
            cells=found.cells,
            power_method=found.power_method,
        )
    )
    _add_cells(run, found.cell_radius)


def _radius(run: Run, samples: Samples) -> float:
    """The largest l2 radius asked for, else of the defaults."""
    asked = radii(run.settings, samples).get("l2", ())
    return max(asked, default=0.0) or max(default_radii(samples)["l2"])


def _add_cells(run: Run, radii_of: dict[int, float]) -> None:
    """Add the distance to the nearest wall to the samples' rows, for those it was computed for."""
    rows: Sequence[dict[str, object]] = run.rows.get("jacobian", ())
    run.each(jacobian=[{**row, "cell_radius": radii_of.get(index)} for index, row in enumerate(rows)])


def compare_training(run: Run, samples: Samples, measured: Measured) -> None:
    """Put the gaps between training and test samples on the Jacobian's record, where training samples were given.

    As many training samples as test samples at most, evenly through the file.
    """
    record, training = run.record.jacobian, run.subject.training
    if training is None or not isinstance(record, JacobianRecord):
        return
    used, settings = spread_out(len(training), len(samples)), run.settings
    balls: list[tuple[Norm, float]] = [
        (norm, eps) for norm in _SURROGATE_NORMS for eps in radii(settings, samples).get(norm, ())
    ]

    def measure() -> Measured:
        return measure_jacobians(
            run.graph,
            training.inputs[used],
            None if training.labels is None else training.labels[used],
            step=measured.step,
            batch_size=settings.batch_size,
            seed=settings.seed,
            progress=run.progress,
        )

    train = run.timed("jacobian", measure)
    run.found(jacobian=replace(record, gaps=gap_records(train, measured, balls, seed=settings.seed)))
