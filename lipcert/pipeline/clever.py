"""The CLEVER estimate around samples, where the effort is high."""

from __future__ import annotations

from lipcert.analyses.lipschitz.clever import clever
from lipcert.pipeline.context import Run
from lipcert.pipeline.radii import radii
from lipcert.records import Norm
from lipcert.samples import Samples

_SAMPLES = 16
_BALLS: tuple[Norm, ...] = ("l2", "linf", "l1")


def estimate_clever(run: Run, samples: Samples) -> None:
    """Put CLEVER in the largest ball of each norm asked for on the record: of the first few samples, with labels."""
    if run.settings.effort != "high" or samples.labels is None or not len(samples):
        return
    some = slice(0, _SAMPLES)
    eps, found, columns = radii(run.settings, samples), [], list[dict[Norm, float]]()
    columns += [{} for _ in range(len(samples))]
    for norm in _BALLS:
        if norm in eps:
            record, scores = clever(
                run.graph, samples.inputs[some], samples.labels[some], norm, max(eps[norm]), seed=run.settings.seed
            )
            found.append(record)
            for column, score in zip(columns, scores, strict=False):
                column[norm] = score
    run.found(clever=tuple(found))
    run.each(clever_estimate=columns)
