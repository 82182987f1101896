"""A GPU gives the report of the CPU."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from lipcert.pipeline import AnalyzeRequest, analyze_file
from lipcert.records import AnalyzeSettings, ModelRecord
from tests.pipeline.test_formats import _numbers

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def _record(sample_models: Path, name: str, device: str) -> ModelRecord:
    settings = AnalyzeSettings(
        samples=100, eps={"linf": (0.03,), "l2": (0.2,)}, device=device, dtype="float64", deterministic=True
    )
    request = AnalyzeRequest(
        model=sample_models / f"{name}.onnx", data=str(sample_models / "digits_test.npz"), settings=settings
    )
    return analyze_file(request).models[0]


@pytest.mark.parametrize("name", ["digits_mlp", "digits_conv", "digits_residual"])
def test_every_number_agrees(sample_models: Path, name: str) -> None:
    """Attacks are scored by the runtime on the CPU and by the graph on the GPU; everything else is float64 on both."""
    here, there = (_numbers(_record(sample_models, name, device)) for device in ("cpu", "cuda"))
    assert here.keys() == there.keys()
    wrong = {k: (v, there[k]) for k, v in here.items() if not math.isclose(v, there[k], rel_tol=1e-4, abs_tol=1e-4)}
    assert wrong == {}
