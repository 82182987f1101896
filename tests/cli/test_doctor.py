"""`lipcert doctor` notices when known answers do not come out."""

import json
from dataclasses import replace

import pytest

from lipcert.cli import self_test
from lipcert.cli.self_test import judge, run_self_test


@pytest.fixture(scope="module")
def toy():
    """The model record of the network that is solved by hand."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(self_test, "judge", lambda model: found.append(model) or [])
        run_self_test()
    return found[0]


def failed(model):
    return [check.name for check in judge(model) if not check.passed]


def test_the_known_answers_come_out(toy):
    assert failed(toy) == []
    assert len(judge(toy)) == 12


def test_a_wrong_number_is_noticed(toy):
    layer = toy.layers[0]
    low = replace(layer.spectral_norm, lower=2.0, upper=2.5)
    high = replace(layer.spectral_norm, lower=2.6, upper=2.7)
    for wrong in (low, high):
        layers = (replace(layer, spectral_norm=wrong), toy.layers[1])
        assert failed(replace(toy, layers=layers)) == [f"layers.spectral_norm {layer.name}"]
    assert failed(replace(toy, margins=replace(toy.margins, clean_loss=0.3132))) == ["clean.loss"]
    far = replace(toy.radii[0].certified_radius, max=0.7)
    assert failed(replace(toy, radii=(replace(toy.radii[0], certified_radius=far),))) == ["certified.radius l2"]


def test_a_missing_result_is_noticed(toy):
    assert failed(replace(toy, jacobian=None)) == ["jacobian"]
    assert failed(replace(toy, layers=(), lipschitz=())) == ["layers", "lipschitz.l2"]


def test_a_broken_pipeline_is_a_finding(lipcert, monkeypatch):
    def fail():
        raise RuntimeError("boom")

    monkeypatch.setattr("lipcert.cli.examination.run_self_test", fail)
    outcome = lipcert("doctor", "--json")
    document = json.loads(outcome.out)
    assert outcome.code == document["exit_code"] == 3
    assert document["self_test"][0]["got"] == "RuntimeError: boom"
    assert document["packages"]["torch"] != "not installed"
    assert "Conv" in document["onnx_operators"]
    assert "convolution" in document["aten_rules"]
    told = lipcert("doctor").out
    assert "SELF-TEST FAILED" in told
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, lipcert("doctor", "-v").out.split("self-test")[0].splitlines())) <= 80
