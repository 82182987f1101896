"""Certificates in l2 from local Lipschitz constants: margins at the sample against what a ball can take from them.

For x' in the region of x, z_y - z_j changes by at most g_j ||x' - x||, with g_j its constant in that region. So
min_j (m_j - g_j eps) bounds the margin from below, and within r < min_j m_j / g_j, r <= eps, the class is y. m_j is the
margin of the real-arithmetic network at x less what computing it may have lost, and less how far the deployed network
can be from it anywhere in the region, twice: once for each logit.

Source: Hein, Andriushchenko, NeurIPS 2017 (arXiv 1705.08475), theorem 2.1, with the constant of `lipcert.bounds.local`.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from lipcert.analyses.certificates.deployed import deployed_error
from lipcert.bounds.bounder import Bounder, Intervals, margin_rows
from lipcert.bounds.local import edges_of, gradients
from lipcert.bounds.local.edges import Linear
from lipcert.bounds.region import Region
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Node
from lipcert.rules.forward_error import bounded_logits
from lipcert.rules.interval import Interval, down, up

_BYTES = 160  # about twenty numbers for each entry of a functional's gradient on its way


def local_margins(bounder: Bounder, region: Region, labels: Tensor, intervals: Intervals) -> tuple[Tensor, Tensor]:
    """At least the margin over each l2 region, and a radius up to its own within which it is positive; both (n,).

    intervals  of every node in the regions
    -infinity and 0 where the network holds an op that local constants do not go through.
    """
    if region.norm != "l2" or bounder.plan.settled:
        return _nothing(region)
    widest = max(node.shape.numel() for node in bounder.nodes)
    count = max(1, bounder.max_memory // (_BYTES * bounder.plan.graph.classes * widest))
    found = []
    for some in torch.arange(len(labels), device=labels.device).split(count):
        cut = {node: Interval(box.lower[some], box.upper[some]) for node, box in intervals.items()}
        try:
            found.append(_some(bounder, region[some], labels[some], cut))
        except UnsupportedOperatorError:
            return _nothing(region)
    left, radius = zip(*found, strict=True)
    return torch.cat(left), torch.cat(radius)


def _some(bounder: Bounder, region: Region, labels: Tensor, intervals: Intervals) -> tuple[Tensor, Tensor]:
    """The same for as many samples as fit into memory."""
    edges = edges_of(bounder, intervals, _linear(bounder))
    margins, classes = _margins(bounder, region, labels), bounder.plan.graph.classes
    sample = torch.arange(len(labels), device=labels.device).repeat_interleave(classes)
    found = gradients(edges, margin_rows(labels, classes).flatten(0, 1), sample, boxes=False)
    constants = found.constant("l2").reshape(len(labels), classes)
    left = down(margins - up(constants * region.eps[:, None])).nan_to_num(nan=-torch.inf)
    ratio = down(margins / constants.clamp_min(1e-300)).nan_to_num(nan=0.0).clamp_min(0.0)
    own = labels[:, None]
    nearest = down(ratio.scatter(1, own, torch.inf).amin(1)).clamp_min(0.0)
    return left.scatter(1, own, torch.inf).amin(1), torch.minimum(nearest, region.eps)


def _margins(bounder: Bounder, region: Region, labels: Tensor) -> Tensor:
    """At least m_j at the centres, for the deployed network anywhere in the region once g_j eps is taken off."""
    logits = bounded_logits(bounder.plan.graph, region.centre, batch_size=len(labels))
    error = up(logits.error)
    if bounder.deployment.store:
        error = up(error + deployed_error(bounder, region))
    own = labels[:, None]
    return down(down(logits.value.gather(1, own) - logits.value) - up(error.gather(1, own) + error))


@lru_cache(maxsize=4)
def _linear(_: Bounder) -> dict[Node, tuple[Linear, ...]]:
    """Linear edges with their norms, kept with the bounder whose nodes they speak of."""
    return {}


def _nothing(region: Region) -> tuple[Tensor, Tensor]:
    return torch.full_like(region.eps, -torch.inf), torch.zeros_like(region.eps)
