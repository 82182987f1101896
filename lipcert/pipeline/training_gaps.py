"""What differs between training and test samples, with the same attack on both."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from lipcert.analyses.base import logits_of
from lipcert.analyses.generalization import spread
from lipcert.analyses.jacobian.gaps import gap
from lipcert.analyses.robustness import Robustness, analyze_robustness
from lipcert.attacks import plan
from lipcert.deadline import Deadline
from lipcert.graph.scores import cross_entropy, margins
from lipcert.pipeline.attacked import take_aim
from lipcert.pipeline.context import Run
from lipcert.pipeline.radii import radii
from lipcert.records import DiagnosticRecord, Norm, TrainingGapRecord
from lipcert.samples import Samples

MOST = {"fast": 1024, "default": 2048, "high": 4096}
"""Samples attacked on each side, by effort."""

WORK = {"fast": 1e10, "default": 3e10, "high": math.inf}
"""Multiply-adds that the attacks on one side may take, about."""

Columns = Mapping[str, Tensor]


def training_gaps(
    run: Run, training: Samples, test: Samples, work: int, deadline: Deadline
) -> tuple[TrainingGapRecord, ...]:
    """Clean loss, accuracy and margin on all samples; loss and accuracy under the fast attacks on some of both.

    work  multiply-adds of one sample's logits, about
    """
    sides = [_clean(run, samples) for samples in (training, test)]
    found = [_record(run, name, None, "", (sides[0][name], sides[1][name])) for name in sides[0]]
    balls = [(norm, eps) for norm, many in radii(run.settings, test).items() if (eps := max(many, default=0.0)) > 0]
    for index, ball in enumerate(balls):
        if deadline.passed:
            _tell_of_time(run, [norm for norm, _ in balls[index:]])
            break
        found += _under_attack(run, (training, test), ball, work, deadline.share(1 / (len(balls) - index)))
    return tuple(found)


def _tell_of_time(run: Run, norms: list[Norm]) -> None:
    """Leave word of norms that no time was left for."""
    found = DiagnosticRecord(
        id="training_gaps.time",
        level="note",
        message=f"no time was left to attack training samples in {', '.join(norms)}",
        hint="Raise --time-budget.",
    )
    run.found(diagnostics=(*run.record.diagnostics, found))


def _clean(run: Run, samples: Samples) -> Columns:
    assert samples.labels is not None
    logits = logits_of(run.graph.to(dtype=torch.float64), samples.inputs, batch_size=run.settings.batch_size).cpu()
    margin = margins(logits, samples.labels.cpu())
    loss = cross_entropy(logits, samples.labels.cpu())
    return {"clean_loss": loss, "clean_accuracy": (margin > 0).double(), "margin": margin}


def _under_attack(
    run: Run, sides: tuple[Samples, Samples], ball: tuple[Norm, float], work: int, deadline: Deadline
) -> list[TrainingGapRecord]:
    """The largest ball of one norm, the same number of samples on both sides."""
    chosen = plan("fast", ball[0], classes=run.graph.classes)
    gradients = sum(int(each.settings.get("steps", 1)) for each in (*chosen.near, *(s.attack for s in chosen.stages)))
    effort = run.settings.effort
    count = min(MOST[effort], int(min(WORK[effort] / (3 * gradients * max(work, 1)), 1e9)), *map(len, sides))
    if count < 1:
        return []
    found = []
    for index, samples in enumerate(sides):
        used = spread(len(samples), count)
        found.append(_attacked(run, samples, used, ball, deadline.share(1 / (2 - index))))
    name = " + ".join(dict.fromkeys(each.name for each in (*chosen.near, *(stage.attack for stage in chosen.stages))))
    return [_record(run, quantity, ball, name, (found[0][quantity], found[1][quantity])) for quantity in found[0]]


def _attacked(run: Run, samples: Samples, used: Tensor, ball: tuple[Norm, float], deadline: Deadline) -> Columns:
    assert samples.labels is not None
    part = Samples(inputs=samples.inputs[used], labels=samples.labels[used], input_range=samples.input_range)
    aim = take_aim(run, part, samples.labels[used].to(run.graph.device))
    found: Robustness = analyze_robustness(
        aim.target,
        {ball[0]: (ball[1],)},
        input_range=part.input_range,
        effort="fast",
        seed=run.settings.seed,
        batch_size=run.settings.batch_size,
        progress=lambda _, done, total: run.progress("training gaps", done, total),
        deadline=deadline,
        blind=aim.blind,
    )
    worst, clean = found.attacked[0].outcome, found.clean
    loss = worst.loss.double().cpu()
    return {
        "robust_loss": loss,
        "robust_accuracy": (~worst.broken).double().cpu(),
        "excess_loss": loss - clean.loss.double().cpu(),
    }


def _record(
    run: Run, quantity: str, ball: tuple[Norm, float] | None, attack: str, sides: tuple[Tensor, Tensor]
) -> TrainingGapRecord:
    found = gap(quantity, *sides, seed=run.settings.seed)
    return TrainingGapRecord(
        quantity=quantity,
        norm=None if ball is None else ball[0],
        eps=None if ball is None else ball[1],
        attack=attack,
        train_samples=len(sides[0]),
        test_samples=len(sides[1]),
        train=found.train,
        test=found.test,
        gap=found.gap,
        ci95=found.ci95,
    )
