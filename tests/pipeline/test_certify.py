"""Properties of the nets that ship with the project: robustness of one image, written as VNN-LIB."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import onnxruntime
import pytest
import torch

from lipcert.load.vnnlib import read_property
from lipcert.pipeline import CertifyRequest, certify_file
from lipcert.records.certify import CertifySettings

IMAGES = 6


def robustness(path, image, eps, label, classes=10):
    """No input within eps of the image, clipped to [0, 1], has another class at least as likely."""
    lines = [f"(declare-const X_{i} Real)" for i in range(image.size)]
    lines += [f"(declare-const Y_{i} Real)" for i in range(classes)]
    for i, value in enumerate(image.ravel()):
        lines += [f"(assert (>= X_{i} {max(0, value - eps):.8f}))", f"(assert (<= X_{i} {min(1, value + eps):.8f}))"]
    others = " ".join(f"(and (>= Y_{j} Y_{label}))" for j in range(classes) if j != label)
    path.write_text("\n".join([*lines, f"(assert (or {others}))"]))
    return path


def certify(model, prop, **settings):
    shape = (1, 8, 8) if model.suffix == ".pt" else None
    settings = {"timeout": 30.0} | settings
    return certify_file(
        CertifyRequest(model=model, property=prop, input_shape=shape, settings=CertifySettings(**settings))
    )


@pytest.fixture(scope="module")
def images(request):
    folder = request.config.rootpath / "sample_models"
    with np.load(folder / "digits_test.npz") as data:
        return data["images"][:IMAGES] / 16.0, data["labels"][:IMAGES]


@pytest.mark.parametrize("name", ["digits_mlp.onnx", "digits_conv.onnx", "digits_residual.onnx", "digits_conv.pt"])
def test_small_balls_are_proved_and_large_ones_broken(sample_models, images, tmp_path, name):
    model = sample_models / name
    pixels, labels = images
    verdicts = []
    for eps in (0.002, 0.5):
        prop = robustness(tmp_path / "p.vnnlib", pixels[0], eps, int(labels[0]))
        report = certify(model, prop)
        verdicts.append(report.verdict)
        assert report.fidelity.status == "faithful"
    assert verdicts == ["unsat", "sat"]


def test_every_counterexample_stands_up_and_no_proof_is_contradicted(sample_models, images, tmp_path):
    """Of one image, once sat at some eps no larger eps is unsat; each counterexample is run once more."""
    model = sample_models / "digits_mlp.onnx"
    session = onnxruntime.InferenceSession(model)
    name = session.get_inputs()[0].name
    for pixels, label in zip(*images, strict=True):
        broken = False
        for eps in (0.01, 0.04, 0.08):
            prop = robustness(tmp_path / "p.vnnlib", pixels, eps, int(label))
            report = certify(model, prop)
            assert report.verdict == ("sat" if broken or report.verdict == "sat" else "unsat")
            broken = report.verdict == "sat"
            if broken:
                (case,) = read_property(prop).cases
                point = report.counterexample.inputs
                assert all(a <= Fraction(x) <= b for a, x, b in zip(case.lower, point, case.upper, strict=True))
                (logits,) = session.run(None, {name: np.float32(point).reshape(1, 1, 8, 8)})
                assert case.violated_by([Fraction(float(z)) for z in logits[0]])


def test_efforts_and_arithmetics_agree_on_what_is_proved(sample_models, images, tmp_path):
    prop = robustness(tmp_path / "p.vnnlib", images[0][1], 0.02, int(images[1][1]))
    for settings in ({"effort": "high"}, {"deploy_dtype": "real"}, {"deploy_dtype": "bfloat16"}):
        report = certify(sample_models / "digits_mlp.onnx", prop, **settings)
        assert report.verdict in {"unsat", "unknown", "timeout"}
        assert report.settings.deploy_dtype in report.statement or settings.get("deploy_dtype") == "real"
    assert certify(sample_models / "digits_mlp.onnx", prop).verdict == "unsat"


@pytest.mark.slow
def test_an_acas_like_regression_is_settled(tmp_path):
    """Five inputs, three layers of 30: the top of a random net's range, cut on inputs until it is known to a fifth."""
    layers: list[torch.nn.Module] = []
    generator = torch.Generator().manual_seed(3)
    for columns, rows in ((5, 30), (30, 30), (30, 30), (30, 5)):
        layer = torch.nn.Linear(columns, rows)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(rows, columns, generator=generator) * (2 / columns) ** 0.5)
            layer.bias.copy_(torch.randn(rows, generator=generator) * 0.1)
        layers += [layer, torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1]).eval()
    torch.jit.trace(net, torch.zeros(1, 5)).save(str(tmp_path / "acas.pt"))
    points = torch.rand(200_000, 5, generator=generator) * 0.4 - 0.2
    highest = float(net(points).detach()[:, 0].max())
    for bound, verdict in ((highest + 0.2 * abs(highest) + 0.05, "unsat"), (highest - 0.01, "sat")):
        lines = [f"(declare-const {v} Real)" for v in (*(f"X_{i}" for i in range(5)), *(f"Y_{i}" for i in range(5)))]
        lines += [f"(assert (and (<= X_{i} 0.2) (>= X_{i} -0.2)))" for i in range(5)]
        prop = tmp_path / "p.vnnlib"
        prop.write_text("\n".join([*lines, f"(assert (>= Y_0 {bound}))"]))
        request = CertifyRequest(model=tmp_path / "acas.pt", property=prop, settings=CertifySettings(timeout=240.0))
        assert certify_file(request).verdict == verdict
