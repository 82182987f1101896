"""What `lipcert certify` does with its options."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lipcert.cli import engine, models, outputs, progress_bar, streams, values
from lipcert.cli.error_document import error_record
from lipcert.cli.failures import about, classify
from lipcert.cli.limits import limits, overtime, planned_memory
from lipcert.errors import ModelError
from lipcert.pipeline import CertifyRequest
from lipcert.records import codec
from lipcert.records.certify import EXIT_CODES, CertifyReport, CertifySettings, PropertyRecord
from lipcert.records.tool import tool_record
from lipcert.render.competition import render_verdict
from lipcert.supervise import Limits


def run(given: dict[str, Any]) -> int:
    """Decide one property, write the verdict, and return the exit code. `given` is option name -> value as typed."""
    color = values.choice(given["color"], "--color", ("auto", "always", "never")) or "auto"
    wanted = values.choice(given["format"], "--format", ("text", "json"))
    (target,) = outputs.targets(wanted, as_json=given["json"], output=given["output"], reports=None)
    request = _request(given)
    allowed = replace(limits(given | {"timeout": None}), timeout=overtime(request.settings.timeout))
    outputs.check([target], overwrite=given["overwrite"])
    with about(given["model"]):
        if not given["quiet"]:
            streams.say(models.first_line(request.model))
        report = _decided(request, given, color, allowed)
    if given["deterministic"]:
        report = replace(report, duration_s=None)
    text = codec.to_json(report) if target.format == "json" else render_verdict(report)
    if not given["quiet"]:
        streams.say(_words(report))
    outputs.put(text, target)
    return report.exit_code


def _decided(request: CertifyRequest, given: dict[str, Any], color: str, allowed: Limits) -> CertifyReport:
    """The report; a model that cannot be concluded on is a report too, and its verdict is "unknown"."""
    try:
        with progress_bar.watch(quiet=given["quiet"], color=color) as progress:
            return engine.certify_file(request, progress, limits=allowed, isolated=not given["no_isolation"])
    except (ModelError, MemoryError) as error:
        failure = replace(classify(error), model=str(request.model))
        streams.say(
            f"lipcert: {failure.model}: {failure.message}" + (f"\n  hint: {failure.hint}" if failure.hint else "")
        )
        nothing = PropertyRecord(path=str(request.property), sha256="", inputs=0, outputs=0, boxes=0, alternatives=0)
        return CertifyReport(
            verdict="unknown",
            statement="nothing is proved",
            method="none",
            reason=failure.message,
            tool=tool_record(),
            model=str(request.model),
            model_sha256="",
            property=nothing,
            fidelity=None,
            settings=request.settings,
            exit_code=EXIT_CODES["unknown"],
            errors=(error_record(failure),),
        )


def _request(given: dict[str, Any]) -> CertifyRequest:
    said: dict[str, Any] = {
        "effort": values.choice(given["effort"], "--effort", ("fast", "default", "high")),
        "deploy_dtype": values.choice(given["deploy_dtype"], "--deploy-dtype", ("real", "float32", "bfloat16")),
        "max_memory": planned_memory(given),
        "seed": values.whole(given["seed"], "--seed", least=0),
    }
    settings = CertifySettings(**{name: value for name, value in said.items() if value is not None})
    if given["timeout"] is not None:
        never = given["timeout"].lower() == "none"
        settings = replace(settings, timeout=None if never else values.duration(given["timeout"], "--timeout"))
    return CertifyRequest(
        model=models.one(given["model"]),
        property=given["spec"],
        input_shape=values.shape(given["input_shape"], "--input-shape"),
        output_name=given["output_name"],
        settings=settings,
    )


def _words(report: CertifyReport) -> str:
    """The verdict for a person: what it says, and how it came about."""
    how = f"{report.method}, {report.domains:,} parts bounded" if report.domains else report.method
    seconds = "" if report.duration_s is None else f" in {report.duration_s:.1f} s"
    lines = [f"{report.verdict}: {report.statement}", f"  by {how}{seconds}"]
    return "\n".join([*lines, *([f"  {report.reason}"] if report.reason else [])])
