"""What `lipcert check` does with its options."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from lipcert.cli import engine, models, outputs, progress_bar, streams, values
from lipcert.cli.analysis import forget, request_for
from lipcert.cli.configured import completed, needed
from lipcert.cli.error_document import error_record, error_report
from lipcert.cli.failures import AboutModelError, Failure, Interrupted, classify, is_internal, keep_traceback
from lipcert.cli.limits import limits
from lipcert.cli.places import check_distinct
from lipcert.errors import ConfigurationError, UsageError
from lipcert.policy import (
    Baseline,
    CheckSpec,
    Config,
    FailOn,
    checks_for,
    evaluate,
    exit_code,
    gate,
    is_unsure,
    load_config,
    settings_for,
)
from lipcert.progress import silent
from lipcert.records import ErrorRecord, Report, RunRecord, Summary
from lipcert.records.stored import read_report
from lipcert.render import Style, render
from lipcert.render.terminal.gate import gate_text
from lipcert.render.wording.checks import tally


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is asked, once it is known to make sense."""

    config: Config
    baseline: Baseline | None
    only: tuple[str, ...]
    fail_on: FailOn
    color: str
    quiet: bool
    paths: tuple[Path, ...]


def run(given: dict[str, Any]) -> int:
    """Judge every model, write the reports, and return the exit code."""
    started = time.perf_counter()
    color = values.choice(given["color"], "--color", ("auto", "always", "never")) or "auto"
    found = outputs.targets(given["format"], as_json=given["json"], output=given["output"], reports=given["report"])
    outputs.check(found, overwrite=given["overwrite"])
    check_distinct(*(target.path for target in found))
    plan = _plan(given, color)
    reports: list[Report] = []
    failures: list[Failure] = []
    stopped: Failure | None = None
    requests = [_options(given, plan, path) for path in plan.paths]
    try:
        for path, (options, specs) in zip(plan.paths, requests, strict=True):
            report = _one(path, options, specs, plan, failures)
            reports += [] if report is None else [report]
    except (Interrupted, KeyboardInterrupt) as error:
        stopped = classify(error)
        failures.append(stopped)
    report = _whole(reports, failures, plan, exit_zero=given["exit_zero"], seconds=time.perf_counter() - started)
    deliver(report, found, fail_on=plan.fail_on, color=color, verbose=given["verbose"])
    if stopped is not None:
        raise Interrupted(report.summary.exit_code, delivered=True)
    return report.summary.exit_code


def _plan(given: dict[str, Any], color: str) -> _Plan:
    config = load_config(given["config"])
    return _Plan(
        config=config,
        baseline=baseline(given["baseline"], config),
        only=values.items(given["check"], "--check"),
        fail_on=fail_on(given["fail_on"], config),
        color=color,
        quiet=given["quiet"],
        paths=tuple(models.expand(given["models"])),
    )


def baseline(given: Path | None, config: Config) -> Baseline | None:
    """The earlier report to compare with: as typed, else as configured."""
    if given is None and "baseline" in config.options:
        given = Path(str(config.options["baseline"].value))
    return None if given is None else Baseline(read_report(given), str(given))


def fail_on(given: str | None, config: Config) -> FailOn:
    """The lowest level that gates: as typed, else as configured, else error."""
    configured = config.options.get("fail_on")
    chosen: Any = values.choice(given, "--fail-on", ("error", "warning", "never"))
    return chosen or (str(configured.value) if configured else "error")  # type: ignore[return-value]


def _options(given: dict[str, Any], plan: _Plan, path: Path) -> tuple[dict[str, Any], tuple[CheckSpec, ...]]:
    """The options of one model's analysis, all checked before any model is opened."""
    specs = checks_for(plan.config, str(path), plan.only)
    if not specs:
        where = plan.config.path or "the current folder"
        raise ConfigurationError(
            f"no checks for {path} in {where}" if plan.config.path else "there is no configuration with checks here",
            hint="lipcert init MODEL --data D writes one; --config FILE names one; an empty gate never passes",
        )
    options = needed(completed(given, settings_for(plan.config, str(path))), specs)
    options["model"] = str(path)
    request_for(options)
    return options, specs


def _one(
    path: Path, options: dict[str, Any], specs: tuple[CheckSpec, ...], plan: _Plan, failures: list[Failure]
) -> Report | None:
    """The report on one model with its checks; what goes wrong is about it alone, and None."""
    started = time.perf_counter()
    try:
        report = _analyze(options, plan)
        (model,) = report.models
        checks = evaluate(model, plan.config, plan.baseline, only=plan.only, alone=len(plan.paths) == 1)
    except Exception as error:  # noqa: BLE001  one model must not cost the others
        failure = classify(_about(path, error))
        failures.append(failure)
        streams.say(f"lipcert: {path}: {failure.message}" + (f"\n  hint: {failure.hint}" if failure.hint else ""))
        if is_internal(failure) and (kept := keep_traceback(error)) is not None:
            streams.say(f"  the traceback is in {kept}")
        return None
    if not plan.quiet:
        streams.say(f"{path.name}: {tally(checks)} of {len(specs)} in {time.perf_counter() - started:.1f} s")
    return replace(report, models=(replace(model, checks=checks),))


def _about(path: Path, error: Exception) -> AboutModelError:
    named = AboutModelError(str(path))
    named.__cause__ = error
    return named


def _analyze(options: dict[str, Any], plan: _Plan) -> Report:
    request, allowed = request_for(options), limits(options)
    isolated = not options["no_isolation"]
    if plan.quiet or not streams.is_terminal(sys.stderr):
        return engine.analyze_file(request, silent, forget, limits=allowed, isolated=isolated)
    with progress_bar.watch(quiet=False, color=plan.color) as progress:
        return engine.analyze_file(request, progress, forget, limits=allowed, isolated=isolated)


def _whole(
    reports: Sequence[Report], failures: Sequence[Failure], plan: _Plan, *, exit_zero: bool, seconds: float
) -> Report:
    """One report on all models."""
    models_found = tuple(report.models[0] for report in reports)
    errors = tuple(error_record(failure) for failure in failures)
    base = reports[0] if reports else error_report(failures[0], sys.argv[1:])
    checks = [check for model in models_found for check in model.checks]
    lost = len(plan.paths) - len(models_found)
    verdict = gate(checks, plan.fail_on, failures=lost)
    unsure = is_unsure(checks, plan.fail_on, failures=lost)
    code = max(
        (failure.exit_code for failure in failures if failure.exit_code in {UsageError.exit_code, 130, 143}),
        default=exit_code(verdict, unsure=unsure, exit_zero=exit_zero),
    )
    return replace(
        base,
        run=None if base.run is None else _run(base.run, seconds, partial=bool(lost)),
        models=models_found,
        summary=Summary(
            models=len(plan.paths), analyzed=len(models_found), inconclusive=lost, gate=verdict, exit_code=code
        ),
        errors=_distinct(errors),
    )


def _run(run: RunRecord, seconds: float, *, partial: bool) -> RunRecord:
    return replace(run, duration_s=round(seconds, 3), partial=partial)


def _distinct(errors: tuple[ErrorRecord, ...]) -> tuple[ErrorRecord, ...]:
    return tuple(dict.fromkeys(errors))


def deliver(report: Report, found: Sequence[outputs.Target], *, fail_on: FailOn, color: str, verbose: bool) -> None:
    """Write the result to every target, files first; as text the gate alone, not the whole report."""
    for target in sorted(found, key=lambda target: target.path is None):
        style: Style = replace(outputs.style_for(target, sys.stdout, color), verbose=verbose)
        text = gate_text(report, style, fail_on) if target.format == "text" else render(report, target.format, style)
        outputs.put(text, target)
    outputs.summarise(report, found)
