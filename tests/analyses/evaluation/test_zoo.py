"""Masked models are told from healthy ones."""

import pytest

from lipcert.analyses.evaluation import CHECKS, evaluate
from tests.analyses.evaluation import zoo

FOUND_BY = {
    "vanishing gradient": {"zero_gradient", "planted"},
    "no gradient": {"zero_gradient", "gradient_agreement", "planted", "iterative", "black_box"},
    "clipped logits": {"zero_gradient", "black_box"},
    "softmax output": {"probabilities"},
    "saturated logits": {"saturation"},
    "quantised input": {"zero_gradient", "plateau", "black_box"},
    "straight-through": {"gradient_agreement"},
    "stochastic layer": {"repeatable"},
    "detached branch": {"gradient_agreement", "first_order"},
    "half detached": {"gradient_agreement", "black_box"},
}


def _flagged(record):
    return {check.id.removeprefix("evaluation.") for check in record.checks if check.status in ("warn", "fail")}


@pytest.mark.parametrize("name", ["digits_conv", "digits_mlp", "digits_residual"])
def test_a_healthy_model_is_sound(name):
    record = evaluate(zoo.healthy(name))
    assert _flagged(record) == set()
    assert record.verdict == "sound"
    assert sum(check.status == "pass" for check in record.checks) > 20


@pytest.mark.parametrize("name", ["digits_conv", "digits_mlp"])
@pytest.mark.parametrize("kind", zoo.PLANTED)
def test_a_masked_model_is_flagged(kind, name):
    record = evaluate(zoo.masked(kind, name))
    assert _flagged(record) >= FOUND_BY[kind] - ({"black_box"} if name != "digits_conv" else set())
    assert record.verdict == "broken" or kind in ("saturated logits", "clipped logits")
    assert record.verdict != "sound"


@pytest.mark.parametrize("kind", ["data too wide", "range too wide", "no range"])
def test_units_that_do_not_fit_are_flagged(kind):
    record = evaluate(zoo.wrong_range(kind))
    assert _flagged(record) & {"range", "radius"}
    assert record.verdict != "sound"


def test_every_check_says_what_to_do_and_where_it_comes_from():
    for name, check in CHECKS.items():
        assert check.reference
        assert check.hint or name == "gap"
        assert (check.of_model is None) != (check.of_ball is None)


def test_hints_come_with_what_did_not_pass():
    for check in evaluate(zoo.masked("quantised input")).checks:
        assert bool(check.hint) == (check.status in ("warn", "fail"))
        assert check.message
        assert (check.value is None) == (check.status == "skipped")
