"""The sample network of digits in integer arithmetic, and with a sign in place of its first activation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2] / "sample_models"


def _weights() -> dict[str, np.ndarray]:
    model = onnx.load(ROOT / "digits_mlp.onnx")
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _model(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray]) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def integer_digits(path: Path) -> Path:
    """Weights and activations in eight bits: DynamicQuantizeLinear and MatMulInteger in every layer."""
    weights, nodes, constants = _weights(), [helper.make_node("Flatten", ["x"], ["h0"])], {}
    for i in (1, 2, 3):
        weight = weights[f"fc{i}.weight"].T
        step = np.float32(np.abs(weight).max() / 127)
        constants |= {
            f"w{i}": np.round(weight / step).astype(np.int8),
            f"s{i}": step,
            f"b{i}": weights[f"fc{i}.bias"],
        }
        last = f"h{i}" if i < 3 else "y"
        nodes += [
            helper.make_node("DynamicQuantizeLinear", [f"h{i - 1}"], [f"q{i}", f"qs{i}", f"qz{i}"]),
            helper.make_node("MatMulInteger", [f"q{i}", f"w{i}", f"qz{i}"], [f"m{i}"]),
            helper.make_node("Cast", [f"m{i}"], [f"f{i}"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"qs{i}", f"s{i}"], [f"t{i}"]),
            helper.make_node("Mul", [f"f{i}", f"t{i}"], [f"u{i}"]),
            helper.make_node("Add", [f"u{i}", f"b{i}"], [f"v{i}" if i < 3 else last]),
        ]
        nodes += [helper.make_node("Relu", [f"v{i}"], [last])] if i < 3 else []
    onnx.save(_model(nodes, constants), path)
    return path


def sign_digits(path: Path) -> Path:
    """Inputs are compared with one half before the network reads them: no gradient anywhere."""
    weights = _weights()
    constants = {name.replace(".", "_"): value for name, value in weights.items()} | {"half": np.float32(0.5)}
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Sub", ["flat", "half"], ["shifted"]),
        helper.make_node("Sign", ["shifted"], ["h0"]),
    ]
    for i in (1, 2, 3):
        out = "y" if i == 3 else f"z{i}"
        nodes.append(helper.make_node("Gemm", [f"h{i - 1}", f"fc{i}_weight", f"fc{i}_bias"], [out], transB=1))
        nodes += [helper.make_node("Relu", [out], [f"h{i}"])] if i < 3 else []
    onnx.save(_model(nodes, constants), path)
    return path
