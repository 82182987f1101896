"""The node suite of the onnx package: what is read, what is refused and why, and that nothing is wrong."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from lipcert.errors import LipcertError
from lipcert.load.onnx_support import supported_operators
from tests.load.node_suite import NOT_FOR_CLASSIFIERS, ONNX_VERSION, collect, kind, outcomes, prepare, refusals

TABLE_VERSION = "1.23"

# Every refusal of the suite in onnx 1.23, by reason. A case that begins to pass, or to be refused, changes a count.
REFUSALS = {
    "Add: it cannot be run on inputs": 3,
    "BatchNormalization: batch normalisation in training mode mixes samples": 2,
    "BitwiseNot: it cannot be run on inputs": 1,
    "Div: it cannot be run on inputs": 3,
    "Dropout: dropout in training mode is random": 4,
    "Greater: it cannot be run on inputs": 6,
    "GreaterOrEqual: it cannot be run on inputs": 3,
    "Less: it cannot be run on inputs": 6,
    "LessOrEqual: it cannot be run on inputs": 3,
    "Max: it cannot be run on inputs": 3,
    "MeanVarianceNormalization: it normalises over the batch axis": 1,
    "Min: it cannot be run on inputs": 3,
    "Mod: it cannot be run on inputs": 3,
    "Range: input 0 decides a shape or an index and depends on the data": 3,
    "ReduceMax: it cannot be run on inputs": 1,
    "Sub: it cannot be run on inputs": 3,
    "the model contains a file decoder": 9,
    "the model contains a recurrent layer": 18,
    "the model contains a result whose size depends on the data": 17,
    "the model contains classical machine-learning operators (ai.onnx.ml)": 4,
    "the model contains control flow": 33,
    "the model contains operators of the custom domain 'ai.onnx.preview'": 11,
    "the model contains operators of the custom domain 'ai.onnx.preview.training'": 7,
    "the model contains random numbers": 6,
    "the model contains sequences or optional values": 8,
    "the model contains text": 7,
    "unsupported: Attention": 15,
    "unsupported: BitCast": 10,
    "unsupported: Cast": 3,
    "unsupported: CausalConvWithState": 2,
    "unsupported: Constant": 3,
    "unsupported: DFT": 10,
    "unsupported: DeformConv": 4,
    "unsupported: FLOAT4E2M1": 14,
    "unsupported: FLOAT8E4M3FN": 22,
    "unsupported: FLOAT8E4M3FNUZ": 18,
    "unsupported: FLOAT8E5M2": 20,
    "unsupported: FLOAT8E5M2FNUZ": 18,
    "unsupported: FLOAT8E8M0": 4,
    "unsupported: INT2": 17,
    "unsupported: INT4": 17,
    "unsupported: LinearAttention": 9,
    "unsupported: MelWeightMatrix": 1,
    "unsupported: NegativeLogLikelihoodLoss": 34,
    "unsupported: RoiAlign": 3,
    "unsupported: STFT": 2,
    "unsupported: STRING": 26,
    "unsupported: UINT2": 17,
    "unsupported: UINT4": 17,
    "unsupported: sequence": 26,
}

# Float32 cases (parameters may be integers or flags) of operators that classifiers are made of.
CLASSIFIER_REFUSALS = {
    "test_causal_conv_with_state_with_past_state",
    "test_causal_conv_with_state_silu_with_past_state",
    "test_mvn",
}


def classifier_cases():
    return [c for c in collect() if kind(c) != "other" and not NOT_FOR_CLASSIFIERS.search(c.name)]


def test_no_case_of_the_suite_is_wrong():
    found = outcomes()
    assert len(found) >= 1800
    assert [name for name, outcome in found.items() if outcome == "wrong"] == []


@pytest.mark.skipif(ONNX_VERSION != TABLE_VERSION, reason=f"the table is counted on onnx {TABLE_VERSION}")
def test_refusals_are_those_of_the_table():
    assert len(outcomes()) == 1884
    assert dict(refusals()) == REFUSALS


def test_float_cases_for_classifiers_pass():
    cases = classifier_cases()
    refused = {case.name for case in cases if outcomes()[case.name] != "pass"}
    assert len(cases) - len(refused) >= 660
    assert refused <= CLASSIFIER_REFUSALS


def test_at_least_110_operators_are_read():
    assert len(supported_operators()) >= 110


def captured_otherwise(cases):
    """How many cases were captured, and which of them then compute something else on other data."""
    captured, different = 0, []
    for case in cases:
        try:
            interpreter, inputs, _ = prepare(case)
        except LipcertError:
            continue
        if outcomes()[case.name] != "pass" or not inputs or inputs[0].numel() == 0:
            continue
        module = make_fx(interpreter)(*inputs)
        other = inputs[0] * 0.875 + 0.0625
        pairs = zip(module(other), interpreter(other), strict=True)
        if not all(torch.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True) for a, b in pairs):
            different.append(case.name)
        captured += 1
    return captured, different


def test_nothing_of_the_input_is_baked_into_a_capture():
    captured, different = captured_otherwise(c for c in classifier_cases() if "expanded" not in c.name)
    assert captured >= 300
    assert different == []


@pytest.mark.slow
def test_nothing_of_the_input_is_baked_into_any_capture():
    captured, different = captured_otherwise(collect())
    assert captured >= 1100
    assert different == []
