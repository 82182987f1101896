"""The loader's postconditions: what must hold of a captured graph before anything is computed with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from lipcert.errors import RefusedModelError, UnfaithfulModelError
from lipcert.graph import Graph, Head
from lipcert.load.source import Oracle, Source
from lipcert.records import FidelityRecord, Skipped

NOTE, ERROR = 1e-5, 1e-4
"""Difference to the original runtime, relative to the range of the logits, that is noted, and that is refused."""

PROBES = 5
_SEED = 20260102
_VISIBLE = 1e-30  # a probability below this has lost its digits in float32
_CLEAR = 1e-2


def check(graph: Graph, source: Source, inputs: Tensor | None = None) -> FidelityRecord:
    """Compare a graph with its original runtime and probe what the analyses rely on.

    graph   without preprocessing: `inputs`, shape (n, *input_shape), and the probes are what the model itself reads

    Raises:
        UnfaithfulModelError: the graph and the runtime differ by more than 1e-4 of the logit range.
        RefusedModelError: outputs depend on the rest of the batch, on chance, or are not finite.
    """
    generator = torch.Generator().manual_seed(_SEED)
    probes = torch.randn((PROBES, *graph.input_shape), generator=generator)
    batches = [probes, probes[:1]] if inputs is None else [probes, probes[:1], inputs]
    outputs = [_logits(graph, batch) for batch in batches]
    span = _span(torch.cat([z.flatten() for z in outputs]))
    gaps = _compare(graph.head, source.oracle, batches, outputs)
    _require_finite(outputs)
    independence = _independence(graph, probes, outputs[0], span)
    return FidelityRecord(
        reference=source.oracle.name if source.oracle else "none",
        status=_status(gaps, source),
        max_abs_diff=gaps.absolute if gaps else Skipped(reason="no runtime opens this file"),
        max_rel_diff=gaps.relative if gaps else Skipped(reason="no runtime opens this file"),
        agreement=gaps.agreement if gaps else Skipped(reason="no runtime opens this file"),
        samples=sum(len(batch) for batch in batches),
        row_independence=independence,
        float64_diff=_float64_gap(graph, batches[0], outputs[0], span),
        deterministic=torch.equal(_logits(graph, batches[0]), outputs[0]),
        gradient="present" if _has_gradient(graph, batches[-1]) else "zero",
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """Largest differences between graph and runtime, and the share of equal predictions."""

    absolute: float
    relative: float
    agreement: float


def _logits(graph: Graph, batch: Tensor) -> Tensor:
    with torch.no_grad():
        return graph(batch)


def _span(values: Tensor) -> float:
    """Range of some numbers; 1 where it is zero, so that a constant output can be divided by it."""
    return float(values.max() - values.min()) or 1.0


def _require_finite(outputs: Sequence[Tensor]) -> None:
    if not all(z.isfinite().all() for z in outputs):
        raise RefusedModelError(
            "the model gives NaN or infinity on plain inputs",
            hint="Check the weights, and with --scale, --mean and --std that the inputs are what it was trained on.",
        )


def _compare(head: Head, oracle: Oracle | None, batches: Sequence[Tensor], outputs: Sequence[Tensor]) -> Gaps | None:
    if oracle is None:
        return None
    stated = [oracle(batch).float() for batch in batches]
    pairs = [_comparable(head, z, output) for z, output in zip(outputs, stated, strict=True)]
    ours, theirs = torch.cat([a for a, _ in pairs]), torch.cat([b for _, b in pairs])
    visible = theirs.isfinite()
    gap = float((ours - theirs)[visible].abs().max()) if visible.any() else 0.0
    same = (
        (ours.argmax(1) == theirs.argmax(1)).double().mean()
        if ours.shape[1] > 1
        else (ours > 0).eq(theirs > 0).double().mean()
    )
    relative = gap / _span(theirs[visible]) if visible.any() else 0.0
    if head == "sigmoid":  # where the logit lost its digits, the probability has them
        probabilities = torch.cat([output.reshape(-1, 1) for output in stated])
        relative = max(gap / _span(ours), float((ours.sigmoid() - probabilities).abs().max()))
    return Gaps(absolute=gap, relative=relative, agreement=float(same))


def _comparable(head: Head, logits: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
    """Both sides on the scale of logits: a softmax is compared in its logarithm, where saturation hides nothing."""
    output = output.reshape(len(logits), -1)
    if head in ("softmax", "log_softmax"):
        logs = output.clamp(min=0).log() if head == "softmax" else output
        floor = torch.tensor(_VISIBLE).log()
        return logits.log_softmax(1), torch.where(logs > floor, logs, -torch.inf)
    if head == "sigmoid":
        return logits[:, 1:], _safe_logit(output)
    return (logits[:, 1:] if head == "single_logit" else logits), output


def _safe_logit(probability: Tensor) -> Tensor:
    """The logit where probability and complement keep their digits, else infinite with its sign.

    Runtimes approximate the sigmoid to an absolute error near 1e-7, so that a small probability tells no logit.
    """
    outside = (probability - 0.5).sign() * torch.inf
    inside = (probability > _CLEAR) & (probability < 1 - _CLEAR)
    return torch.where(inside, probability.double().logit().float(), outside)


def _status(gaps: Gaps | None, source: Source) -> Literal["faithful", "note", "quantised", "unverified"]:
    if gaps is None:
        return "unverified"
    if source.quantised:
        return "quantised"
    if gaps.relative > ERROR:
        raise UnfaithfulModelError(
            f"the captured graph differs from {source.oracle.name if source.oracle else 'its runtime'} by "
            f"{gaps.relative:.1e} of the output range (at most {ERROR:.0e} is accepted)",
            hint="This is a fault of lipcert's reading of the file, not of the model; please report it with the file.",
        )
    return "faithful" if gaps.relative <= NOTE else "note"


def _independence(graph: Graph, batch: Tensor, together: Tensor, span: float) -> float:
    """Largest difference between a sample's logits alone and in a batch, relative to the logit range."""
    alone = torch.cat([_logits(graph, batch[i : i + 1]) for i in range(len(batch))])
    gap = float((alone - together).abs().max()) / span
    if gap > ERROR:
        raise RefusedModelError(
            f"a sample's output changes by {gap:.1e} of the output range with the rest of its batch",
            hint="Normalisation over the batch is on: call model.eval() before export.",
        )
    return gap


def _float64_gap(graph: Graph, batch: Tensor, output: Tensor, span: float) -> float:
    return float((_logits(graph.to(dtype=torch.float64), batch.double()) - output).abs().max()) / span


def _has_gradient(graph: Graph, batch: Tensor) -> bool:
    x = batch[:PROBES].clone().requires_grad_()
    with torch.enable_grad():
        z = graph(x)
        if not z.requires_grad:
            return False
        weights = torch.randn(z.shape, generator=torch.Generator().manual_seed(_SEED))
        (gradient,) = torch.autograd.grad((z * weights).sum(), x, materialize_grads=True)
    return bool((gradient != 0).any())
