"""What bounds on the error on unseen inputs ask of the training samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.analyses.base import logits_of
from lipcert.analyses.certificates.ball_margins import ball_margins
from lipcert.analyses.certificates.lipschitz import LipschitzRadii, lipschitz_radii
from lipcert.analyses.generalization import Circuit, Training, circuit, stepped
from lipcert.analyses.lipschitz import Constants
from lipcert.analyses.lipschitz.product import gains, unsupported
from lipcert.deadline import Deadline
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph.fold import fold_batch_norm
from lipcert.graph.scores import margins
from lipcert.pipeline.context import Run
from lipcert.records import Norm, Skipped
from lipcert.rules import UnboundedError
from lipcert.rules.forward_error import bounded_logits
from lipcert.rules.rounding import Rounded
from lipcert.samples import Samples

Balls = tuple[tuple[Norm, float], ...]


def training_facts(
    run: Run, constants: Constants, training: Samples, *, balls: Balls, chain: bool, deadline: Deadline
) -> tuple[Training | None, Tensor]:
    """What the bounds ask for, None where the rounding of the logits is not known; and the samples' margins.

    chain  whether the network is one, as the bounds that ask for gradient steps want it
    """
    assert training.labels is not None
    labels, graph, size = training.labels, constants.norms.graph, run.settings.batch_size
    try:
        bounded = bounded_logits(graph, training.inputs, batch_size=size)
    except UnsupportedOperatorError:
        logits = logits_of(graph, training.inputs, batch_size=size)
        return None, margins(logits, labels.to(logits.device)).cpu()
    plain = margins(bounded.value.cpu(), labels)
    room = 2.01 * bounded.error.cpu().amax(dim=1)
    lengths = tuple(eps for norm, eps in balls if norm == "l2" and chain)
    steepest, after = 0.0, dict[float, Tensor]()
    if lengths:
        steepest, after = stepped(graph, training.inputs, labels, lengths, batch_size=size)
    facts = Training(
        margins=plain - room,
        length=length_of(training.inputs),
        robust=_robust(run, constants, bounded, training, balls=balls, deadline=deadline),
        gradient={("l2", eps): left for eps, left in after.items()},
        steepest=steepest,
    )
    return facts, plain


def held_range(samples: Samples, training: Samples | None) -> tuple[float, float] | None:
    """The declared range, ends as the float32 numbers that inputs are; None where some of these inputs lie outside.

    Values are checked against the ends rounded to float32, which may lie beyond them. Training samples stored in
    another way than the samples have a range of their own or none, and then nothing was checked.
    """
    if samples.input_range is None:
        return None
    near = [float(end) for end in torch.tensor(samples.input_range, dtype=torch.float32)]
    low, high = min(near[0], samples.input_range[0]), max(near[1], samples.input_range[1])
    given = (samples.inputs,) if training is None else (samples.inputs, training.inputs)
    return (low, high) if all(low <= float(x.min()) and float(x.max()) <= high for x in given) else None


def noisy_circuit(
    run: Run, constants: Constants, input_range: tuple[float, float] | None, *, known: bool
) -> Circuit | Skipped | None:
    """The network as bounds by noise on its layers want it, or why it is not; None without a declared range.

    known  whether the rounding of the training samples' logits is
    """
    if not known:
        return Skipped(reason="no bound is known on the rounding of its logits")
    if input_range is None:
        return None
    if ops := unsupported(constants.norms):
        return Skipped(reason=f"no Lipschitz constant is known of {', '.join(ops)}", operators=ops)
    given = run.subject.initial
    initial = None if given is None else fold_batch_norm(given.to(dtype=torch.float64, device="cpu"))
    try:
        return circuit(constants.norms, gains(constants.norms, "l2"), input_range, initial)
    except UnboundedError as error:
        return Skipped(reason=str(error))


def _robust(
    run: Run, constants: Constants, logits: Rounded, training: Samples, *, balls: Balls, deadline: Deadline
) -> dict[tuple[Norm, float], Tensor]:
    """Ball -> at most the smallest margin there of each sample, by Lipschitz constants or by linear bounds."""
    assert training.labels is not None
    labels, graph = training.labels, constants.norms.graph
    by_constants = lipschitz_radii(
        graph, logits, labels, constants.all, tuple(dict.fromkeys(norm for norm, _ in balls))
    )
    by_bounds = ball_margins(
        graph,
        training.inputs,
        labels,
        balls,
        effort=run.settings.effort,
        max_memory=run.settings.max_memory,
        deadline=deadline,
        progress=run.progress,
    )
    found = dict[tuple[Norm, float], Tensor]()
    for ball in balls:
        known = [] if isinstance(by_bounds, Skipped) else [by_bounds[ball]]
        known += [by_constants.margin(*ball)] if isinstance(by_constants, LipschitzRadii) else []
        if known:
            found[ball] = torch.stack(known).amax(dim=0)
    return found


def length_of(inputs: Tensor) -> float:
    """The Frobenius norm of all inputs together, rounded up."""
    parts = (part.to(torch.float64) for part in inputs.split(1024))
    return math.sqrt(math.fsum(float((part**2).sum()) for part in parts)) * (1 + 1e-9)
