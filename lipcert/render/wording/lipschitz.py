"""What the Lipschitz constants come to, in a few lines."""

from __future__ import annotations

from lipcert.records import Enclosure, LayerRecord, LipschitzRecord, ModelRecord, Skipped
from lipcert.render.notation import count, lower, nearest, percent, radius, upper
from lipcert.render.wording.verdict import tightest, upper_end

_PRODUCT = "product of layer norms"
_COSTLY = 3


def reading(model: ModelRecord) -> list[str]:
    """How much is left open, what the product would say instead, and which layers cost most."""
    best = tightest(model).get("l2")
    if best is None or isinstance(best.value, Skipped) or best.value.upper is None:
        return []
    return [*_open(best.value.lower, best.value.upper, _product(model)), *_costs(model)]


def _product(model: ModelRecord) -> LipschitzRecord | None:
    records = () if isinstance(model.lipschitz, Skipped) else model.lipschitz
    return next((r for r in records if (r.norm, r.scope, r.method) == ("l2", "global", _PRODUCT)), None)


def _open(low: float, high: float, product: LipschitzRecord | None) -> list[str]:
    steep = f"some input moves the logits by {lower(low)} a unit step in l2, and none by more than {upper(high)}"
    worse = upper_end(product) if product is not None else high
    if not high < worse < float("inf"):
        return [steep]
    return [f"{steep}; the product of layer norms says {upper(worse)}, {lower(worse / high)} times as much"]


def _costs(model: ModelRecord) -> list[str]:
    """The layers with the largest shares of the product's logarithm."""
    layers = () if isinstance(model.layers, Skipped) else model.layers
    shares = sorted(((layer.share, layer) for layer in layers if layer.share), key=lambda pair: -pair[0])
    words = [_cost(share, layer) for share, layer in shares[:_COSTLY]]
    return [f"most of the product: {', '.join(word for word in words if word)}"] if any(words) else []


def _cost(share: float, layer: LayerRecord) -> str:
    norm = layer.spectral_norm
    if not isinstance(norm, Enclosure) or norm.upper is None:
        return ""
    return f"{layer.name} {percent(share)} (capped at norm 1 it would take off a factor of up to {upper(norm.upper)})"


def estimates(model: ModelRecord) -> list[str]:
    """What CLEVER guesses, and that it is a guess."""
    return [
        f"CLEVER, {record.norm} {radius(record.eps)}, {count(record.samples)} samples (ESTIMATE, no certificate): "
        f"median constant about {nearest(record.constant.median)}, median radius about "
        f"{nearest(record.radius.median)}; {percent(record.fitted)} of its fits pass a test"
        for record in model.clever
    ]
