"""The analyses that need labels: margins, certificates, attacks, and the brackets they close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lipcert.analyses.base import eps_space, logits_of
from lipcert.analyses.brackets import close_bracket, reconcile
from lipcert.analyses.certificates import (
    Certifier,
    certificate_records,
    certified_radii,
    prepare,
    radius_records,
    verdicts,
)
from lipcert.analyses.lipschitz import NORMS, upper_constants
from lipcert.analyses.margins import analyze_margins
from lipcert.analyses.robustness import Attacked, Robustness, analyze_robustness
from lipcert.deadline import Deadline
from lipcert.pipeline.attacked import Aim, Claims, check_attacks, complete_records, join_claims, take_aim
from lipcert.pipeline.context import Run
from lipcert.pipeline.radii import radii
from lipcert.records import BracketRecord, MarginRecord, Norm, Skipped
from lipcert.rules import LayerNorms
from lipcert.samples import Samples

Radii = Mapping[Norm, Sequence[float]]

# Shares of the time left, where there is a time budget.
_CHEAP = 0.15
_DEAR = 0.7


def complete_labelled(run: Run, norms: LayerNorms, samples: Samples, labels: Tensor) -> Robustness | None:
    """Do those of these analyses that were asked for, and give back what attacks found. `labels` lie on the device.

    Cheap proofs come first, so that attacks can leave out what is proved; dear ones last, for what no attack broke.
    """
    eps, deadline = radii(run.settings, samples), Deadline.after(run.settings.time_budget)
    proofs: Certifier | Skipped | None = None
    if run.asked("margins"):
        run.found(margins=run.timed("margins", lambda: _margins(run, samples, labels)))
    if run.asked("certificates"):
        proofs = run.timed("certificates", lambda: _cheap_proofs(run, norms, samples, eps, deadline))
        _report_proofs(run, proofs)
    robustness = None
    if run.asked("robustness"):
        aim = take_aim(run, samples, labels)
        robustness = run.timed("robustness", lambda: _robustness(run, samples, aim, eps))
        run.found(robustness=complete_records(run, robustness, aim))
    before = _claims(robustness, proofs)
    if isinstance(proofs, Certifier):
        run.timed("certificates", lambda: _dear_proofs(run, proofs, robustness, labels, deadline))
        _report_proofs(run, proofs)
    if robustness is not None and proofs is not None:
        run.found(brackets=_brackets(run, robustness, proofs))
    if robustness is not None:
        claims = join_claims(before, _claims(robustness, proofs))
        run.found(evaluation=run.timed("evaluation", lambda: check_attacks(run, robustness, aim, claims)))
    return robustness


def _claims(robustness: Robustness | None, proofs: Certifier | Skipped | None) -> Claims | None:
    """Which samples are certified in each ball that was attacked, as it stands now."""
    if robustness is None or not isinstance(proofs, Certifier):
        return None
    balls = [(one.ball.norm, one.ball.eps) for one in robustness.attacked]
    return {ball: proofs.standing(*ball).certified.clone() for ball in balls}


def _report_proofs(run: Run, proofs: Certifier | Skipped) -> None:
    if isinstance(proofs, Skipped):
        run.found(certificates=proofs)
    else:
        run.found(certificates=certificate_records(proofs), radii=radius_records(proofs, seed=run.settings.seed))
        run.each(certified_radius=certified_radii(proofs), verdicts=verdicts(proofs))


def _margins(run: Run, samples: Samples, labels: Tensor) -> MarginRecord:
    graph = run.graph.to(dtype=torch.float64)
    logits = logits_of(graph, samples.inputs, batch_size=run.settings.batch_size)
    return analyze_margins(logits, labels, seed=run.settings.seed)


def _cheap_proofs(run: Run, norms: LayerNorms, samples: Samples, eps: Radii, deadline: Deadline) -> Certifier | Skipped:
    constants = [upper_constants(norms, norm) for norm in NORMS]
    proofs = prepare(norms.graph, samples, constants, eps, run.settings, progress=run.progress)
    if isinstance(proofs, Certifier):
        proofs.start(deadline.share(_CHEAP))
    return proofs


def _dear_proofs(
    run: Run, proofs: Certifier, robustness: Robustness | None, labels: Tensor, deadline: Deadline
) -> None:
    """Proofs of what the attacks left standing, and radii below what they reached."""
    for attacked in robustness.attacked if robustness is not None else ():
        outcome, standing = attacked.outcome, proofs.standing(attacked.ball.norm, attacked.ball.eps)
        kept = reconcile(standing.certified, outcome, attacked.ball, run.graph, labels)
        proofs.attacked(standing, outcome.broken, outcome.found, kept)
    proofs.finish(deadline.share(_DEAR))
    proofs.search(deadline)


def _robustness(run: Run, samples: Samples, aim: Aim, eps: Radii) -> Robustness:
    return analyze_robustness(
        aim.target,
        eps,
        input_range=samples.input_range,
        effort=run.settings.effort,
        seed=run.settings.seed,
        batch_size=run.settings.batch_size,
        progress=run.progress,
    )


def _brackets(run: Run, robustness: Robustness, proofs: Certifier | Skipped) -> tuple[BracketRecord, ...]:
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
