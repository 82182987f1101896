"""Certificates around the attacks: cheap proofs before, dear ones after, and the brackets both close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lipcert.analyses.base import eps_space
from lipcert.analyses.brackets import close_bracket, reconcile
from lipcert.analyses.certificates import (
    Certifier,
    certificate_records,
    certified_radii,
    prepare,
    product_radii,
    radius_records,
    verdicts,
)
from lipcert.analyses.lipschitz import Constants
from lipcert.analyses.robustness import Attacked, Robustness
from lipcert.attacks import Ball, Target
from lipcert.deadline import Deadline
from lipcert.pipeline.breaks import with_breaks
from lipcert.pipeline.context import Run
from lipcert.records import BracketRecord, DiagnosticRecord, Norm, Skipped
from lipcert.samples import Samples

# Shares of the time left, where there is a time budget.
_CHEAP = 0.2
_DEAR = 0.85


def cheap_proofs(
    run: Run, constants: Constants, samples: Samples, eps: Mapping[Norm, Sequence[float]], deadline: Deadline
) -> Certifier | Skipped:
    """A certifier that has done its cheap proofs."""
    layers = constants.norms.graph
    proofs = prepare(run.graph, samples, constants.all, eps, run.settings, layers=layers, progress=run.progress)
    if isinstance(proofs, Certifier):
        proofs.start(deadline.share(_CHEAP))
    return proofs


def dear_proofs(
    run: Run, proofs: Certifier, robustness: Robustness | None, target: Target, deadline: Deadline
) -> Robustness | None:
    """Proofs of what the attacks left standing, and radii below what they reached. Returns all errors known then.

    target  what was attacked, with its judge
    """
    _tell_broken(run, proofs, robustness, target.labels)
    proofs.finish(target, deadline.share(_DEAR))
    if robustness is not None and any(found.parts for found in proofs.breaks.values()):
        robustness = with_breaks(robustness, proofs.breaks, target, seed=run.settings.seed, deadline=deadline)
        _tell_broken(run, proofs, robustness, target.labels)
    proofs.search(_distances(robustness), deadline)
    return robustness


def _tell_broken(run: Run, proofs: Certifier, robustness: Robustness | None, labels: Tensor) -> None:
    """Let the proofs know which samples are broken; a proof of one of them is settled first."""
    for attacked in robustness.attacked if robustness is not None else ():
        outcome, standing = attacked.outcome, proofs.standing(attacked.ball.norm, attacked.ball.eps)
        kept = reconcile(standing.certified, outcome, attacked.ball, run.graph, labels)
        tell_withdrawn(run, attacked.ball, int((standing.certified & ~kept).sum()))
        proofs.attacked(standing, outcome.broken, outcome.found, kept)


def tell_withdrawn(run: Run, ball: Ball, count: int) -> None:
    """Leave word of certificates that the file as it runs breaks by its rounding."""
    if not count:
        return
    where = f"{ball.norm} {ball.eps:g}"
    found = DiagnosticRecord(
        id="certificates.rounding",
        level="warning",
        message=f"{count} certified samples are broken at {where} by rounding alone, in the runtime that judges "
        "attacks; they count as falsified",
        hint="Real arithmetic does not err there. The runtime computes in a way that --deploy-dtype does not cover.",
    )
    run.found(diagnostics=(*run.record.diagnostics, found))


def _distances(robustness: Robustness | None) -> dict[Norm, Tensor]:
    """Norm -> distances of the nearest errors known."""
    nearby = robustness.nearby if robustness is not None else {}
    return {norm: near.distance.cpu() for norm, near in nearby.items()}


def report_proofs(run: Run, proofs: Certifier | Skipped) -> None:
    """Put what is proved so far on the record, and in the table of samples."""
    if isinstance(proofs, Skipped):
        run.found(certificates=proofs)
    else:
        run.found(certificates=certificate_records(proofs), radii=radius_records(proofs, seed=run.settings.seed))
        run.each(certified_radius=certified_radii(proofs), verdicts=verdicts(proofs))
        if proofs.products:
            run.each(product_radius=product_radii(proofs))


def brackets(run: Run, robustness: Robustness, proofs: Certifier | Skipped) -> tuple[BracketRecord, ...]:
    """The clean row of each norm once, then one row a ball."""
    if not robustness.attacked:
        return ()
    confidence = run.settings.confidence
    first = robustness.attacked[0]
    wrong = robustness.clean.broken
    clean = close_bracket(
        ~wrong, wrong, norm=first.ball.norm, eps=0.0, eps_space=first.record.eps_space, confidence=confidence
    )
    return (clean, *(_bracket(attacked, proofs, confidence) for attacked in robustness.attacked))


def _bracket(attacked: Attacked, proofs: Certifier | Skipped, confidence: float) -> BracketRecord:
    ball, broken = attacked.ball, attacked.outcome.broken.cpu()
    certified = torch.zeros_like(broken)
    if isinstance(proofs, Certifier):
        standing = proofs.standing(ball.norm, ball.eps)
        certified, broken = standing.certified, standing.broken | broken
    return close_bracket(
        certified,
        broken,
        norm=ball.norm,
        eps=ball.eps,
        eps_space=eps_space(ball.input_range),
        confidence=confidence,
    )
