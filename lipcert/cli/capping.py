"""What `lipcert cap` does with its options."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from lipcert.cli import engine, models, outputs, progress_bar, streams, values
from lipcert.cli.analysis import request_for
from lipcert.cli.configured import not_given
from lipcert.cli.failures import about
from lipcert.cli.limits import limits
from lipcert.cli.places import check_distinct, check_place
from lipcert.errors import UsageError
from lipcert.export.request import CapRequest
from lipcert.records import AnalyzeSettings, codec
from lipcert.render.capping import render_cap


def run(given: dict[str, Any]) -> int:
    """Write the capped copy of one model, tell what that did to it, and return the exit code."""
    color = values.choice(given["color"], "--color", ("auto", "always", "never")) or "auto"
    wanted = values.choice(given["format"], "--format", ("text", "json"))
    (target,) = outputs.targets(wanted, as_json=given["json"], output=None, reports=None)
    request = _request(given)
    _check(request, overwrite=given["overwrite"])
    with about(given["model"]):
        if not given["quiet"]:
            streams.say(models.first_line(request.analyze.model))
        with progress_bar.watch(quiet=given["quiet"], color=color) as progress:
            report = engine.cap_file(request, progress, limits=limits(given), isolated=not given["no_isolation"])
    style = outputs.style_for(target, sys.stdout, color)
    outputs.put(codec.to_json(report) if target.format == "json" else render_cap(report, style), target)
    return report.exit_code


def _check(request: CapRequest, *, overwrite: bool) -> None:
    """The place of the copy, before any work is done; a model that is there is replaced only when told to."""
    model = request.analyze.model
    check_place(
        request.output,
        example=f"capped{model.suffix}",
        kind="capped copy to replace unasked",
        ours=lambda path: not path.stat().st_size,
        overwrite=overwrite,
    )
    check_distinct(model, request.output)


def _request(given: dict[str, Any]) -> CapRequest:
    beta, layers = betas(given["beta"])
    if given["output"] is None:
        raise UsageError("cap needs -o FILE, where the copy goes")
    analyze = replace(request_for(not_given() | given), settings=_settings(given))
    return CapRequest(analyze=analyze, output=Path(given["output"]), beta=beta, layers=layers)


def betas(texts: list[str] | None) -> tuple[float | None, dict[str, float]]:
    """The cap of all layers, where one is given, and those of layers by name."""
    every: float | None = None
    layers = dict[str, float]()
    for text in values.items(texts, "--beta"):
        name, equals, number = text.rpartition("=")
        value = values.positive(number, "--beta")
        if equals and (not name or name in layers):
            raise UsageError(f"--beta takes NAME=B once a layer, got {values.quoted(text)}")
        if not equals and every is not None:
            raise UsageError(f"--beta has two caps for every layer, {every:g} and {number}")
        if equals:
            assert value is not None
            layers[name] = value
        else:
            every = value
    if every is None and not layers:
        raise UsageError("cap needs --beta", hint="for example --beta 2, or --beta fc1=2,fc2=4")
    return every, layers


def _settings(given: dict[str, Any]) -> AnalyzeSettings:
    said: dict[str, Any] = {
        "samples": values.whole(given["samples"], "--samples", least=1),
        "effort": values.choice(given["effort"], "--effort", ("fast", "default", "high")),
        "seed": values.whole(given["seed"], "--seed", least=0),
    }
    return AnalyzeSettings(**{name: value for name, value in said.items() if value is not None})
