"""The analyses that need labels: margins, certificates, attacks, and the brackets they close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lipcert.analyses.base import logits_of
from lipcert.analyses.certificates import Certifier
from lipcert.analyses.lipschitz import Constants
from lipcert.analyses.margins import analyze_margins
from lipcert.analyses.robustness import Robustness, analyze_robustness
from lipcert.deadline import Deadline
from lipcert.pipeline.attacked import (
    Aim,
    Claims,
    check_attacks,
    join_claims,
    report_attacks,
    take_aim,
)
from lipcert.pipeline.context import Run
from lipcert.pipeline.proofs import brackets, cheap_proofs, dear_proofs, report_proofs
from lipcert.pipeline.radii import radii
from lipcert.records import MarginRecord, Norm, Skipped
from lipcert.samples import Samples

Radii = Mapping[Norm, Sequence[float]]

# Shares of the time left, where there is a time budget.
_WORK = 0.92  # the checks of the attacks have the rest
_ATTACKS = 0.4


def complete_labelled(
    run: Run, constants: Constants, samples: Samples, labels: Tensor, end: Deadline
) -> Robustness | None:
    """Do those of these analyses that were asked for, and give back what attacks found. `labels` lie on the device.

    Cheap proofs come first, so that attacks can leave out what is proved; dear ones last, for what no attack broke.
    """
    eps, deadline = radii(run.settings, samples), end.share(_WORK)
    proofs: Certifier | Skipped | None = None
    if run.asked("margins"):
        run.found(margins=run.timed("margins", lambda: _margins(run, samples, labels)))
    if run.asked("certificates"):
        proofs = run.timed("certificates", lambda: cheap_proofs(run, constants, samples, eps, deadline))
        report_proofs(run, proofs)
    aim, robustness = take_aim(run, samples, labels), None
    if run.asked("robustness"):
        robustness = run.timed("robustness", lambda: _robustness(run, samples, aim, eps, proofs, deadline))
        report_attacks(run, robustness, aim)
    before, known = _claims(robustness, proofs), robustness
    if isinstance(proofs, Certifier):
        known = run.timed("certificates", lambda: dear_proofs(run, proofs, robustness, aim.target, deadline))
        report_proofs(run, proofs)
        if known is not None and known is not robustness:
            report_attacks(run, known, aim)
    if known is not None and proofs is not None:
        run.found(brackets=brackets(run, known, proofs))
    if robustness is not None:  # without the errors of branch and bound: are the attacks to be believed by themselves?
        claims = join_claims(before, _claims(robustness, proofs))
        run.found(evaluation=run.timed("evaluation", lambda: check_attacks(run, robustness, aim, claims, end)))
    return known


def _claims(robustness: Robustness | None, proofs: Certifier | Skipped | None) -> Claims | None:
    """Which samples are certified in each ball that was attacked, as it stands now."""
    if robustness is None or not isinstance(proofs, Certifier):
        return None
    balls = [(one.ball.norm, one.ball.eps) for one in robustness.attacked]
    return {ball: proofs.standing(*ball).certified.clone() for ball in balls}


def _margins(run: Run, samples: Samples, labels: Tensor) -> MarginRecord:
    graph = run.graph.to(dtype=torch.float64)
    logits = logits_of(graph, samples.inputs, batch_size=run.settings.batch_size)
    return analyze_margins(logits, labels, seed=run.settings.seed)


def _robustness(  # noqa: PLR0917  what was asked, what is known, and when to stop
    run: Run, samples: Samples, aim: Aim, eps: Radii, proofs: Certifier | Skipped | None, deadline: Deadline
) -> Robustness:
    """Attacks leave out what is proved; with proofs still to come they get a share of the time left."""
    known = proofs if isinstance(proofs, Certifier) else None
    return analyze_robustness(
        aim.target,
        eps,
        input_range=samples.input_range,
        effort=run.settings.effort,
        seed=run.settings.seed,
        seeds=run.settings.seeds,
        batch_size=run.settings.batch_size,
        progress=run.progress,
        deadline=deadline if known is None else deadline.share(_ATTACKS),
        proved=None if known is None else lambda norm, level: known.standing(norm, level).certified,
        blind=aim.blind,
    )
