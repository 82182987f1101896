"""Robust accuracy from both sides, for these samples and for the population they were drawn from."""

from __future__ import annotations

from scipy import special
from torch import Tensor

from lipcert.analyses.base import accuracy
from lipcert.attacks import Ball, Outcome
from lipcert.errors import EnclosureError
from lipcert.graph import Graph
from lipcert.graph.scores import margins
from lipcert.records import BracketRecord, Norm, PopulationRisk
from lipcert.rules.forward_error import bounded_logits


def close_bracket(
    certified: Tensor, broken: Tensor, *, norm: Norm, eps: float, eps_space: str, confidence: float = 0.95
) -> BracketRecord:
    """The bracket of one ball from two masks of shape (N,). At eps 0 give the clean errors and their complement."""
    samples, proved, wrong = len(broken), int(certified.sum()), int(broken.sum())
    return BracketRecord(
        norm=norm,
        eps=eps,
        eps_space=eps_space,
        samples=samples,
        certified_accuracy=accuracy(certified),
        robust_accuracy=accuracy(~broken),
        undecided=accuracy(~certified & ~broken),
        population_risk=population_risk(wrong, samples - proved, samples, confidence=confidence),
    )


def population_risk(broken: int, uncertified: int, samples: int, *, confidence: float = 0.95) -> PopulationRisk:
    """Clopper-Pearson bracket of the true robust risk: each end fails with probability at most (1 - confidence) / 2.

    Samples broken by an attack are errors for sure and uncertified ones are all that could be, so the true number of
    robust errors lies between the two counts, and the ends are monotone in the count.

    Source: Clopper & Pearson, Biometrika 26 (1934); Langford, JMLR 6 (2005), for its use as a test-set bound.
    """
    side = (1 - confidence) / 2
    return PopulationRisk(
        lower=risk_lower(broken, samples, side),
        upper=risk_upper(uncertified, samples, side),
        confidence=confidence,
        method="Clopper-Pearson on broken and uncertified samples",
    )


def risk_upper(errors: int, samples: int, delta: float) -> float:
    """The risk at which `errors` or fewer of `samples` have probability delta: above the true one but for that."""
    return 1.0 if errors == samples else float(special.betaincinv(errors + 1, samples - errors, 1 - delta))


def risk_lower(errors: int, samples: int, delta: float) -> float:
    """The risk at which `errors` or more of `samples` have probability delta: below the true one but for that."""
    return 0.0 if errors == 0 else float(special.betaincinv(errors, samples - errors + 1, delta))


def reconcile(certified: Tensor, outcome: Outcome, ball: Ball, graph: Graph, labels: Tensor) -> Tensor:
    """`certified` less the samples whose deployed arithmetic errs where the real-arithmetic network is proved right.

    A certificate speaks of the real-arithmetic network, an attack of the file as it runs, in float32. Where both
    claim a sample, the network is evaluated at the attack's point with a bound on rounding. When it errs there in
    real arithmetic, one of the two claims is false: EnclosureError. Otherwise float32 rounding alone flips the label,
    the file as it runs is not robust there, and the sample is no longer counted as certified.
    """
    clash = (certified.cpu() & outcome.broken.cpu()).nonzero()[:, 0]
    if len(clash) == 0:
        return certified
    at = clash.to(outcome.inputs.device)
    logits = bounded_logits(graph, outcome.inputs[at])
    room = 2.01 * logits.error.amax(dim=1)  # of two logits, and of their difference
    errs = margins(logits.value, labels[at].to(logits.value.device)) + room <= 0
    if errs.any():
        index = int(clash[int(errs.nonzero()[0])])
        raise EnclosureError(
            f"sample {index} is certified at {ball.norm} {ball.eps} and was broken by {outcome.found[index]}",
            hint="This is a bug in lipcert. Please report it with the model, this sample and this line.",
        )
    kept = certified.clone()
    kept[clash] = False
    return kept
