"""One property of one network, decided as far as time allows: attacked, bounded, cut into parts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.branch import CERTIFIED, Found, prove
from lipcert.bounds.memory import DEFAULT_MEMORY
from lipcert.errors import DataError, UnsupportedOperatorError
from lipcert.graph import Graph
from lipcert.load.check import check
from lipcert.load.model import choose_shape, read_bytes, read_source, to_graph
from lipcert.load.source import Source
from lipcert.load.vnnlib import Property, read_property
from lipcert.load.vnnlib.read import read_bytes as read_property_bytes
from lipcert.pipeline.certify_request import CertifyRequest
from lipcert.pipeline.property_goals import Boxes, property_goals, read_boxes
from lipcert.pipeline.violation import Violations, attack
from lipcert.progress import Progress, silent
from lipcert.records.certify import EXIT_CODES, CertifyReport, CertifySettings, PropertyRecord, Verdict
from lipcert.records.tool import tool_record

_TRIES = {"fast": (2, 20), "default": (5, 40), "high": (20, 60)}
_READ = {
    "real": "in real arithmetic",
    "float32": "read and evaluated in float32, its sums in any order",
    "bfloat16": "read and evaluated in bfloat16, its sums in any order",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    verdict: Verdict
    method: str
    reason: str = ""
    domains: int = 0


def certify_file(request: CertifyRequest, progress: Progress = silent) -> CertifyReport:
    """The verdict on one property.

    Raises:
        UsageError: no such file.
        DataError: a property that is not read, or that speaks of another network.
        ModelError: a model that is unreadable, refused or unfaithful.
    """
    start = time.monotonic()
    limit = request.settings.timeout
    data = read_property_bytes(request.property)
    found = read_property(request.property, data)
    model = read_bytes(request.model)
    source = read_source(request.model, model, output_name=request.output_name)
    shape = choose_shape(source, request.input_shape or ((found.inputs,) if source.input_shape is None else None))
    graph, source = to_graph(source, shape, outputs="all")
    _check_sizes(found, graph, request)
    fidelity = check(graph, source)
    task = _Task(request.settings, found, graph, source, lambda: limit is not None and time.monotonic() - start > limit)
    outcome = task.decide(progress)
    return CertifyReport(
        verdict=outcome.verdict,
        statement=_statement(outcome, request.settings),
        method=outcome.method,
        reason=outcome.reason,
        counterexample=task.violations.counterexample if task.violations else None,
        tool=tool_record(),
        model=str(request.model),
        model_sha256=hashlib.sha256(model).hexdigest(),
        property=_describe(request, data, found),
        fidelity=fidelity,
        settings=request.settings,
        domains=outcome.domains,
        duration_s=round(time.monotonic() - start, 3),
        exit_code=EXIT_CODES[outcome.verdict],
    )


def _check_sizes(found: Property, graph: Graph, request: CertifyRequest) -> None:
    inputs = int(torch.Size(graph.input_shape).numel())
    for word, declared, there in (("input", found.inputs, inputs), ("output", found.outputs, graph.classes)):
        if declared != there:
            raise DataError(
                f"{request.property} declares {declared} {word}s and {request.model} has {there}",
                hint="Check that property and model belong together.",
            )


def _describe(request: CertifyRequest, data: bytes, found: Property) -> PropertyRecord:
    return PropertyRecord(
        path=str(request.property),
        sha256=hashlib.sha256(data).hexdigest(),
        inputs=found.inputs,
        outputs=found.outputs,
        boxes=len(found.cases),
        alternatives=sum(len(case.alternatives) for case in found.cases),
    )


def _statement(outcome: _Outcome, settings: CertifySettings) -> str:
    how = _READ[settings.deploy_dtype]
    return {
        "unsat": f"proved: no input in the boxes, {how}, has an output that the property looks for",
        "sat": "the counterexample lies in a box, and the file's own runtime gives it an output that the property "
        "looks for",
        "timeout": "nothing is proved: the time ran out first",
        "unknown": "nothing is proved",
    }[outcome.verdict]


@final
class _Task:
    """What is worked with while a property is decided."""

    def __init__(
        self, settings: CertifySettings, found: Property, graph: Graph, source: Source, expired: Callable[[], bool]
    ) -> None:
        self.settings, self.found, self.graph, self.source, self.expired = settings, found, graph, source, expired
        self.violations: Violations | None = None

    def decide(self, progress: Progress) -> _Outcome:
        """Cheap attacks, then bounds, then parts."""
        if not any(case.alternatives for case in self.found.cases):
            return _Outcome(verdict="unsat", method="empty boxes")
        boxes = read_boxes(self.found, self.graph.input_shape, self.settings.deploy_dtype)
        try:
            bounder = self._bounder()
            with torch.no_grad():
                output = bounder.intervals(boxes.region)[bounder.nodes[-1]]
        except UnsupportedOperatorError as error:
            return self._attacked_alone(boxes, error)
        self.violations = self._violations(boxes, output.magnitude.flatten(1))
        restarts, steps = _TRIES[self.settings.effort]
        if attack(self.violations, seed=self.settings.seed, restarts=restarts, steps=steps, expired=self.expired):
            return _Outcome(verdict="sat", method="attack")
        progress("certify", 0, len(self.violations.goals))
        found = prove(
            bounder,
            boxes.region,
            self.violations.goals,
            self.violations.judge,
            effort=self.settings.effort,
            expired=self.expired,
            progress=progress,
        )
        return self._settle(found)

    def _bounder(self) -> Bounder:
        memory = self.settings.max_memory or DEFAULT_MEMORY
        return Bounder(self.graph, deploy_dtype=self.settings.deploy_dtype, max_memory=memory)

    def _violations(self, boxes: Boxes, sizes: torch.Tensor) -> Violations:
        goals = property_goals(self.found, sizes)
        return Violations(graph=self.graph, oracle=self.source.oracle, found=self.found, boxes=boxes, goals=goals)

    def _attacked_alone(self, boxes: Boxes, error: UnsupportedOperatorError) -> _Outcome:
        """Without bounds a counterexample can still be found."""
        nothing = torch.zeros(len(self.found.cases), self.found.outputs)
        self.violations = self._violations(boxes, nothing)
        restarts, steps = _TRIES[self.settings.effort]
        if attack(self.violations, seed=self.settings.seed, restarts=restarts, steps=steps, expired=self.expired):
            return _Outcome(verdict="sat", method="attack")
        return _Outcome(verdict="unknown", method="attack", reason=f"no bounds: {error.message}")

    def _settle(self, found: Found) -> _Outcome:
        assert self.violations is not None
        if self.violations.counterexample is not None:
            return _Outcome(verdict="sat", method=found.method, domains=found.domains)
        if bool((found.status == CERTIFIED).all()):
            return _Outcome(verdict="unsat", method=found.method, domains=found.domains)
        left = int((found.status != CERTIFIED).sum())
        reason = f"{left} of {len(found.status)} alternatives are open; {found.reason}"
        verdict: Verdict = "timeout" if self.expired() else "unknown"
        return _Outcome(verdict=verdict, method=found.method, reason=reason, domains=found.domains)
