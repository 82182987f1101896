"""Everything J says at each sample, in small tensors that are kept after J is gone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, final

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import Linearised
from lipcert.analyses.jacobian.functionals import functionals, pairs
from lipcert.analyses.jacobian.matrices import Matrices
from lipcert.analyses.jacobian.relations import Facts, Sides, sides
from lipcert.analyses.jacobian.rivals import Rivals, rivals
from lipcert.analyses.jacobian.statistics import Norms, operator_norms, statistics
from lipcert.records import Norm

T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Columns:
    """One row a sample in every tensor, float64.

    norms           statistics by name, each (N,)
    spectrum        singular values, (N, min(K, D))
    operator_norms  both ends, by (p, q)
    zero_rows       whether each row of J is zero, (N, K)
    loss            cross-entropy for the class y, (N,)
    gradient        ||J'g||_{p*}, its gradient's dual norm, by norm p, each (N,)
    functionals     by name, each (N,)
    sides           of the relations between them, by id
    """

    norms: dict[str, Tensor]
    spectrum: Tensor
    operator_norms: Norms
    rivals: Rivals
    zero_rows: Tensor
    loss: Tensor
    gradient: dict[Norm, Tensor]
    functionals: dict[str, Tensor]
    sides: dict[str, Sides]


def columns(local: Linearised, exponents: Iterable[tuple[float, float]] = (), *, seed: int = 0) -> Columns:
    """All of them for some samples, with norms for these further (p, q)."""
    matrices = Matrices(local.jacobian)
    found = operator_norms(matrices, exponents, seed=seed)
    norms = statistics(local, matrices, found)
    between = pairs(local)
    values = functionals(local, between)
    return Columns(
        norms=norms,
        spectrum=matrices.spectrum,
        operator_norms=found,
        rivals=rivals(local),
        zero_rows=matrices.rows(1) == 0,
        loss=local.loss,
        gradient={
            "l2": values["input_gradient"].sqrt(),
            "linf": values["input_gradient_l1"],
            "l1": local.loss_gradient.abs().amax(dim=1),
        },
        functionals=values,
        sides=sides(Facts(local=local, pairs=between, values=values, norms=norms)),
    )


def joined(parts: Sequence[T]) -> T:
    """Parts of the same make, put together row by row: tensors inside dicts and dataclasses are concatenated."""
    result: T = _joined(parts)
    return result


def _joined(parts: Sequence[Any]) -> Any:
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(list(parts))
    if isinstance(first, dict):
        return {key: _joined([part[key] for part in parts]) for key in first}
    if dataclasses.is_dataclass(first):
        names = [field.name for field in dataclasses.fields(first)]
        kind: Any = type(first)
        return kind(**{name: _joined([getattr(part, name) for part in parts]) for name in names})
    return first
