"""A model file capped from end to end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import logits_of
from lipcert.analyses.lipschitz import unsupported, upper_constants
from lipcert.errors import RefusedModelError
from lipcert.export.capping import MARGINS, Measured, caps, exceeded, factors, measure
from lipcert.export.request import CapRequest
from lipcert.export.rewriting import scaled_file
from lipcert.graph import Graph
from lipcert.load.model import read_bytes, read_source, to_graph
from lipcert.load.preprocess import insert_preprocess
from lipcert.pipeline.subject import Subject, open_file
from lipcert.pipeline.whole_file import write_whole
from lipcert.progress import Progress, silent
from lipcert.records import Skipped
from lipcert.records.cap import CappedLayerRecord, CapReport
from lipcert.records.tool import tool_record
from lipcert.rules import LayerNorms, UnboundedError


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Capped:
    """The bytes written, their layers as measured in them, and what each weight was multiplied by."""

    data: bytes
    graph: Graph
    measured: Measured
    factors: Mapping[str, float]


def cap_file(request: CapRequest, progress: Progress = silent) -> CapReport:
    """Write a copy of a model whose layers keep their caps, and tell what that did to it.

    Every number about the copy is measured on the bytes that are written, which are read back first.

    Raises:
        UsageError: a cap for a layer there is not, data that do not fit.
        ModelError: a model that cannot be read, or a weight that cannot be written, by name.
    """
    settings = request.analyze.settings
    subject, data = open_file(request.analyze), read_bytes(request.analyze.model)
    progress("layers", 0, 2)
    before = measure(subject.bare, settings.effort, settings.seed)
    limits = caps(before, request.beta, request.layers)
    progress("layers", 1, 2)
    capped = _capped(request, subject, data, before, limits)
    progress("layers", 2, 2)
    report = _report(request, subject, before, capped, limits)
    write_whole(request.output, capped.data)
    return report


def _capped(
    request: CapRequest, subject: Subject, data: bytes, before: Measured, limits: Mapping[str, float]
) -> Capped:
    """The file rewritten until the norms of what was written keep the caps, which takes one attempt as a rule."""
    settings = request.analyze.settings
    found = None
    for margin in MARGINS:
        scales = factors(before, limits, subject.bare, subject.source.named, margin)
        written = scaled_file(subject.source.format, request.analyze, data, scales)
        source = read_source(request.analyze.model, written, output_name=request.analyze.output_name)
        graph, _ = to_graph(source, subject.bare.input_shape)
        found = Capped(
            data=written, graph=graph, measured=measure(graph, settings.effort, settings.seed), factors=scales
        )
        if not exceeded(found.measured, limits):
            return found
    assert found is not None
    over = exceeded(found.measured, limits)
    raise RefusedModelError(
        f"{', '.join(over)} keeps a norm above its cap although its weight was scaled",
        hint="The file computes with another copy of that weight, or its norm is not certified closely enough.",
    )


def _report(
    request: CapRequest, subject: Subject, before: Measured, capped: Capped, limits: Mapping[str, float]
) -> CapReport:
    graph = insert_preprocess(capped.graph, subject.preprocess)
    layers = tuple(
        CappedLayerRecord(
            name=layer.node.name,
            description=before.descriptions[layer.node.name],
            weight=layer.weight,
            beta=limits.get(layer.node.name),
            factor=capped.factors.get(layer.weight, 1.0),
            before=before.norms[layer.node.name],
            after=capped.measured.norms[layer.node.name],
        )
        for layer in before.layers
    )
    report = CapReport(
        tool=tool_record(),
        model=subject.path,
        model_sha256=subject.sha256,
        format=subject.source.format,
        output=str(request.output),
        output_sha256=hashlib.sha256(capped.data).hexdigest(),
        layers=layers,
        lipschitz_before=_lipschitz(before.known),
        lipschitz_after=_lipschitz(capped.measured.known),
        notes=subject.source.notes,
    )
    return _with_accuracy(report, subject, graph)


def _lipschitz(known: LayerNorms) -> float | Skipped:
    """Upper end of the l2 constant of what the model reads -> logits, as the product of its layers' norms."""
    missing = unsupported(known)
    if missing:
        return Skipped(reason="operators without a rule", operators=tuple(missing))
    try:
        whole = upper_constants(known, "l2").whole
    except UnboundedError as error:
        return Skipped(reason=str(error))
    return Skipped(reason="the network has no finite constant") if whole is None else whole


def _with_accuracy(report: CapReport, subject: Subject, graph: Graph) -> CapReport:
    samples = subject.samples
    if samples is None:
        return report
    before, after = (_predictions(which, samples.inputs) for which in (subject.graph, graph))
    known = samples.labels is not None
    return replace(
        report,
        samples=len(samples),
        changed=int((before != after).sum()),
        accuracy_before=_share(before, samples.labels) if known else None,
        accuracy_after=_share(after, samples.labels) if known else None,
    )


def _predictions(graph: Graph, inputs: Tensor) -> Tensor:
    return logits_of(graph.to(dtype=torch.float64), inputs, batch_size=256).argmax(dim=1)


def _share(predictions: Tensor, labels: Tensor | None) -> float:
    assert labels is not None
    return float((predictions == labels).double().mean())
