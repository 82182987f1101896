"""A model that gets every sample wrong leaves nothing to attack or to certify, and is analysed like any other."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import lipcert
from lipcert.records import AnalyzeSettings
from tests import graphs

SETTINGS = AnalyzeSettings(eps={"linf": (0.01, 0.05), "l2": (0.1,), "l1": (0.5,)}, effort="fast")


def _wrong(model, inputs, labels):
    (found,) = lipcert.analyze(model, inputs, labels, settings=SETTINGS, scale=1).models
    assert found.margins.clean_accuracy == 0
    assert {record.robust_accuracy for record in found.robustness} == {0}
    assert {record.certified_accuracy for record in found.certificates} == {0}
    assert {check.status for check in found.evaluation.checks} == {"skipped"}


@pytest.mark.parametrize("batch", [1, 4, "n"])
@pytest.mark.parametrize("count", [1, 6])
def test_an_onnx_file_of_any_batch(batch, count, tmp_path):
    weight, bias = graphs.random(30, 3, seed=1), graphs.random(3, seed=2) / 10
    nodes = [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("Gemm", ["flat", "weight", "bias"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "wrong",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (batch, 2, 3, 5))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (batch, 3))],
        [numpy_helper.from_array(weight.numpy(), "weight"), numpy_helper.from_array(bias.numpy(), "bias")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "net.onnx"
    )
    inputs = graphs.uniform(count, 2, 3, 5)
    _wrong(tmp_path / "net.onnx", inputs, (inputs.flatten(1) @ weight + bias).argmin(dim=1).numpy())


@pytest.mark.parametrize("suffix", ["pt", "onnx", "pt2"])
def test_a_sample_model(suffix, sample_models):
    with np.load(sample_models / "digits_test.npz") as data:
        inputs, labels = data["images"][:3].astype(np.float32) / 16, (data["labels"][:3] + 5) % 10
    _wrong(sample_models / f"digits_conv.{suffix}", inputs, labels)
