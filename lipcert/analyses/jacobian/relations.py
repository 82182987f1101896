"""Identities and inequalities between the functionals, evaluated at each sample.

All follow from H = J'(diag p - pp')J, Pg = g and Hoelder's inequality; they are our own derivation of the connections
that Guo, Chen, Li, Zhang, arXiv 2007.02209, are about.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import Linearised
from lipcert.analyses.jacobian.functionals import Pairs
from lipcert.records import RelationRecord

TOLERANCE = 1e-9
_SAFE = torch.finfo(torch.float64).tiny


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Facts:
    """What relations are about at some samples: the functionals, the norms, and where they come from."""

    local: Linearised
    pairs: Pairs
    values: dict[str, Tensor]
    norms: dict[str, Tensor]

    @property
    def slope(self) -> Tensor:
        """||g||_2, as 1 - p_y times a number between 1 and 2: squares of small probabilities would underflow."""
        doubt = self.local.doubt
        relative = self.local.loss_slope / torch.where(doubt > 0, doubt, 1.0)[:, None]
        return relative.square().sum(dim=1).sqrt() * doubt


Side = Callable[[Facts], Tensor]


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Relation:
    """`left` = `right` or `left` <= `right`; `scale` is the size of the terms that rounding acts on."""

    id: str
    statement: str
    kind: Literal["identity", "inequality"]
    left: Side
    right: Side
    scale: Side
    classes: int | None = None


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sides:
    """Left, right and scale of a relation at each sample, each (N,)."""

    left: Tensor
    right: Tensor
    scale: Tensor


def _identity(id_: str, statement: str, left: Side, right: Side, scale: Side, classes: int | None = None) -> Relation:  # noqa: PLR0917  a row of a table
    return Relation(id=id_, statement=statement, kind="identity", left=left, right=right, scale=scale, classes=classes)


def _inequality(id_: str, statement: str, left: Side, right: Side) -> Relation:
    return Relation(id=id_, statement=statement, kind="inequality", left=left, right=right, scale=right)


def _trace_of_definition(facts: Facts) -> Tensor:
    p, gram = facts.local.probabilities, facts.local.gram
    diagonal = (p * gram.diagonal(dim1=1, dim2=2)).sum(dim=1)
    return diagonal - (p[:, None, :] @ gram @ p[:, :, None])[:, 0, 0]


def _expected_gradient(facts: Facts) -> Tensor:
    return (facts.local.probabilities * facts.pairs.pulls.diagonal(dim1=1, dim2=2)).sum(dim=1)


def _own_pull(facts: Facts) -> Tensor:
    index = facts.local.classes[:, None]
    return facts.pairs.pulls.diagonal(dim1=1, dim2=2).gather(1, index)[:, 0]


def _longest_row(facts: Facts) -> Tensor:
    return facts.norms["linf_norm"]


def _spread(facts: Facts) -> Tensor:
    """1 - sum_k p_k^2 = sum_k p_k (1 - p_k), for the pair of classes most apart."""
    p = facts.local.probabilities
    off = p.sum(dim=1, keepdim=True) - p
    largest = p.argmax(dim=1, keepdim=True)
    off = off.scatter(1, largest, p.scatter(1, largest, 0.0).sum(dim=1, keepdim=True))
    return (p * off).sum(dim=1)


def _value(name: str) -> Side:
    return lambda facts: facts.values[name]


def _square(name: str, factor: float = 1.0) -> Side:
    return lambda facts: factor * facts.norms[name] ** 2


RELATIONS: tuple[Relation, ...] = (
    _identity(
        "cross-lipschitz",
        "cross-Lipschitz = (2/K) |PJ|_F^2",
        _value("cross_lipschitz"),
        lambda f: 2 / f.local.logits.shape[1] * f.values["centred_squared_frobenius"],
        lambda f: f.values["centred_squared_frobenius"],
    ),
    _identity(
        "input-gradient",
        "|grad loss|^2 = |(PJ)'g|^2",
        _value("input_gradient"),
        _own_pull,
        lambda f: f.slope**2 * f.values["squared_frobenius"],
    ),
    _identity(
        "hessian-definition",
        "tr J'(diag p - pp')J = (1/2) sum p_l p_m |J_l - J_m|^2",
        _trace_of_definition,
        _value("hessian_trace"),
        lambda f: f.values["centred_squared_frobenius"],
    ),
    _identity(
        "hessian-expectation",
        "tr H = mean of |grad loss|^2 over labels drawn from p",
        _value("hessian_trace"),
        _expected_gradient,
        lambda f: (
            (f.local.probabilities * (1 - f.local.probabilities)).sum(dim=1) * f.values["centred_squared_frobenius"]
        ),
    ),
    _identity(
        "binary-cross-lipschitz",
        "two classes: cross-Lipschitz = (1/2) |J_1 - J_2|^2",
        _value("cross_lipschitz"),
        lambda f: 0.5 * (f.local.jacobian[:, 0] - f.local.jacobian[:, 1]).square().sum(dim=1),
        _value("cross_lipschitz"),
        2,
    ),
    _identity(
        "binary-input-gradient",
        "two classes: |grad loss|^2 = 2 (1 - p_y)^2 cross-Lipschitz",
        _value("input_gradient"),
        lambda f: 2 * f.local.doubt**2 * f.values["cross_lipschitz"],
        lambda f: f.slope**2 * f.values["squared_frobenius"],
        2,
    ),
    _identity(
        "binary-hessian",
        "two classes: |H| = tr H = 2 p (1 - p) cross-Lipschitz",
        _value("hessian_norm"),
        lambda f: 2 * f.local.probabilities.prod(dim=1) * f.values["cross_lipschitz"],
        lambda f: f.local.probabilities.prod(dim=1) * f.values["cross_lipschitz"],
        2,
    ),
    _inequality(
        "slope-below",
        "1 - p_y <= |g|_2",
        lambda f: f.local.doubt,
        lambda f: f.slope,
    ),
    _inequality(
        "slope-above",
        "|g|_2 <= sqrt(2) (1 - p_y)",
        lambda f: f.slope,
        lambda f: math.sqrt(2) * f.local.doubt,
    ),
    _inequality(
        "input-gradient-spectral",
        "|grad loss|^2 <= |g|^2 |PJ|_2^2",
        _own_pull,
        lambda f: f.slope**2 * f.norms["centred_spectral_norm"] ** 2,
    ),
    _inequality(
        "input-gradient-cross-lipschitz",
        "|g|^2 |PJ|_2^2 <= K (1 - p_y)^2 cross-Lipschitz",
        lambda f: f.slope**2 * f.norms["centred_spectral_norm"] ** 2,
        lambda f: f.local.logits.shape[1] * f.local.doubt**2 * f.values["cross_lipschitz"],
    ),
    _inequality(
        "input-gradient-l1-entries",
        "|grad loss|_1 <= (1 - p_y) |J|_1,1",
        _value("input_gradient_l1"),
        lambda f: f.local.doubt * f.norms["l1_entries"],
    ),
    _inequality(
        "input-gradient-l1-row",
        "|grad loss|_1 <= 2 (1 - p_y) max_k |J_k|_1",
        _value("input_gradient_l1"),
        lambda f: 2 * f.local.doubt * _longest_row(f),
    ),
    _inequality(
        "hessian-spectral",
        "|H| <= (1/2) |PJ|_2^2",
        _value("hessian_norm"),
        _square("centred_spectral_norm", 0.5),
    ),
    _inequality(
        "hessian-frobenius",
        "(1/2) |PJ|_2^2 <= (1/2) |J|_F^2",
        _square("centred_spectral_norm", 0.5),
        _square("frobenius_norm", 0.5),
    ),
    _inequality(
        "hessian-trace",
        "tr H <= (1/2) (1 - sum p_k^2) max |J_l - J_m|^2",
        _value("hessian_trace"),
        lambda f: 0.5 * _spread(f) * f.pairs.apart.amax(dim=(1, 2)),
    ),
    _inequality(
        "cross-lipschitz-frobenius",
        "cross-Lipschitz <= (2/K) |J|_F^2",
        _value("cross_lipschitz"),
        lambda f: 2 / f.local.logits.shape[1] * f.values["squared_frobenius"],
    ),
)


def sides(facts: Facts) -> dict[str, Sides]:
    """Both sides of every relation that holds for this number of classes, by id."""
    classes = facts.local.logits.shape[1]
    return {
        relation.id: Sides(left=relation.left(facts), right=relation.right(facts), scale=relation.scale(facts))
        for relation in RELATIONS
        if relation.classes in {None, classes}
    }


def relation_records(found: dict[str, Sides]) -> tuple[RelationRecord, ...]:
    """How well each relation holds over the samples."""
    return tuple(_record(relation, found[relation.id]) for relation in RELATIONS if relation.id in found)


def _record(relation: Relation, found: Sides) -> RelationRecord:
    scale = torch.maximum(found.scale.abs(), torch.maximum(found.left.abs(), found.right.abs()))
    # Products of probabilities underflow for a very confident network; below that, everything counts as equal.
    excess = (found.left - found.right) / scale.clamp_min(_SAFE / TOLERANCE)
    worst = float((excess.abs() if relation.kind == "identity" else excess).amax())
    above = found.right > 0
    ratio = (found.left[above] / found.right[above]).nan_to_num(1.0, posinf=1.0)
    return RelationRecord(
        id=relation.id,
        statement=relation.statement,
        kind=relation.kind,
        worst=worst,
        holds=worst <= TOLERANCE,
        tightness=float(ratio.median()) if len(ratio) else 1.0,
    )
