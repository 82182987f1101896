"""A network small enough to be solved by hand, sent through the whole pipeline.

x in R^2 -> W1 x + b1 -> ReLU -> W2 a + b2, at x = (1, 1) with label 0. All three units are active there, so that the
Jacobian is W2 W1 = [[2, 1], [1, 1]], the logits are (3, 2), and the nearest wall of the linear cell is 0.5 away in l2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

from lipcert.records import AnalyzeSettings, Distribution, Enclosure, JacobianRecord, MarginRecord, ModelRecord, Skipped

_W1, _B1 = ((1.0, 2.0), (-1.0, 1.0), (2.0, 0.0)), (0.0, 1.0, -1.0)
_W2, _B2 = ((1.0, -1.0, 0.0), (0.0, 1.0, 1.0)), (1.0, 0.0)
_EPS = 0.5
_ROBUST_LOSS = math.log1p(math.exp(-0.5))
_NEAREST_ERROR = 2 / 3
_SLACK = 1e-5


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One known answer: what was expected, what came."""

    name: str
    expected: str
    got: str
    passed: bool


def run_self_test() -> list[Check]:
    """Analyse the toy network and compare every result that has a closed form."""
    import torch

    import lipcert

    settings = AnalyzeSettings(eps={"l2": (_EPS,)}, effort="fast", dtype="float64")
    report: Any = lipcert.analyze(_network(), torch.ones(1, 2), torch.zeros(1, dtype=torch.long), settings=settings)
    return judge(report.models[0])


def _network() -> Any:
    import torch

    first, last = torch.nn.Linear(2, 3), torch.nn.Linear(3, 2)
    with torch.no_grad():
        for layer, weight, bias in ((first, _W1, _B1), (last, _W2, _B2)):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    return torch.nn.Sequential(first, torch.nn.ReLU(), last).eval()


def judge(model: ModelRecord) -> list[Check]:
    """Each result against its closed form."""
    return [*_layers(model), *_lipschitz(model), *_jacobian(model), *_margins(model), *_robustness(model)]


def _near(name: str, value: float, expected: float) -> Check:
    passed = math.isclose(value, expected, rel_tol=_SLACK, abs_tol=_SLACK)
    return Check(name=name, expected=f"{expected:.6f}", got=f"{value:.6f}", passed=passed)


def _inside(name: str, value: float, low: float, high: float) -> Check:
    expected = f"{low:.6f} - {high:.6f}"
    return Check(name=name, expected=expected, got=f"{value:.6f}", passed=low - _SLACK <= value <= high + _SLACK)


def _missing(name: str, value: object) -> Check:
    got = value.reason if isinstance(value, Skipped) else "nothing"
    return Check(name=name, expected="a result", got=got, passed=False)


def _holds(name: str, enclosure: Enclosure | Skipped, truth: float) -> Check:
    if isinstance(enclosure, Skipped):
        return _missing(name, enclosure)
    upper = math.inf if enclosure.upper is None else enclosure.upper
    passed = enclosure.lower - _SLACK <= truth <= upper <= truth * (1 + 1e-3)
    return Check(name=name, expected=f"{truth:.6f}", got=f"{enclosure.lower:.6f} - {upper:.6f}", passed=passed)


def _layers(model: ModelRecord) -> list[Check]:
    if isinstance(model.layers, Skipped) or len(model.layers) != 2:
        return [_missing("layers", model.layers)]
    truths = (math.sqrt((11 + math.sqrt(5)) / 2), math.sqrt(3))
    return [
        _holds(f"layers.spectral_norm {layer.name}", layer.spectral_norm, truth)
        for layer, truth in zip(model.layers, truths, strict=True)
    ]


def _lipschitz(model: ModelRecord) -> list[Check]:
    if isinstance(model.lipschitz, Skipped):
        return [_missing("lipschitz", model.lipschitz)]
    uppers = [
        record.value.upper
        for record in model.lipschitz
        if record.norm == "l2" and isinstance(record.value, Enclosure) and record.value.upper is not None
    ]
    if not uppers:
        return [_missing("lipschitz.l2", None)]
    product = math.sqrt((11 + math.sqrt(5)) / 2 * 3)
    return [_inside("lipschitz.l2 upper", min(uppers), (3 + math.sqrt(5)) / 2, product)]


def _jacobian(model: ModelRecord) -> list[Check]:
    truths = {
        "spectral_norm": (3 + math.sqrt(5)) / 2,
        "frobenius_norm": math.sqrt(7),
        "l1_entries": 5.0,
        "linf_norm": 3.0,
    }
    if not isinstance(model.jacobian, JacobianRecord):
        return [_missing("jacobian", model.jacobian)]
    found: dict[str, Distribution] = model.jacobian.statistics
    return [
        _near(f"jacobian.{name}", found[name].mean, truth) if name in found else _missing(f"jacobian.{name}", None)
        for name, truth in truths.items()
    ]


def _margins(model: ModelRecord) -> list[Check]:
    if not isinstance(model.margins, MarginRecord):
        return [_missing("margins", model.margins)]
    return [
        _near("margins.distribution", model.margins.distribution.mean, 1.0),
        _near("clean.loss", model.margins.clean_loss, math.log1p(math.exp(-1))),
    ]


def _robustness(model: ModelRecord) -> list[Check]:
    if isinstance(model.robustness, Skipped) or not model.robustness:
        return [_missing("robustness", model.robustness)]
    attacked = model.robustness[0]
    checks = [
        _inside("robust.loss", attacked.robust_loss, _ROBUST_LOSS - 1e-3, _ROBUST_LOSS),
        _near("robust.accuracy", attacked.robust_accuracy, 1.0),
    ]
    radii = [record for record in model.radii if record.norm == "l2"]
    if not radii:
        return [*checks, _missing("certified.radius l2", model.certificates)]
    best = max(record.certified_radius.max for record in radii)
    return [*checks, _inside("certified.radius l2", best, 0.0, _NEAREST_ERROR)]
