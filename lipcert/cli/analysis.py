"""What `lipcert analyze` does with its options."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lipcert.cli import adversarials, engine, models, outputs, progress_bar, streams, tables, values
from lipcert.cli.configured import completed
from lipcert.cli.error_document import error_record
from lipcert.cli.exponents import exponents
from lipcert.cli.failures import Interrupted, about, classify
from lipcert.cli.limits import limits, planned_memory
from lipcert.cli.places import check_distinct
from lipcert.cli.radii import radii
from lipcert.errors import TimeLimitError
from lipcert.pipeline import AnalyzeRequest
from lipcert.pipeline.adversarials_format import sheet_of
from lipcert.policy import load_config, settings_for
from lipcert.records import AnalyzeSettings, Report


def forget(_: Report) -> None:
    """What there is of an interrupted model, for commands that have no use for it."""


def run(given: dict[str, Any]) -> int:
    """Analyse one model, write its report, and return the exit code. `given` is option name -> value as typed."""
    if given["config"] is not None:
        given = completed(given, settings_for(load_config(given["config"]), given["model"]))
    color = values.choice(given["color"], "--color", ("auto", "always", "never")) or "auto"
    found = outputs.targets(given["format"], as_json=given["json"], output=given["output"], reports=given["report"])
    limits(given)  # what is wrong with them is said before anything is opened
    request = request_for(given)
    outputs.check(found, overwrite=given["overwrite"])
    tables.check(request.per_sample, overwrite=given["overwrite"])
    adversarials.check(request.adversarials, overwrite=given["overwrite"])
    sheet = None if request.adversarials is None else sheet_of(request.adversarials)
    check_distinct(*(target.path for target in found), request.per_sample, request.adversarials, sheet)
    so_far, started = deque[Report](maxlen=1), time.time()
    with about(given["model"]):
        try:
            report = watched(request, given, so_far.append, color=color)
        except (Interrupted, KeyboardInterrupt, TimeLimitError) as error:
            if not so_far:
                raise
            report = _interrupted(so_far.pop(), error)
    pictures = adversarials.read_sheet(sheet, since=started)
    outputs.deliver(report, found, color=color, verbose=given["verbose"], sheet=pictures)
    if report.errors:
        raise Interrupted(report.summary.exit_code, delivered=True)
    return report.summary.exit_code


def watched(
    request: AnalyzeRequest, given: dict[str, Any], keep: Callable[[Report], None] = forget, *, color: str = "auto"
) -> Report:
    """The report on one model, its name and its progress shown; `keep` is told what there is where it is cut short."""
    if not given["quiet"]:
        streams.say(models.first_line(request.model))
    with progress_bar.watch(quiet=given["quiet"], color=color) as progress:
        return engine.analyze_file(request, progress, keep, limits=limits(given), isolated=not given["no_isolation"])


def _interrupted(report: Report, error: BaseException) -> Report:
    """What there is of a report when the user or the clock stops the run."""
    failure = classify(error)
    what = failure.message if isinstance(error, TimeLimitError) else "interrupted"
    streams.say(f"lipcert: {what}; the report holds what was done until then")
    return replace(
        report, summary=replace(report.summary, exit_code=failure.exit_code), errors=(error_record(failure),)
    )


def request_for(given: dict[str, Any]) -> AnalyzeRequest:
    """What is asked of the engine, from options as typed. Raises UsageError."""
    return replace(request_from(given), model=models.one(given["model"]))


def request_from(given: dict[str, Any]) -> AnalyzeRequest:
    """What the options ask for, of no model yet."""
    settings = _settings(given)
    layout: Any = values.choice(given["layout"], "--layout", ("nchw", "nhwc"))
    return AnalyzeRequest(
        model=Path(),
        data=given["data"],
        labels=given["labels"],
        scale=values.positive(given["scale"], "--scale"),
        mean=values.numbers(given["mean"], "--mean"),
        std=_std(given["std"]),
        layout=layout,
        input_range=values.pair(given["input_range"], "--input-range"),
        input_shape=values.shape(given["input_shape"], "--input-shape"),
        output_name=given["output_name"],
        allow_code=given["allow_code"],
        argv=tuple(sys.argv[1:]),
        train_data=given["train_data"],
        init_model=given["init_model"],
        per_sample=given["per_sample"],
        adversarials=given["save_adversarials"],
        required=settings.analyses if given["only"] else (),
        settings=settings,
    )


def _std(given: list[str] | None) -> tuple[float, ...] | None:
    for part in values.items(given, "--std"):
        values.positive(part, "--std")
    return values.numbers(given, "--std")


def _settings(given: dict[str, Any]) -> AnalyzeSettings:
    said: dict[str, Any] = {
        "split": values.choice(given["split"], "--split", ("test", "train", "unknown")),
        "samples": values.whole(given["samples"], "--samples", least=1),
        "eps": radii(given["eps"], given["norm"]),
        "seed": values.whole(given["seed"], "--seed", least=0),
        "device": values.device(given["device"]),
        "dtype": values.choice(given["dtype"], "--dtype", ("float32", "float64")),
        "effort": values.choice(given["effort"], "--effort", ("fast", "default", "high")),
        "spectrum": values.whole(given["spectrum"], "--spectrum", least=0),
        "exponents": exponents(given["jacobian_norm"]),
        "confidence": values.probability(given["confidence"], "--confidence"),
        "batch_size": values.whole(given["batch_size"], "--batch-size", least=1),
        "analyses": values.analyses(given["only"], given["skip"]),
        "seeds": values.whole(given["seeds"], "--seeds", least=1),
        "deploy_dtype": values.choice(given["deploy_dtype"], "--deploy-dtype", ("real", "float32", "bfloat16")),
        "time_budget": values.duration(given["time_budget"], "--time-budget"),
        "max_memory": planned_memory(given),
        "deterministic": given["deterministic"] or None,
    }
    return AnalyzeSettings(**{name: value for name, value in said.items() if value is not None})
