"""Files that take a fixed number of samples at a time are attacked like any other."""

import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import lipcert
from lipcert.records import AnalyzeSettings
from tests import graphs

SHAPE, BATCH = (2, 3, 5), 4


def _write(path):
    weight, bias = graphs.random(30, 3, seed=1), graphs.random(3, seed=2) / 10
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weight", "bias"], ["y"]),
        ],
        "fixed",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (BATCH, *SHAPE))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (BATCH, 3))],
        [numpy_helper.from_array(weight.numpy(), "weight"), numpy_helper.from_array(bias.numpy(), "bias")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return weight, bias


@pytest.mark.parametrize("count", [1, 6])
def test_a_linear_file_of_fixed_batch_falls_exactly_where_its_closed_form_does(count, tmp_path):
    weight, bias = _write(tmp_path / "net.onnx")
    inputs, eps = graphs.uniform(count, *SHAPE), 0.05
    logits = inputs.flatten(1) @ weight + bias
    labels = logits.argmax(dim=1)
    settings = AnalyzeSettings(analyses=("robustness",), eps={"linf": (eps,)})
    report = lipcert.analyze(tmp_path / "net.onnx", inputs, labels.numpy(), settings=settings)
    (record,) = report.models[0].robustness
    gaps = weight.T[labels][:, None] - weight.T[None]
    least = (logits.gather(1, labels[:, None]) - logits - eps * gaps.abs().sum(dim=2)).double()
    least = least.scatter(1, labels[:, None], torch.inf).amin(dim=1)
    assert record.robust_accuracy == pytest.approx(float((least > 0).double().mean()))
    assert record.scored_by.startswith("onnxruntime")
