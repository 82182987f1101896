"""The analyses that need labels: margins, certificates, attacks, and the brackets they close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from lipcert.analyses.base import eps_space, logits_of
from lipcert.analyses.brackets import close_bracket, reconcile
from lipcert.analyses.certificates import Certificates, analyze_certificates
from lipcert.analyses.lipschitz import NORMS, upper_constants
from lipcert.analyses.margins import analyze_margins
from lipcert.analyses.robustness import Attacked, Robustness, analyze_robustness
from lipcert.attacks import Target
from lipcert.errors import UnsupportedOperatorError
from lipcert.pipeline.context import Run
from lipcert.pipeline.radii import radii
from lipcert.pipeline.scorer import choose_scorer
from lipcert.records import BracketRecord, MarginRecord, Norm, Skipped
from lipcert.rules import LayerNorms
from lipcert.rules.forward_error import bounded_logits
from lipcert.samples import Samples

Radii = Mapping[Norm, Sequence[float]]


def complete_labelled(run: Run, norms: LayerNorms, samples: Samples, labels: Tensor) -> None:
    """Do those of these analyses that were asked for. `labels` lie on the device in use."""
    eps = radii(run.settings, samples)
    certificates: Certificates | Skipped | None = None
    if run.asked("margins"):
        run.found(margins=run.timed("margins", lambda: _margins(run, samples, labels)))
    if run.asked("certificates"):
        certificates = run.timed("certificates", lambda: _certificates(run, norms, samples, labels, eps))
        if isinstance(certificates, Skipped):
            run.found(certificates=certificates)
        else:
            run.found(certificates=certificates.records, radii=certificates.radius_records)
    if run.asked("robustness"):
        robustness, scored_by = run.timed("robustness", lambda: _robustness(run, samples, labels, eps))
        run.found(robustness=tuple(replace(a.record, scored_by=scored_by) for a in robustness.attacked))
        if certificates is not None:
            run.found(brackets=_brackets(run, robustness, certificates, labels))


def _margins(run: Run, samples: Samples, labels: Tensor) -> MarginRecord:
    graph = run.graph.to(dtype=torch.float64)
    logits = logits_of(graph, samples.inputs, batch_size=run.settings.batch_size)
    return analyze_margins(logits, labels, seed=run.settings.seed)


def _certificates(run: Run, norms: LayerNorms, samples: Samples, labels: Tensor, eps: Radii) -> Certificates | Skipped:
    constants = [upper_constants(norms, norm) for norm in NORMS]
    try:
        logits = bounded_logits(run.graph, samples.inputs, batch_size=run.settings.batch_size)
    except UnsupportedOperatorError as error:
        return Skipped(reason=error.message, operators=error.operators)
    return analyze_certificates(norms.graph, logits, labels, constants, eps, seed=run.settings.seed)


def _robustness(run: Run, samples: Samples, labels: Tensor, eps: Radii) -> tuple[Robustness, str]:
    graph = run.graph.to(dtype=getattr(torch, run.settings.dtype))
    scorer, scored_by = choose_scorer(run.subject, graph)
    clean = samples.inputs.to(device=graph.device, dtype=graph.dtype)
    reads = None if scorer is graph else torch.float32
    robustness = analyze_robustness(
        Target(classify=graph, scorer=scorer, clean=clean, labels=labels, reads=reads),
        eps,
        input_range=samples.input_range,
        effort=run.settings.effort,
        seed=run.settings.seed,
        batch_size=run.settings.batch_size,
        progress=run.progress,
    )
    return robustness, scored_by


def _brackets(
    run: Run, robustness: Robustness, certificates: Certificates | Skipped, labels: Tensor
) -> tuple[BracketRecord, ...]:
    """The clean row of each norm once, then one row a ball."""
    if not robustness.attacked:
        return ()
    confidence = run.settings.confidence
    first = robustness.attacked[0]
    wrong = robustness.clean.broken
    clean = close_bracket(
        ~wrong, wrong, norm=first.ball.norm, eps=0.0, eps_space=first.record.eps_space, confidence=confidence
    )
    return (clean, *(_bracket(run, attacked, certificates, labels) for attacked in robustness.attacked))


def _bracket(run: Run, attacked: Attacked, certificates: Certificates | Skipped, labels: Tensor) -> BracketRecord:
    ball, broken = attacked.ball, attacked.outcome.broken.cpu()
    if isinstance(certificates, Skipped):
        certified = torch.zeros_like(broken)
    else:
        claimed = certificates.certified(ball.norm, ball.eps)
        certified = reconcile(claimed, attacked.outcome, ball, run.graph, labels)
    return close_bracket(
        certified,
        broken,
        norm=ball.norm,
        eps=ball.eps,
        eps_space=eps_space(ball.input_range),
        confidence=run.settings.confidence,
    )
