"""Checks of one attack against another: the stronger one must come out stronger."""

from __future__ import annotations

import math

import torch

from lipcert.analyses.evaluation.base import Evidence, Finding, Searched, graded, not_applicable, of_ball
from lipcert.attacks import AbstractAttack, Ball, Classifier, Fgm, Pgd, RandomNoise, Square
from lipcert.attacks.transfer import fit_affine

_QUERIES = 150
_FEW, _MANY = 0.04, 0.15
_NONE_LEFT = "no sample survived the attacks"
_BLIND = "gradients are not what the attacks on this file go by"
_CARLINI = "Carlini et al., arXiv 1902.06705"


@of_ball(
    "iterative",
    hint="Many steps must not be weaker than one: look for masked gradients.",
    reference="Athalye, Carlini & Wagner, arXiv 1802.00420",
)
def iterative(evidence: Evidence, entry: Searched) -> Finding:
    """Accuracy after twenty steps against that after one, and whether either moves anything."""
    if evidence.blind:
        return not_applicable(_BLIND)
    if not len(evidence.rows):
        return not_applicable("no sample is classified rightly")
    after = [evidence.attack(a, entry.ball, evidence.rows) for a in (Fgm(), Pgd(loss="margin", steps=20))]
    one, many = (outcome.accuracy for outcome in after)
    if not any(float((evidence.clean.margin[evidence.rows] - outcome.margin).amax()) > 0 for outcome in after):
        still = "neither one step nor twenty lower any margin"
        return Finding(status="fail", message=still, value=1.0, threshold=_FEW, samples=len(evidence.rows))
    text = f"twenty steps leave {many:.0%} of the samples right, one step leaves {one:.0%}"
    return graded(many - one, text, warn=_FEW, fail=_MANY, samples=len(evidence.rows))


@of_ball(
    "noise",
    hint="Random points break what the attacks did not: the attacks do not work on this model.",
    reference=_CARLINI,
)
def noise(evidence: Evidence, entry: Searched) -> Finding:
    """Samples that survived every attack and fall to ten random points."""
    return _breaks(evidence, entry, "random points", RandomNoise(draws=10), classify=evidence.target.scorer)


@of_ball(
    "black_box",
    hint="A search without gradients beats those with them: look for masked gradients, raise --effort.",
    reference="AutoAttack flags (Croce & Hein); Carlini et al., arXiv 1902.06705",
)
def black_box(evidence: Evidence, entry: Searched) -> Finding:
    """Share of survivors that Square breaks: as found by its stage of the search, else by a short run of its own."""
    stage = [record for record in entry.record.attacks if record.attack == "square" and record.searched]
    if evidence.blind:
        return not_applicable("a search without gradients is the main attack on this file")
    if stage:
        tried, broken = sum(r.searched for r in stage), sum(r.broken for r in stage)
        text = f"a search without gradients broke {broken} of the {tried} samples that gradients had left"
        return graded(broken / entry.record.samples, text, warn=_FEW, fail=_MANY, samples=tried)
    what, attack = f"{_QUERIES} queries without gradients", Square(queries=_QUERIES)
    return _breaks(evidence, entry, what, attack, classify=evidence.target.scorer)


@of_ball(
    "transfer",
    hint="Errors of an affine copy of the model break what the attacks did not: look for masked gradients.",
    reference=_CARLINI,
)
def transfer(evidence: Evidence, entry: Searched) -> Finding:
    """Survivors that fall to the worst points of an affine classifier fitted to the model's logits on the data."""
    with torch.no_grad():
        inputs = evidence.target.clean[:256]
        surrogate = fit_affine(inputs, evidence.target.scorer(inputs).to(inputs.device))
    what = "the errors of an affine copy"
    return _breaks(evidence, entry, what, Pgd(loss="margin", steps=10), classify=surrogate)


def _breaks(
    evidence: Evidence,
    entry: Searched,
    what: str,
    attack: AbstractAttack,
    *,
    classify: Classifier | None = None,
    warn: float = _FEW,
    fail: float = _MANY,
) -> Finding:
    """What one more attack breaks of at most 32 survivors, as a share of all samples."""
    rows = evidence.robust(entry)
    if not len(rows):
        return not_applicable(_NONE_LEFT)
    outcome = evidence.attack(attack, entry.ball, rows, classify=classify, seed=17)
    broken = int(outcome.broken.sum())
    text = f"{what} break {broken} of {len(rows)} samples that the attacks had left"
    return graded(broken / len(rows) * entry.outcome.accuracy, text, warn=warn, fail=fail, samples=len(rows))


@of_ball(
    "unbounded",
    hint="With a ball as wide as the data every sample must fall: the search does not work on this model.",
    reference=_CARLINI,
)
def unbounded(evidence: Evidence, entry: Searched) -> Finding:
    """Accuracy in a ball as wide as the data, searched by gradients alone."""
    if not len(evidence.rows):
        return not_applicable("no sample is classified rightly")
    if evidence.blind:
        return not_applicable(_BLIND)
    norm, dimension = entry.ball.norm, evidence.points[0].numel()
    power = {"linf": 0.0, "l2": 0.5, "l1": 1.0}[norm]
    wide = Ball(norm=norm, eps=2 * evidence.spread * dimension**power, input_range=evidence.input_range)
    outcome = evidence.attack(Pgd(loss="margin", steps=20, restarts=3), wide, evidence.rows)
    text = f"{outcome.accuracy:.0%} of the samples survive {norm} {wide.eps:.3g}, a ball that holds all data"
    return graded(outcome.accuracy, text, warn=0.05, fail=0.2, samples=len(evidence.rows))


@of_ball(
    "convergence",
    hint="More search still finds errors: raise --effort.",
    reference="Carlini et al., arXiv 1902.06705; Pintor et al., arXiv 2106.09947",
)
def convergence(evidence: Evidence, entry: Searched) -> Finding:
    """Survivors that fall to more steps from other starts; as many as the sampling error are no finding."""
    if evidence.blind:
        return not_applicable(_BLIND)
    search = Pgd(loss="targeted", steps=20, restarts=2)
    error = _deviation(entry.outcome.accuracy, len(entry.outcome.margin))
    return _breaks(evidence, entry, "more steps from other starts", search, warn=max(_FEW, error), fail=1.0)


def _deviation(share: float, samples: int) -> float:
    """Half of a 95 % interval of a share, by the normal law: the sampling error that search need not go below."""
    return 1.96 * math.sqrt(share * (1 - share) / max(samples, 1))
