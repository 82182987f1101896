"""Lipschitz constants of fully connected test nets, from dense norms, with room for rounding."""

from __future__ import annotations

import math

import torch

from lipcert.analyses.base import UpperConstants
from lipcert.graph import Graph
from lipcert.records import Norm, Soundness

_ORDER = {"l2": 2, "linf": math.inf, "l1": 1}


def constants_of(graph: Graph, norm: Norm, *, soundness: Soundness = Soundness.PROVED) -> UpperConstants:
    weights = [t.double() for name, t in graph.tensors.items() if "weight" in name]
    norms = [float(torch.linalg.matrix_norm(w.T, _ORDER[norm])) * (1 + 1e-9) for w in weights]
    return UpperConstants(
        norm=norm,
        whole=math.prod(norms),
        before_last=math.prod(norms[:-1]),
        method="product of layer norms",
        soundness=soundness,
    )
