"""What the report says of unseen inputs: brackets from the samples, and bounds from the training samples."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from lipcert.analyses.base import logits_of
from lipcert.analyses.generalization import (
    BOUNDS,
    Architecture,
    Counts,
    Evidence,
    all_layer_margins,
    architecture,
    flatness,
    holdout_records,
    measures,
    multiplications,
    noise_resilience,
    normalised_margins,
    posterior_pending,
    posterior_record,
    records,
    unavailable,
)
from lipcert.analyses.lipschitz import Constants
from lipcert.deadline import Deadline
from lipcert.graph.scores import margins
from lipcert.pipeline.context import Run
from lipcert.pipeline.radii import radii
from lipcert.pipeline.training_facts import Balls, held_range, length_of, noisy_circuit, training_facts
from lipcert.pipeline.training_gaps import training_gaps
from lipcert.records import GeneralizationRecord, Skipped, Split
from lipcert.rounding import product_up, sqrt_up
from lipcert.samples import Samples

# Shares of the time left, where there is a time budget; the posterior has what remains.
_MARGINS = 0.15
_GAPS = 0.2
_INSIDE = 0.2
_FLATNESS = 0.2


def assess(run: Run, constants: Constants, samples: Samples, labels: Tensor, deadline: Deadline) -> None:
    """Put the bounds, and what goes with them, on the record. `labels` are those of the samples."""
    run.progress("generalization", 0, 1)
    net = architecture(constants.norms)
    training, split = _training(run, samples)
    logits = logits_of(run.graph.to(dtype=torch.float64), samples.inputs, batch_size=run.settings.batch_size)
    own = margins(logits, labels.to(logits.device)).cpu()
    balls: Balls = tuple((norm, eps) for norm, many in radii(run.settings, samples).items() for eps in many)
    facts, plain = None, None
    if training is not None:
        facts, plain = training_facts(
            run, constants, training, balls=balls, chain=not isinstance(net, Skipped), deadline=deadline.share(_MARGINS)
        )
    inputs = held_range(samples, training)
    evidence = Evidence(
        architecture=net,
        training=facts,
        radius=None if inputs is None else _radius(samples, inputs),
        failure=1 - run.settings.confidence,
        balls=balls,
        circuit=None if training is None else noisy_circuit(run, constants, inputs, known=facts is not None),
        chance=constants.norms.failure_probability("l2"),
    )
    bounds = [one for kind in BOUNDS.values() for one in records(kind(), evidence)]
    shown = samples if training is None else training
    run.found(
        generalization=(*_holdout(run, own), *bounds, posterior_pending(), *unavailable()),
        normalised_margins=()
        if isinstance(net, Skipped)
        else normalised_margins(
            net, own if plain is None else plain, length_of(shown.inputs), split=split, seed=run.settings.seed
        ),
    )
    _compare(run, samples, deadline.share(_GAPS))
    _look_inside(run, constants, shown, split, deadline.share(_INSIDE))
    _measure(run, constants, net, training, plain, deadline.share(_FLATNESS))
    posterior = _posterior(run, deadline)
    run.found(generalization=(*_holdout(run, own), *bounds, posterior, *unavailable()))
    run.progress("generalization", 1, 1)


def _compare(run: Run, samples: Samples, deadline: Deadline) -> None:
    """Put the gaps between training and test samples on the record."""
    training = run.subject.training
    if training is None or training.labels is None:
        return
    run.found(training_gaps=training_gaps(run, training, samples, multiplications(run.graph), deadline))


def _look_inside(run: Run, constants: Constants, samples: Samples, split: Split, deadline: Deadline) -> None:
    """Put what is measured at the layers on the record."""
    graph, settings = constants.norms.graph, run.settings
    run.found(
        noise_resilience=noise_resilience(
            graph, samples, split=split, effort=settings.effort, seed=settings.seed, deadline=deadline.share(0.5)
        )
    )
    run.found(
        all_layer_margin=all_layer_margins(
            graph,
            samples,
            split=split,
            effort=settings.effort,
            seed=settings.seed,
            deadline=deadline,
            progress=run.progress,
        )
    )


def _measure(  # noqa: PLR0917  the network three ways, and its samples
    run: Run,
    constants: Constants,
    net: Architecture | Skipped,
    training: Samples | None,
    plain: Tensor | None,
    deadline: Deadline,
) -> None:
    """Put the measures of the literature on the record, where there are training samples."""
    if training is None or plain is None:
        return
    settings = run.settings
    flat = flatness(
        run.graph,
        training,
        effort=settings.effort,
        seed=settings.seed,
        batch_size=settings.batch_size,
        deadline=deadline,
        progress=run.progress,
    )
    run.found(
        measures=measures(
            constants.norms.graph,
            _chain(net),
            plain,
            initial=run.subject.initial,
            flat=None if isinstance(flat, Skipped) else flat,
        )
    )


def _posterior(run: Run, deadline: Deadline) -> GeneralizationRecord:
    """The bound on the network with random weights."""
    return posterior_record(
        run.graph,
        run.subject.training,
        initial=run.subject.initial,
        failure=1 - run.settings.confidence,
        effort=run.settings.effort,
        seed=run.settings.seed,
        batch_size=run.settings.batch_size,
        deadline=deadline,
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


def _radius(samples: Samples, inputs: tuple[float, float]) -> float:
    """Bound on the l2 norm of every input in the range."""
    return product_up((sqrt_up(float(samples.inputs[0].numel())), max(map(abs, inputs))))


def mark_split(run: Run) -> None:
    """Put on the data's record what the samples were to the model, as the user says."""
    if run.record.data is not None:
        run.found(data=replace(run.record.data, split=run.settings.split))
