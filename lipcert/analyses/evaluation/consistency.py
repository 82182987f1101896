"""Checks of results against each other, and against what certificates and first-order theory say."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from lipcert.analyses.evaluation.base import Evidence, Finding, Searched, graded, not_applicable, of_ball, of_model
from lipcert.attacks import Ball
from lipcert.attacks.base import logits_and_gradient
from lipcert.graph.scores import margins

_OWN = "a consequence of the definitions"
_FAR, _BEYOND = 5.0, 50.0


@of_model("monotone", hint="A larger ball holds the smaller one: this is a bug, please report it.", reference=_OWN)
def monotone(evidence: Evidence) -> Finding:
    """Robust accuracy falls, and robust loss rises, with the radius."""
    entries = sorted(evidence.searched, key=lambda entry: (entry.ball.norm, entry.ball.eps))
    pairs = [(a, b) for a, b in pairwise(entries) if a.ball.norm == b.ball.norm]
    if not pairs:
        return not_applicable("one radius a norm")
    rises = [b.record.robust_accuracy - a.record.robust_accuracy for a, b in pairs]
    falls = [a.record.robust_loss - b.record.robust_loss for a, b in pairs]
    worst = max(0.0, *rises, *falls)
    text = f"accuracy falls and loss rises with the radius over {len(pairs)} steps"
    return graded(worst, text, warn=1e-12, fail=1e-12, samples=pairs[0][0].record.samples)


@of_ball(
    "certified_unbroken",
    hint="A certified sample was broken on the deployed file: it is no longer counted as certified.",
    reference=_OWN,
)
def certified_unbroken(evidence: Evidence, entry: Searched) -> Finding:  # noqa: ARG001  the ball tells it all
    """Certified samples that an attack broke. That the proof is at fault stops the run; rounding of the file may be."""
    if entry.certified is None or not bool(entry.certified.any()):
        return not_applicable("no sample is certified in this ball")
    clash = int((entry.certified.cpu() & entry.outcome.broken.cpu()).sum())
    proved = int(entry.certified.sum())
    text = f"{clash} of {proved} certified samples were broken"
    return graded(clash / proved, text, warn=0.0, fail=0.05, samples=proved)


@of_ball("gap", hint="", reference=_OWN)
def gap(evidence: Evidence, entry: Searched) -> Finding:  # noqa: ARG001  the ball tells it all
    """Share of samples that are neither certified nor broken; how much is left to settle; no judgement."""
    if entry.certified is None:
        return not_applicable("no certificates were asked for")
    open_ = float((~entry.certified.cpu() & ~entry.outcome.broken.cpu()).double().mean())
    text = f"{open_:.1%} of the samples are neither certified nor broken"
    return Finding(status="pass", message=text, value=open_, samples=len(entry.certified))


@of_ball(
    "first_order",
    hint="Errors lie far nearer than the gradients say: the gradients are masked.",
    reference="Moosavi-Dezfooli, Fawzi & Frossard, arXiv 1511.04599, for the distance",
)
def first_order(evidence: Evidence, entry: Searched) -> Finding:
    """First-order distance of the boundary over the distance at which an error was found, median over the broken."""
    broken = entry.outcome.broken & ~evidence.clean.broken
    rows = evidence.some(broken.nonzero()[:, 0])
    if evidence.blind or not len(rows):
        return not_applicable("no sample that was classified rightly was broken")
    predicted = _first_order(evidence, rows, entry.ball)
    found = entry.ball.distance(entry.outcome.inputs[rows], evidence.target.clean[rows])
    ratio = float((predicted / found.clamp_min(1e-300)).clamp_max(1e9).median())
    text = f"the boundary is {ratio:.3g} times as far by first order as the errors that were found"
    return graded(ratio, text, warn=_FAR, fail=_BEYOND, samples=len(rows))


def _first_order(evidence: Evidence, rows: Tensor, ball: Ball) -> Tensor:
    """Margin over the dual norm of its gradient, shape (n,); infinite where the gradient is 0."""
    points, labels = evidence.target.clean[rows], evidence.target.labels[rows]
    logits, gradient = logits_and_gradient(evidence.target.classify, lambda z: margins(z, labels), points)
    slope = (gradient * ball.steepest(gradient)).flatten(1).sum(dim=1).to(torch.float64)
    return margins(logits.to(torch.float64), labels) / slope
