"""A run that is stopped keeps what it had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lipcert.cli import engine, entry
from lipcert.pipeline import AnalyzeRequest, analyze_file
from lipcert.pipeline.context import PENDING
from lipcert.records import AnalyzeSettings, Report, Skipped

SETTINGS = AnalyzeSettings(samples=20, eps={"l2": (0.1,)}, effort="fast")


def _request(sample_models: Path) -> AnalyzeRequest:
    return AnalyzeRequest(
        model=sample_models / "digits_mlp.onnx", data=str(sample_models / "digits_test.npz"), settings=SETTINGS
    )


def test_the_report_grows_analysis_by_analysis(sample_models: Path) -> None:
    kept: list[Report] = []
    whole = analyze_file(_request(sample_models), keep=kept.append)
    assert all(report.run is not None and report.run.partial for report in kept)
    assert kept[0].models[0].layers == PENDING
    assert not isinstance(kept[-1].models[0].robustness, Skipped)
    assert whole.run is not None
    assert not whole.run.partial
    assert whole.models[0].brackets == kept[-1].models[0].brackets


def test_ctrl_c_prints_what_was_done(
    sample_models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(name: str, done: int, total: int) -> None:
        if name == "robustness":
            raise KeyboardInterrupt

    original = engine.analyze_file
    monkeypatch.setattr(engine, "analyze_file", lambda request, _, keep, **rest: original(request, stop, keep, **rest))
    data = sample_models / "digits_test.npz"
    command = ["analyze", str(sample_models / "digits_mlp.onnx"), "--data", str(data), "--samples", "20", "-f", "json"]
    assert entry.run(command) == 130
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["run"]["partial"]
    assert document["summary"]["exit_code"] == 130
    assert document["errors"][0]["code"] == "interrupted"
    assert document["models"][0]["jacobian"]["samples"] == 20
    assert document["models"][0]["robustness"]["status"] == "skipped"
    assert "interrupted" in captured.err
