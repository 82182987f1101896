"""What a loaded model is, reads and gives, as records."""

from __future__ import annotations

from dataclasses import replace

from lipcert.graph import Graph
from lipcert.load.source import Source
from lipcert.pipeline.findings import find
from lipcert.pipeline.subject import Subject
from lipcert.records import DataRecord, ModelRecord, PreprocessRecord, SignatureRecord


def describe(subject: Subject, *, batch_size: int) -> ModelRecord:
    """The record of a subject before any analysis."""
    return ModelRecord(
        id=subject.id,
        path=subject.path,
        sha256=subject.sha256,
        format=subject.source.format,
        status="analyzed",
        signature=signature(subject.graph, subject.source),
        fidelity=subject.fidelity,
        preprocess=_preprocess(subject),
        data=_data(subject),
        diagnostics=find(subject, batch_size=batch_size),
    )


def _preprocess(subject: Subject) -> PreprocessRecord:
    """The preprocessing in use; a mean of zero and a deviation of one are left out, as nothing is computed for them."""
    record = subject.preprocess.record(subject.samples)
    trivial = set(record.mean) <= {0.0} and set(record.std) <= {1.0}
    return replace(record, mean=(), std=()) if trivial else record


def _data(subject: Subject) -> DataRecord | None:
    samples = subject.samples
    if samples is None:
        return None
    return DataRecord(
        path=samples.path,
        sha256=samples.sha256,
        samples=len(samples),
        available=subject.available,
        labelled=samples.labels is not None,
    )


def signature(graph: Graph, source: Source) -> SignatureRecord:
    """Shapes, classes, head and size of a model, and what was done to its file."""
    return SignatureRecord(
        input_shape=graph.input_shape,
        classes=graph.classes,
        head=graph.head,
        parameters=graph.parameter_count,
        nodes=sum(node.op not in ("input", "getitem") for node in graph.nodes),
        description=source.description,
        notes=source.notes,
    )
