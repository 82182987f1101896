"""A trained classifier of digits, and the ways in which attacks on one can come to mean nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lipcert.analyses.evaluation import Evidence, Searched
from lipcert.analyses.robustness import analyze_robustness
from lipcert.attacks import Classifier, Target

ROOT = Path(__file__).resolve().parents[3] / "sample_models"
RANGE = (0.0, 1.0)
COUNT = 60


def digits(name: str = "digits_conv") -> tuple[nn.Module, Tensor, Tensor]:
    """A sample model, and samples of its data in [0, 1]."""
    data = np.load(ROOT / "digits_test.npz")
    images = torch.from_numpy(data["images"][:COUNT]).float().reshape(COUNT, 1, 8, 8) / 16
    labels = torch.from_numpy(data["labels"][:COUNT]).to(torch.int64)
    return torch.jit.load(ROOT / f"{name}.pt"), images, labels


class _Net:
    """The model in the dtype of its input."""

    def __init__(self, name: str) -> None:
        self.single, self.clean, self.labels = digits(name)
        self.double = torch.jit.load(ROOT / f"{name}.pt").double()

    def __call__(self, x: Tensor) -> Tensor:
        return (self.double if x.dtype == torch.float64 else self.single)(x)


def evidence(
    classify: Classifier,
    clean: Tensor,
    labels: Tensor,
    *,
    limits: tuple[float, float] | None = RANGE,
    eps: dict[str, tuple[float, ...]] | None = None,
) -> Evidence:
    """What the checks look at, after the attacks of least effort."""
    target = Target(classify=classify, scorer=classify, clean=clean, labels=labels)
    result = analyze_robustness(target, eps or {"linf": (0.05, 0.1)}, input_range=limits, effort="fast")
    searched = tuple(Searched(ball=a.ball, record=a.record, outcome=a.outcome) for a in result.attacked)
    return Evidence(target=target, clean=result.clean, searched=searched, double=classify, input_range=limits)


def healthy(name: str) -> Evidence:
    net = _Net(name)
    return evidence(net, net.clean, net.labels, eps={"linf": (0.05, 0.1), "l2": (0.3, 0.6)})


def _vanishing(net: _Net) -> Classifier:
    """A smooth staircase, so steep that its derivative underflows on every step."""
    edges = (torch.arange(16) + 0.5) / 16
    return lambda x: net(torch.sigmoid(4e4 * (x[..., None] - edges.to(x))).sum(dim=-1) / 16)


def _killed(net: _Net) -> Classifier:
    return lambda x: net(x.detach())


def _clipped(net: _Net) -> Classifier:
    return lambda x: net(x).clamp(-1.0, 1.0)


def _softmax(net: _Net) -> Classifier:
    return lambda x: net(x).softmax(dim=1)


def _saturated(net: _Net) -> Classifier:
    return lambda x: 1e3 * net(x)


def _quantised(net: _Net) -> Classifier:
    return lambda x: net((x * 16).round() / 16)


def _straight_through(net: _Net) -> Classifier:
    return lambda x: net(x + ((x * 4).round() / 4 - x).detach())


def _stochastic(net: _Net) -> Classifier:
    generator = torch.Generator().manual_seed(0)
    return lambda x: net(x + 0.05 * torch.randn(x.shape, generator=generator).to(x.dtype))


def _detached(net: _Net) -> Classifier:
    """Two branches that add up to the net; the gradient sees one, and a small part of it."""
    return lambda x: 0.1 * net(x) + 0.9 * net(x.detach())


def _half_detached(net: _Net) -> Classifier:
    """The lower half of the picture has no gradient."""
    keep = torch.zeros(1, 1, 8, 8)
    keep[..., :4, :] = 1
    return lambda x: net(x * keep.to(x) + (x * (1 - keep.to(x))).detach())


PLANTED = {
    "vanishing gradient": _vanishing,
    "no gradient": _killed,
    "clipped logits": _clipped,
    "softmax output": _softmax,
    "saturated logits": _saturated,
    "quantised input": _quantised,
    "straight-through": _straight_through,
    "stochastic layer": _stochastic,
    "detached branch": _detached,
    "half detached": _half_detached,
}


def masked(kind: str, name: str = "digits_conv") -> Evidence:
    net = _Net(name)
    return evidence(PLANTED[kind](net), net.clean, net.labels)


def wrong_range(kind: str, name: str = "digits_conv") -> Evidence:
    """Data and range in different units."""
    net = _Net(name)
    if kind == "data too wide":
        return evidence(lambda x: net(x / 255), net.clean * 255, net.labels)
    if kind == "range too wide":
        return evidence(net, net.clean, net.labels, limits=(0.0, 255.0))
    return evidence(lambda x: net(x / 255), net.clean * 255, net.labels, limits=None)


def without(found: Evidence, broken: Tensor) -> Evidence:
    """The same, as if the attacks had missed the errors of some samples."""
    entries = []
    for entry in found.searched:
        margin = torch.where(broken & ~found.clean.broken, found.clean.margin, entry.outcome.margin)
        entries.append(replace(entry, outcome=replace(entry.outcome, margin=margin)))
    return replace(found, searched=tuple(entries))
