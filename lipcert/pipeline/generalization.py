"""What the report says of unseen inputs: brackets from the samples, and bounds from the training samples."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from lipcert.analyses.base import logits_of
from lipcert.analyses.certificates.lipschitz import LipschitzRadii, lipschitz_radii
from lipcert.analyses.generalization import (
    BOUNDS,
    Architecture,
    Counts,
    Evidence,
    Training,
    architecture,
    holdout_records,
    measures,
    normalised_margins,
    posterior_record,
    records,
    stepped,
    unavailable,
)
from lipcert.analyses.lipschitz import Constants
from lipcert.graph.scores import margins
from lipcert.pipeline.context import Run
from lipcert.pipeline.radii import radii
from lipcert.records import GeneralizationRecord, Norm, Skipped, Split
from lipcert.rounding import product_up, sqrt_up
from lipcert.rules.forward_error import bounded_logits
from lipcert.samples import Samples

Balls = tuple[tuple[Norm, float], ...]


def assess(run: Run, constants: Constants, samples: Samples, labels: Tensor) -> None:
    """Put the bounds, the normalised margins and the measures on the record. `labels` are those of the samples."""
    run.progress("generalization", 0, 1)
    net = architecture(constants.norms)
    training, split = _training(run, samples)
    logits = logits_of(run.graph.to(dtype=torch.float64), samples.inputs, batch_size=run.settings.batch_size)
    own = margins(logits, labels.to(logits.device)).cpu()
    balls: Balls = tuple((norm, eps) for norm, many in radii(run.settings, samples).items() for eps in many)
    facts, plain = None, None
    if training is not None:
        facts, plain = _facts(run, constants, net, training, balls)
    evidence = Evidence(
        architecture=net,
        training=facts,
        radius=_radius(samples),
        failure=1 - run.settings.confidence,
        balls=balls,
    )
    bounds = [one for kind in BOUNDS.values() for one in records(kind(), evidence)]
    shown, inputs = (own, samples.inputs) if plain is None or training is None else (plain, training.inputs)
    run.found(
        generalization=(*_holdout(run, own), *bounds, _posterior(run), *unavailable()),
        normalised_margins=()
        if isinstance(net, Skipped)
        else normalised_margins(net, shown, _length(inputs), split=split, seed=run.settings.seed),
        measures=() if plain is None else measures(constants.norms.graph, _chain(net), plain),
    )
    run.progress("generalization", 1, 1)


def _posterior(run: Run) -> GeneralizationRecord:
    """The bound on the network with random weights."""
    return posterior_record(
        run.graph,
        run.subject.training,
        initial=run.subject.initial,
        failure=1 - run.settings.confidence,
        effort=run.settings.effort,
        seed=run.settings.seed,
        batch_size=run.settings.batch_size,
        progress=run.progress,
    )


def _chain(net: Architecture | Skipped) -> Architecture | None:
    return None if isinstance(net, Skipped) else net


def _training(run: Run, samples: Samples) -> tuple[Samples | None, Split]:
    """The labelled training samples, and what the samples that margins are shown of were to the model."""
    given = run.subject.training
    if given is not None and given.labels is not None:
        return given, "train"
    return (samples if run.settings.split == "train" else None), run.settings.split


def _holdout(run: Run, own: Tensor) -> tuple[GeneralizationRecord, ...]:
    """The brackets of the clean error and of every ball that was attacked."""
    wrong = int((own <= 0).sum())
    rows = [Counts(ball=None, samples=len(own), broken=wrong, uncertified=wrong)]
    for bracket in run.record.brackets:
        if bracket.eps > 0:
            broken = round((1 - bracket.robust_accuracy) * bracket.samples)
            open_ = round((1 - bracket.certified_accuracy) * bracket.samples)
            ball = (bracket.norm, bracket.eps)
            rows.append(Counts(ball=ball, samples=bracket.samples, broken=broken, uncertified=open_))
    return holdout_records(rows, confidence=run.settings.confidence, split=run.settings.split)


def _facts(
    run: Run, constants: Constants, net: Architecture | Skipped, training: Samples, balls: Balls
) -> tuple[Training | None, Tensor]:
    """What the bounds ask of the training samples, where they cover the network; and the samples' margins."""
    assert training.labels is not None
    labels, graph, size = training.labels, constants.norms.graph, run.settings.batch_size
    if isinstance(net, Skipped):
        logits = logits_of(graph, training.inputs, batch_size=size)
        return None, margins(logits, labels.to(logits.device)).cpu()
    bounded = bounded_logits(graph, training.inputs, batch_size=size)
    plain = margins(bounded.value.cpu(), labels)
    room = 2.01 * bounded.error.cpu().amax(dim=1)
    lengths = tuple(eps for norm, eps in balls if norm == "l2")
    steepest, after = stepped(graph, training.inputs, labels, lengths, batch_size=size)
    norms = tuple(dict.fromkeys(norm for norm, _ in balls))
    proved = lipschitz_radii(graph, bounded, labels, constants.all, norms)
    robust = {ball: proved.margin(*ball) for ball in balls} if isinstance(proved, LipschitzRadii) else {}
    facts = Training(
        margins=plain - room,
        length=_length(training.inputs),
        robust=robust,
        gradient={("l2", eps): left for eps, left in after.items()},
        steepest=steepest,
    )
    return facts, plain


def _length(inputs: Tensor) -> float:
    """The Frobenius norm of all inputs together, rounded up."""
    parts = (part.to(torch.float64) for part in inputs.split(1024))
    return math.sqrt(math.fsum(float((part**2).sum()) for part in parts)) * (1 + 1e-9)


def _radius(samples: Samples) -> float | None:
    """Bound on the l2 norm of every input in the range; None where none is known."""
    if samples.input_range is None:
        return None
    entries = float(samples.inputs[0].numel())
    return product_up((sqrt_up(entries), max(abs(end) for end in samples.input_range)))


def mark_split(run: Run) -> None:
    """Put on the data's record what the samples were to the model, as the user says."""
    if run.record.data is not None:
        run.found(data=replace(run.record.data, split=run.settings.split))
