"""One net in five guises gives one report."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest
import torch

import lipcert
from lipcert.pipeline import AnalyzeRequest, analyze_file
from lipcert.records import AnalyzeSettings, LipschitzRecord, ModelRecord
from lipcert.records.codec import to_json
from sample_models.recipes import first_nets as nets

EAGER = {"digits_mlp": nets.DigitsMlp, "digits_conv": nets.DigitsConv, "digits_residual": nets.DigitsResidual}
SETTINGS = AnalyzeSettings(samples=20, eps={"linf": (0.05,), "l2": (0.3,)}, effort="fast", deterministic=True)
# What a search finds, or a proof reaches, turns on the last bits of the logits, and on which layers were folded.
_SEARCHED = ("robustness", "adversarial", "attacked", "certificates", "radii", "brackets", "evaluation", "correlation")


# The residual net is attacked elsewhere; four more times would only cost time.
CHEAPER = dataclasses.replace(SETTINGS, samples=10, analyses=("layers", "lipschitz", "jacobian", "margins"))


def _record(path: Path, data: Path, settings: AnalyzeSettings = SETTINGS) -> ModelRecord:
    request = AnalyzeRequest(model=path, data=str(data), scale=16, input_range=(0.0, 1.0), settings=settings)
    return analyze_file(request).models[0]


def _numbers(value: Any, path: str = "") -> dict[str, float]:
    """Every number of a record by its path; timings and what names the file left out.

    So are local Lipschitz constants: how far their linear bounds get for their price turns on which layers were folded.
    """
    if isinstance(value, LipschitzRecord) and value.scope == "local":
        return {}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
    elif isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, tuple):
        items = [(str(i), item) for i, item in enumerate(value)]
    elif isinstance(value, int | float):
        return {path: float(value)}
    else:
        return {}
    hidden = {"timing", "fidelity", "nodes", "counts"}
    return {k: v for name, item in items if name not in hidden for k, v in _numbers(item, f"{path}.{name}").items()}


def _tolerance(path: str) -> dict[str, float]:
    """Two samples of twenty in an accuracy, anything in other figures of a search; the last digits of all else."""
    if any(word in path for word in _SEARCHED):
        return {"abs": 0.11 if path.endswith("accuracy") else float("inf")}
    return {"rel": 1e-5, "abs": 1e-5}


def _variants(sample_models: Path, folder: Path, name: str) -> list[Path]:
    scripted = torch.jit.load(str(sample_models / f"{name}.pt"), map_location="cpu").eval()
    eager = EAGER[name]()
    eager.load_state_dict(scripted.state_dict())
    traced = torch.jit.trace(eager.eval(), torch.rand(1, 1, 8, 8), check_trace=False)
    torch.jit.save(traced, str(folder / "traced.pt"))
    torch.jit.save(torch.jit.freeze(scripted), str(folder / "frozen.pt"))
    return [folder / "traced.pt", folder / "frozen.pt", sample_models / f"{name}.onnx", sample_models / f"{name}.pt2"]


@pytest.mark.parametrize("name", ["digits_mlp", "digits_conv", "digits_residual"])
def test_five_guises_of_one_net_agree(sample_models: Path, tmp_path: Path, name: str) -> None:
    data = sample_models / "digits_test.npz"
    settings = CHEAPER if name == "digits_residual" else SETTINGS
    expected = _numbers(_record(sample_models / f"{name}.pt", data, settings))
    assert len(expected) > 100
    for path in _variants(sample_models, tmp_path, name):
        found = _numbers(_record(path, data, settings))
        assert found.keys() == expected.keys()
        # Freezing folds batch norms away; the ONNX exporter gives a convolution without a bias one of zeros.
        wrong_count = {"frozen.pt": "parameters", "digits_residual.onnx": ".signature.parameters"}.get(path.name, "-")
        found |= {k: v for k, v in expected.items() if k.endswith(wrong_count)}
        near = {k: pytest.approx(v, **_tolerance(k)) for k, v in expected.items()}
        wrong = {k: (v, found[k]) for k, v in expected.items() if found[k] != near[k]}
        assert wrong == {}, path.name


def test_the_same_run_gives_the_same_bytes(sample_models: Path) -> None:
    request = AnalyzeRequest(
        model=sample_models / "digits_conv.onnx", data=str(sample_models / "digits_test.npz"), settings=SETTINGS
    )
    assert to_json(analyze_file(request)) == to_json(analyze_file(request))


def test_a_module_gives_the_report_of_its_file(sample_models: Path) -> None:
    module = torch.jit.load(io.BytesIO((sample_models / "digits_conv.pt").read_bytes())).eval()
    data = sample_models / "digits_test.npz"
    from_file = _numbers(_record(sample_models / "digits_conv.pt", data))
    in_memory = lipcert.analyze(module, str(data), settings=SETTINGS, scale=16, input_range=(0.0, 1.0)).models[0]
    assert _numbers(in_memory) == pytest.approx(from_file, rel=1e-6, abs=1e-6)
