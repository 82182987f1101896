"""What a reader must know before believing the numbers, gathered from loading, data and samples."""

from __future__ import annotations

from lipcert.analyses.sanity import diagnose
from lipcert.pipeline.subject import Subject
from lipcert.records import DiagnosticRecord, FidelityRecord


def find(subject: Subject, *, batch_size: int) -> tuple[DiagnosticRecord, ...]:
    """Diagnostics of a subject, the gravest kinds first in each group."""
    return (*_sanity(subject, batch_size), *_overlap(subject), *_fidelity(subject.fidelity), *_notes(subject))


def _sanity(subject: Subject, batch_size: int) -> tuple[DiagnosticRecord, ...]:
    samples = subject.samples
    if samples is None or samples.labels is None:
        return ()
    record = subject.preprocess.record(samples)
    return diagnose(subject.bare, samples, record, classes=subject.graph.classes, batch_size=min(batch_size, 64))


def _overlap(subject: Subject) -> tuple[DiagnosticRecord, ...]:
    """Whether samples are among those of training, bit by bit."""
    if subject.samples is None or subject.training is None:
        return ()
    trained = {row.tobytes() for row in subject.training.inputs.numpy()}
    shared = sum(row.tobytes() in trained for row in subject.samples.inputs.numpy())
    if not shared:
        return ()
    text = (
        f"{shared} of {len(subject.samples)} samples are among the training samples: what is said of the error on "
        "unseen inputs takes samples that were used for nothing else"
    )
    hint = "Leave them out of --data, or say --split train."
    return (DiagnosticRecord(id="data.overlap", level="warning", message=text, hint=hint),)


def _fidelity(record: FidelityRecord) -> tuple[DiagnosticRecord, ...]:
    found = []
    if record.status == "note":
        text = f"the graph differs from {record.reference} by {record.max_rel_diff:.1e} of the output range"
        found.append(DiagnosticRecord(id="fidelity.difference", level="note", message=text))
    if record.status == "quantised":
        text = (
            f"proofs and Jacobians describe the float reading of a quantised file; it differs from {record.reference}, "
            f"which judges the attacks, by {record.max_rel_diff:.1e} of the output range"
        )
        found.append(DiagnosticRecord(id="fidelity.quantised", level="warning", message=text))
    if record.status == "unverified":
        text = "no independent runtime opens this file, so the graph could not be compared with one"
        found.append(DiagnosticRecord(id="fidelity.unverified", level="warning", message=text))
    if record.gradient == "zero":
        text = "the input gradient vanishes everywhere: attacks that follow it find nothing, and that proves nothing"
        found.append(DiagnosticRecord(id="gradient.zero", level="warning", message=text))
    return tuple(found)


def _notes(subject: Subject) -> tuple[DiagnosticRecord, ...]:
    found = [DiagnosticRecord(id="load.note", level="note", message=note) for note in subject.source.notes]
    if subject.samples is not None:
        notes = subject.samples.notes
        found += [DiagnosticRecord(id="data.note", level="note", message=note) for note in notes]
    return tuple(found)
