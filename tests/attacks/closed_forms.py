"""Linear classifiers, whose worst points in a ball are known."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.attacks import Target
from lipcert.graph import Graph
from tests import graphs


def linear(classes: int, features: int, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> Graph:
    layer = graphs.random(classes, features, seed=seed), graphs.random(classes, seed=seed + 1)
    return graphs.mlp_of([layer]).to(dtype=dtype)


def weights(graph: Graph) -> Tensor:
    return graph.module.weight0.T


def target_of(graph: Graph, clean: Tensor, labels: Tensor) -> Target:
    return Target(classify=graph, scorer=graph, clean=clean.to(graph.dtype), labels=labels)


def least_margin(graph: Graph, clean: Tensor, labels: Tensor, norm: str, eps: float) -> Tensor:
    """min over rivals j of z_y - z_j - eps ||w_y - w_j|| in the dual norm."""
    logits = graph(clean.to(graph.dtype))
    rows = weights(graph)
    gaps = rows[labels][:, None] - rows[None]
    dual = torch.linalg.vector_norm(gaps, {"l1": torch.inf, "l2": 2, "linf": 1}[norm], dim=2)
    reduced = logits.gather(1, labels[:, None]) - logits - eps * dual
    return reduced.scatter(1, labels[:, None], torch.inf).amin(dim=1)
