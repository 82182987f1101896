"""Each norm end to end: certified below, attacked above, in one document."""

import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "sample_models"


@pytest.mark.parametrize(("norm", "eps"), [("l1", "0.1,0.6"), ("l2", "0.05"), ("linf", "0.01")])
def test_a_norm_is_certified_and_attacked_in_its_own_balls(lipcert, norm, eps):
    data = ("--data", SAMPLES / "digits_test.npz", "--samples", "24")
    asked = ("--norm", norm, "--eps", eps, "--only", "robustness,certificates", "--effort", "fast", "-f", "json")
    outcome = lipcert("analyze", SAMPLES / "digits_mlp.onnx", *data, *asked)
    assert outcome.code == 0, outcome.err
    (model,) = json.loads(outcome.out)["models"]
    balls = {(norm, float(level)) for level in eps.split(",")}
    assert {(record["norm"], record["eps"]) for record in model["certificates"]} == balls
    assert {(record["norm"], record["eps"]) for record in model["robustness"]} == balls
    assert model["certificates"][0]["certified_accuracy"] > 0.5
    for bracket in model["brackets"]:
        assert bracket["certified_accuracy"] <= bracket["robust_accuracy"]
    assert [record["norm"] for record in model["radii"]] == [norm]
    for record in model["certificates"]:
        assert record["untried"] <= record["verdicts"].get("unknown", 0)
