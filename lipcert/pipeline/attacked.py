"""What is attacked, whether the attacks can be believed, and what the draw of the samples leaves open."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.evaluation import Evidence, Searched, evaluate
from lipcert.analyses.robustness import Robustness
from lipcert.analyses.sampling import sampling_record
from lipcert.attacks import Target
from lipcert.deadline import Deadline
from lipcert.pipeline.context import Run
from lipcert.pipeline.scorer import choose_scorer
from lipcert.records import EvaluationRecord, Norm, RobustnessRecord
from lipcert.samples import Samples

Claims = Mapping[tuple[Norm, float], Tensor]


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Aim:
    """The target of the attacks, who judges what they find, and whether the file has no gradient of its own."""

    target: Target
    scored_by: str
    blind: bool


def take_aim(run: Run, samples: Samples, labels: Tensor) -> Aim:
    """The graph in the dtype asked for as the source of gradients, the file's own runtime as the judge."""
    graph = run.graph.to(dtype=getattr(torch, run.settings.dtype))
    scorer, scored_by = choose_scorer(run.subject, graph)
    clean = samples.inputs.to(device=graph.device, dtype=graph.dtype)
    reads = None if scorer is graph else torch.float32
    target = Target(classify=graph, scorer=scorer, clean=clean, labels=labels, reads=reads)
    blind = run.subject.source.quantised or run.subject.fidelity.gradient == "zero"
    return Aim(target=target, scored_by=scored_by, blind=blind)


def report_attacks(run: Run, robustness: Robustness, aim: Aim) -> None:
    """Put what was found on the record, and in the table of samples."""
    run.attacks = robustness
    run.found(robustness=complete_records(run, robustness, aim), adversarial_radii=robustness.radii)
    run.each(adversarial_radius=adversarial_radii(robustness))


def complete_records(run: Run, robustness: Robustness, aim: Aim) -> tuple[RobustnessRecord, ...]:
    """The records of the attacks with their judge and their sampling error."""
    confidence, seed = run.settings.confidence, run.settings.seed
    found = []
    for attacked in robustness.attacked:
        outcome = attacked.outcome
        sampling = sampling_record(~outcome.broken, outcome.loss, confidence=confidence, seed=seed)
        found.append(replace(attacked.record, scored_by=aim.scored_by, sampling=sampling))
    return tuple(found)


def join_claims(before: Claims | None, after: Claims | None) -> Claims | None:
    """Samples claimed at either time: a claim given up for an attack's sake still was one."""
    if before is None or after is None:
        return None
    return {ball: claimed | after[ball] for ball, claimed in before.items()}


def adversarial_radii(robustness: Robustness) -> list[dict[str, float | None]]:
    """Of each sample, norm -> distance of the nearest error known; None where there is none."""
    columns = {norm: near.distance.tolist() for norm, near in robustness.nearby.items()}
    return [
        {norm: distances[row] if math.isfinite(distances[row]) else None for norm, distances in columns.items()}
        for row in range(len(robustness.clean.margin))
    ]


def check_attacks(
    run: Run, robustness: Robustness, aim: Aim, claims: Claims | None, deadline: Deadline
) -> EvaluationRecord | None:
    """The checks of the attacks. `claims` are the samples certified in each ball, where there are certificates."""
    if not robustness.attacked:
        return None
    searched = tuple(
        Searched(
            ball=one.ball,
            record=one.record,
            outcome=one.outcome,
            certified=None if claims is None else claims[one.ball.norm, one.ball.eps],
        )
        for one in robustness.attacked
    )
    evidence = Evidence(
        target=aim.target,
        clean=robustness.clean,
        searched=searched,
        double=_double(run),
        input_range=robustness.attacked[0].ball.input_range,
        seed=run.settings.seed,
        blind=aim.blind,
        deadline=deadline,
    )
    return evaluate(evidence)


def _double(run: Run) -> Callable[[Tensor], Tensor]:
    return run.graph.to(dtype=torch.float64)
