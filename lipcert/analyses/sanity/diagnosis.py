"""Tries simple changes to the preprocessing and the labels, and names one that would help. It applies none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.sanity.arrangement import AS_STORED, Arrangement, arrangements
from lipcert.analyses.sanity.relabelling import Relabelling
from lipcert.analyses.sanity.scaling import Scaling, scalings
from lipcert.analyses.sanity.significance import chance_accuracy, is_better, is_chance
from lipcert.records.check import DiagnosticRecord
from lipcert.records.provenance import PreprocessRecord
from lipcert.samples import Samples

SAMPLES = 256
SCREENED = 64
FINALISTS = 5

Forward = Callable[[Tensor], Tensor]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A scaling and an arrangement together."""

    scaling: Scaling
    arrangement: Arrangement = AS_STORED

    def apply(self, samples: Samples) -> Tensor:
        """What the model would read."""
        return self.scaling.apply(self.arrangement.change(samples.inputs), samples.scale)

    def description(self, current: Scaling) -> str:
        parts = (self.arrangement.description, self.scaling.description if self.scaling is not current else "")
        return " with ".join(filter(None, parts))

    def advice(self, current: Scaling) -> str:
        options = self.scaling.options(current)
        return "; ".join(filter(None, (f"use {options}" if options else "", self.arrangement.advice)))


@final
class _Trial:
    """The model on the samples of one diagnosis."""

    def __init__(self, forward: Forward, samples: Samples, batch_size: int) -> None:
        self.forward, self.samples, self.batch_size = forward, samples, batch_size
        assert samples.labels is not None
        self.labels = samples.labels

    def predict(self, change: _Change) -> Tensor:
        """Predicted classes, (N,); -1 where the logits are not finite."""
        inputs = change.apply(self.samples)
        starts = range(0, len(inputs), self.batch_size)
        with torch.no_grad():
            logits = torch.cat([self.forward(inputs[i : i + self.batch_size]).cpu() for i in starts])
        return torch.where(logits.isfinite().all(1), logits.argmax(1), -1)

    def right(self, change: _Change) -> Tensor:
        """Whether each sample is classified rightly, (N,)."""
        return self.predict(change) == self.labels


def diagnose(
    forward: Forward, samples: Samples, preprocess: PreprocessRecord, *, classes: int, batch_size: int = 64
) -> tuple[DiagnosticRecord, ...]:
    """Findings about the preprocessing and the labels; none where nothing speaks against them.

    forward     batch of model inputs, shape (N, *input_shape), to logits: the graph without its preprocessing
    preprocess  the preprocessing in use

    At most 256 samples are looked at, evenly spaced. A change is named only when a sign test on the samples that
    it gains and loses is significant at 1 % over all changes tried.
    """
    if samples.labels is None or not len(samples):
        return ()
    trial = _Trial(forward, _spread(samples, SAMPLES), batch_size)
    layout = preprocess.layout if preprocess.layout in {"nchw", "nhwc"} else None
    current = Scaling(
        description="as now",
        scale=samples.scale,
        mean=preprocess.mean or (0.0,),
        std=preprocess.std or (1.0,),
        layout=layout,
    )
    predictions = trial.predict(_Change(scaling=current))
    right = predictions == trial.labels
    chance = chance_accuracy(predictions, trial.labels, classes)
    at_chance = is_chance(int(right.sum()), len(right), chance)
    changes = _changes(trial.samples, current, thorough=at_chance)
    too_few = is_chance(len(right), len(right), chance)
    findings = [_too_few(right) if too_few else _at_chance(right, chance, len(changes))] if at_chance else []
    better = _better(trial, changes, right)
    relabelling = Relabelling(predictions, trial.labels, classes)
    if better and not (relabelling.is_better and relabelling.accuracy > _share(better[0][1])):
        findings.append(_preprocessing(better, current, right))
    elif relabelling.is_better:
        findings.append(_labels(relabelling, right))
    return tuple(findings)


def _changes(samples: Samples, current: Scaling, *, thorough: bool) -> list[_Change]:
    """Every change to try: scalings and arrangements apart, and when `thorough` also together."""
    scales, orders = scalings(samples, current), arrangements(samples, current.layout)
    changes = [_Change(scaling=scaling) for scaling in scales]
    changes += [_Change(scaling=current, arrangement=order) for order in orders]
    if thorough:
        changes += [_Change(scaling=scaling, arrangement=order) for scaling in scales for order in orders]
    return changes


def _better(trial: _Trial, changes: Sequence[_Change], right: Tensor) -> list[tuple[_Change, Tensor]]:
    """Changes that are better beyond doubt, each with its right answers, the best first.

    The few with the most right answers on some of the samples are judged on all of them. Those that follow the
    best are there because these samples do not tell them from it.
    """
    few = _Trial(trial.forward, _spread(trial.samples, SCREENED), trial.batch_size)
    finalists = sorted(changes, key=lambda change: -int(few.right(change).sum()))[:FINALISTS]
    judged = [(change, trial.right(change)) for change in finalists]
    better = [pair for pair in judged if is_better(pair[1], right, len(changes))]
    better.sort(key=lambda pair: -int(pair[1].sum()))
    return [pair for pair in better if not is_better(better[0][1], pair[1], 1)]


def _spread(samples: Samples, count: int) -> Samples:
    """`count` evenly spaced samples: files are often sorted by class."""
    if len(samples) <= count:
        return samples
    assert samples.labels is not None
    rows = torch.linspace(0, len(samples) - 1, count, dtype=torch.float64).round().long()
    return replace(samples, inputs=samples.inputs[rows], labels=samples.labels[rows])


def _share(right: Tensor) -> float:
    return float(right.double().mean())


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _too_few(right: Tensor) -> DiagnosticRecord:
    number = "1 sample is" if len(right) == 1 else f"{len(right)} samples are"
    return DiagnosticRecord(
        id="data.chance",
        level="note",
        message=f"{number} too few to tell an accuracy, even one of 100 %, from chance",
        hint="give more samples to have the preprocessing and the labels checked",
    )


def _at_chance(right: Tensor, chance: float, tries: int) -> DiagnosticRecord:
    return DiagnosticRecord(
        id="data.chance",
        level="error",
        message=f"{_percent(_share(right))} of {len(right)} samples are classified rightly, and {_percent(chance)} "
        "would be if the predictions had nothing to do with the labels: the difference is within chance",
        hint=f"{tries} changes of the preprocessing and the order of the labels were tried; if none is named below, "
        "check that the data belong to this model",
    )


def _preprocessing(better: list[tuple[_Change, Tensor]], current: Scaling, right: Tensor) -> DiagnosticRecord:
    (best, now), *others = better
    also = "".join(f"; hardly worse here ({_percent(_share(x))}): {change.advice(current)}" for change, x in others[:1])
    return DiagnosticRecord(
        id="data.preprocessing",
        level="warning",
        message=f"{_percent(_share(right))} of {len(right)} samples are classified rightly as preprocessed now, "
        f"{_percent(_share(now))} with {best.description(current)}",
        hint=f"if the model was trained so: {best.advice(current)}{also}",
    )


def _labels(relabelling: Relabelling, right: Tensor) -> DiagnosticRecord:
    return DiagnosticRecord(
        id="data.labels",
        level="warning",
        message=f"{_percent(_share(right))} of {len(right)} samples are classified rightly; if the labels numbered the "
        f"classes in another order, {_percent(relabelling.accuracy)} of those held out would be",
        hint=f"renumber the labels in the model's order: {relabelling.text()}",
    )
