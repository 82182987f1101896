"""The analyses in their order, each given what it depends on."""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor

from lipcert.analyses.jacobian import Measured
from lipcert.analyses.layers import analyze_layers
from lipcert.analyses.lipschitz import Constants, analyze_lipschitz, analyze_local, unsupported
from lipcert.deadline import Deadline
from lipcert.pipeline.clever import estimate_clever
from lipcert.pipeline.context import Run
from lipcert.pipeline.demands import NEED_LABELS
from lipcert.pipeline.generalization import assess, mark_split
from lipcert.pipeline.jacobian import NO_DATA, analyze_jacobian, join_attacks
from lipcert.pipeline.labelled import complete_labelled
from lipcert.pipeline.neighbourhood import compare_training, look_around
from lipcert.pipeline.radii import radii
from lipcert.records import Enclosure, LipschitzRecord, Skipped
from lipcert.rules import LayerNorms

_DEAR = ("robustness", "certificates")
_LABELLED = 0.75  # their share of a time budget that the searches behind bounds on unseen inputs also draw on
NO_LABELS = Skipped(reason="it needs the samples' labels: give them with --labels or in the data file")


def complete(run: Run) -> None:
    """Do every analysis that was asked for."""
    run.start()
    mark_split(run)
    norms = LayerNorms(run.graph, effort=run.settings.effort, seed=run.settings.seed)
    constants = Constants(norms)
    run.found(unsupported_ops=unsupported(norms))
    if run.asked("layers"):
        count = run.settings.spectrum
        run.found(layers=run.timed("layers", lambda: analyze_layers(norms, spectrum=count, progress=run.progress)))
    samples = run.subject.samples
    measured = analyze_jacobian(run, samples) if run.asked("jacobian") else None
    if samples is not None and isinstance(measured, Measured):
        look_around(run, samples)
        compare_training(run, samples, measured)
    if run.asked("lipschitz"):
        order = slice(None) if measured is None else measured.steepest_first
        inputs = None if samples is None else samples.inputs[order]
        run.found(lipschitz=run.timed("lipschitz", lambda: _lipschitz(run, constants, inputs)))
        if inputs is not None and len(inputs):
            run.timed("lipschitz", lambda: _local(run))
        if samples is not None:
            run.timed("lipschitz", lambda: estimate_clever(run, samples))
    if samples is None or samples.labels is None:
        missing = NO_DATA if samples is None else NO_LABELS
        run.found(**{name: missing for name in NEED_LABELS if run.asked(name)})
    else:
        end, labels = Deadline.after(run.settings.time_budget), samples.labels
        first = end.share(_LABELLED) if run.asked("generalization") and run.asked(*_DEAR) else end
        robustness = complete_labelled(run, constants, samples, labels.to(run.graph.device), first)
        if measured is not None and robustness is not None:
            join_attacks(run, measured, robustness)
        if run.asked("generalization"):
            run.timed("generalization", lambda: assess(run, constants, samples, labels, end))


def _local(run: Run) -> None:
    """Add constants in the smallest ball of each norm asked for, around the first samples; with high effort in all."""
    samples, settings, known = run.subject.samples, run.settings, run.record.lipschitz
    if samples is None or isinstance(known, Skipped) or run.record.unsupported_ops:
        return
    for norm, levels in radii(settings, samples).items():
        ends = [r.value.upper for r in known if r.norm == norm and isinstance(r.value, Enclosure)]
        for eps in sorted(levels)[: None if settings.effort == "high" else 1]:
            found = analyze_local(
                run.graph,
                samples.inputs,
                norm,
                eps,
                input_range=samples.input_range,
                upper=min((end for end in ends if end is not None), default=math.inf),
                effort=settings.effort,
                seed=settings.seed,
            )
            known = (*(_no_lower(record, found) for record in known), found)
    run.found(lipschitz=known)


def _no_lower(record: LipschitzRecord, local: LipschitzRecord) -> LipschitzRecord:
    """A global constant is at least what was met in a ball."""
    value, met = record.value, local.value
    if (record.norm, record.scope) != (local.norm, "global") or isinstance(value, Skipped) or isinstance(met, Skipped):
        return record
    return replace(record, value=replace(value, lower=max(value.lower, met.lower)))


def _lipschitz(run: Run, constants: Constants, inputs: Tensor | None) -> tuple[LipschitzRecord, ...]:
    """`inputs`, the steepest known first, are where the lower end is looked for."""
    samples = run.subject.samples
    return analyze_lipschitz(
        constants,
        inputs=inputs,
        input_range=None if samples is None else samples.input_range,
        progress=run.progress,
    )
