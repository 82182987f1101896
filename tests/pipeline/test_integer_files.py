"""Files without a gradient are attacked through their own runtime, and the report says so."""

import numpy as np
import pytest
import torch

import lipcert
from lipcert.records import AnalyzeSettings, EvaluationRecord
from tests.pipeline.integer_net import integer_digits, sign_digits


@pytest.mark.parametrize("build", [pytest.param(integer_digits, marks=pytest.mark.slow), sign_digits])
def test_errors_are_found_by_logits_and_judged_by_the_runtime(build, tmp_path, sample_models):
    data = np.load(sample_models / "digits_test.npz")
    images, labels = data["images"][:6].reshape(-1, 1, 8, 8) / 16, data["labels"][:6].astype(np.int64)
    settings = AnalyzeSettings(analyses=("robustness",), eps={"linf": (0.12,)})
    report = lipcert.analyze(
        build(tmp_path / "net.onnx"),
        torch.from_numpy(images).float(),
        labels,
        settings=settings,
        input_range=(0.0, 1.0),
    )
    model = report.models[0]
    record = model.robustness[0]
    assert record.scored_by.startswith("onnxruntime")
    assert record.robust_accuracy < record.clean_accuracy
    assert "square" in [attack.attack for attack in record.attacks]
    assert isinstance(model.evaluation, EvaluationRecord)
    status = {check.id: check.status for check in model.evaluation.checks}
    assert status["evaluation.differentiable"] == "warn"
    assert status["evaluation.planted"] == status["evaluation.zero_gradient"] == "skipped"
    assert model.evaluation.verdict == "doubtful"
