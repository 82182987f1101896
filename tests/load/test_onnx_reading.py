"""How a file's own words are read: batch sizes, number types, layouts, names, old operator sets."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.fx.experimental.proxy_tensor import make_fx

from lipcert.load.onnx_model import ONE_BY_ONE, read_onnx
from tests.load.onnx_models import FLOAT, dense, model, node, weights

IMAGE = (2, 4, 4)


def read(proto, **options):
    return read_onnx(data=proto.SerializeToString(), **options)


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def agree(source, batch=5, shape=None):
    x = uniform(batch, *(shape or source.input_shape))
    theirs = source.oracle(x)
    assert theirs.shape[0] == batch
    torch.testing.assert_close(source.function(x), theirs, rtol=1e-4, atol=1e-5)


def ints(*values):
    return np.array(values, dtype=np.int64)


# How exporters write the step from an image to a vector, for a file that fixes its batch at `b`.
FLATTENINGS = {
    "Flatten": lambda b: ([node("Flatten", "x", "f")], {}),
    "Reshape (b, -1)": lambda b: ([node("Reshape", "x s", "f")], {"s": ints(b, -1)}),
    "Reshape (-1, 32)": lambda b: ([node("Reshape", "x s", "f")], {"s": ints(-1, 32)}),
    "Reshape (b, 32)": lambda b: ([node("Reshape", "x s", "f")], {"s": ints(b, 32)}),
    "Reshape (0, -1)": lambda b: ([node("Reshape", "x s", "f")], {"s": ints(0, -1)}),
    "Reshape twice": lambda b: (
        [node("Reshape", "x s", "g"), node("Reshape", "g t", "f")],
        {"s": ints(2 * b, 16), "t": ints(b, 32)},
    ),
    "Shape, Gather, Concat": lambda b: (
        [
            node("Shape", "x", "shape"),
            node("Gather", "shape zero", "n"),
            node("Unsqueeze", "n axis", "n1"),
            node("Concat", "n1 rest", "s", axis=0),
            node("Reshape", "x s", "f"),
        ],
        {"zero": np.int64(0), "axis": ints(0), "rest": ints(-1)},
    ),
}


def flattened(name, batch):
    nodes, constants = FLATTENINGS[name](batch or 1)
    constants |= {"w": weights(3, 32), "b": weights(3, seed=1)}
    return model([*nodes, node("Gemm", "f w b", "y", transB=1)], constants, shape=(batch, *IMAGE))


@pytest.mark.parametrize("batch", [1, 2, 64])
@pytest.mark.parametrize("name", FLATTENINGS)
def test_a_fixed_batch_is_read_as_a_free_one(name, batch):
    source = read(flattened(name, batch))
    assert source.declared_batch == batch
    assert source.oracle.fixed_batch == batch
    agree(source, 5)
    agree(source, 1)


@pytest.mark.parametrize("declared", [0, -1, None, "batch"])
def test_an_open_batch_is_open(declared):
    proto = flattened("Reshape (0, -1)", 1)
    size = proto.graph.input[0].type.tensor_type.shape.dim[0]
    size.Clear()
    if isinstance(declared, int):
        size.dim_value = declared
    elif declared:
        size.dim_param = declared
    source = read(proto)
    assert source.declared_batch is None
    assert source.input_shape == IMAGE
    agree(source, 3)


def test_a_literal_batch_of_one_in_a_file_that_declares_none():
    proto = flattened("Reshape (b, 32)", None)
    source = read(proto)
    assert source.declared_batch == 1
    agree(source, 4)


def test_a_batch_the_size_of_a_data_set_is_run_free():
    source = read(dense(batch=789444))
    assert source.declared_batch == 789444
    assert source.oracle.fixed_batch is None
    agree(source, 3)


def class_token_net():
    """Attention over patches with a class token, exported at batch one: the batch hides inside shapes."""
    nodes = [
        node("Concat", "token x", "s", axis=1),
        node("Transpose", "s", "st", perm=[1, 0, 2]),
        node("Reshape", "st heads", "h"),
        node("Transpose", "h", "q", perm=[1, 0, 2]),
        node("Transpose", "q", "k", perm=[0, 2, 1]),
        node("MatMul", "q k", "qk"),
        node("Softmax", "qk", "a", axis=-1),
        node("MatMul", "a q", "o"),
        node("Transpose", "o", "ot", perm=[1, 0, 2]),
        node("Reshape", "ot joined", "j"),
        node("Gather", "j zero", "y", axis=0),
    ]
    constants = {
        "token": weights(1, 1, 6),
        "heads": ints(5, 2, 3),
        "joined": ints(5, 6),
        "zero": ints(0),
    }
    return model(nodes, constants, shape=(1, 4, 6))


def test_a_net_that_cannot_run_a_batch_runs_sample_by_sample():
    source = read(class_token_net())
    assert ONE_BY_ONE in source.notes
    agree(source, 3)
    captured = make_fx(source.function)(uniform(2, 4, 6))
    x = uniform(2, 4, 6, seed=1)
    torch.testing.assert_close(captured(x), source.function(x))


def typed(elem_type, nodes, constants, shape=("N", 4)):
    return model(nodes, constants, inputs={"x": (elem_type, shape)})


def test_bytes_that_are_cast_at_once():
    nodes = [node("Transpose", "x", "t", perm=[0, 1]), node("Cast", "t", "f", to=FLOAT), node("MatMul", "f w", "y")]
    source = read(typed(TensorProto.UINT8, nodes, {"w": weights(4, 3)}))
    assert any("uint8" in note for note in source.notes)
    agree(source)
    assert make_fx(source.function)(uniform(2, 4)).graph.nodes


@pytest.mark.parametrize(
    ("elem_type", "dtype", "tolerance"),
    [
        (TensorProto.DOUBLE, np.float64, 1e-6),
        (TensorProto.FLOAT16, np.float16, 5e-3),
    ],
)
def test_other_precisions_are_read_as_float32_and_say_so(elem_type, dtype, tolerance):
    weight = weights(4, 3).astype(dtype)
    proto = typed(elem_type, [node("MatMul", "x w", "y")], {"w": weight})
    proto.graph.output[0].type.tensor_type.elem_type = elem_type
    source = read(proto)
    assert source.quantised == (elem_type == TensorProto.FLOAT16)
    assert any("read as float32" in note for note in source.notes)
    assert source.named["w"].dtype == torch.float32
    x = uniform(3, 4)
    assert source.function(x).dtype == torch.float32
    torch.testing.assert_close(source.function(x), source.oracle(x), rtol=tolerance, atol=tolerance)
    exact = read(proto, quantised="integer")
    torch.testing.assert_close(exact.function(x), exact.oracle(x), rtol=1e-6, atol=tolerance / 5)


def test_names_are_the_very_tensors_read():
    proto = model(
        [
            helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(weights(3, seed=1))),
            node("Gemm", "x w b", "y"),
        ],
        {"w": weights(4, 3), "unused": weights(9)},
    )
    proto.graph.input.append(helper.make_tensor_value_info("w", FLOAT, (4, 3)))
    source = read(proto)
    assert set(source.named) == {"w", "b"}
    captured = make_fx(source.function)(uniform(2, 4))
    held = [value for name, value in vars(captured).items() if isinstance(value, torch.Tensor)]
    held += list(captured.buffers())
    pointers = {value.data_ptr() for value in held}
    assert {value.data_ptr() for value in source.named.values()} <= pointers


def test_nodes_in_any_order():
    proto = model([node("Relu", "h", "y"), node("MatMul", "x w", "h")], {"w": weights(4, 3)})
    agree(read(proto))


def test_an_input_nothing_depends_on_is_dropped():
    inputs = {"x": (FLOAT, ("N", 4)), "labels": (TensorProto.INT64, ("N",))}
    source = read(model([node("MatMul", "x w", "y")], {"w": weights(4, 3)}, inputs=inputs))
    assert any("labels" in note for note in source.notes)
    agree(source)


def test_a_sparse_initializer_is_written_out():
    values = numpy_helper.from_array(np.array([2.0, -3.0], dtype=np.float32), "w")
    for indices in (ints(1, 11), np.array([[0, 1], [3, 2]], dtype=np.int64)):
        proto = model([node("MatMul", "x w", "y")])
        sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(indices), [4, 3])
        proto.graph.sparse_initializer.append(sparse)
        source = read(proto, require_oracle=False)
        expected = torch.zeros(4, 3)
        expected[0, 1], expected[3, 2] = 2, -3
        assert torch.equal(source.named["w"], expected)


def test_functions_of_the_model_are_put_in_place():
    body = [node("MatMul", "a b", "m"), node("Relu", "m", "c")]
    function = helper.make_function("mine", "layer", ["a", "b"], ["c"], body, [helper.make_opsetid("", 17)])
    proto = model(
        [helper.make_node("layer", ["x", "w"], ["y"], domain="mine")], {"w": weights(4, 3)}, domains=("mine",)
    )
    proto.functions.append(function)
    agree(read(proto))


def test_operators_onnx_defines_by_others_need_no_handler():
    constants = {name: weights(6, 6, seed=seed) for seed, name in enumerate("qkv")}
    nodes = [node("MatMul", f"x {name}", name.upper()) for name in "qkv"]
    nodes.append(node("Attention", "Q K V", "a", q_num_heads=2, kv_num_heads=2))
    nodes.append(node("ReduceMean", "a axes", "y", keepdims=0))
    proto = model(nodes, constants | {"axes": ints(1)}, shape=("N", 5, 6), opset=23)
    agree(read(proto))


OLD = {
    "Gemm 6": ([node("Gemm", "x w b", "y", broadcast=1, transB=1)], {"w": weights(3, 4), "b": weights(3)}, 6),
    "Gemm 7, scaled": (
        [node("Gemm", "x w b", "y", alpha=0.5, beta=2.0)],
        {"w": weights(4, 3), "b": weights(1, 3)},
        7,
    ),
    "Slice 9": ([node("Slice", "x", "y", starts=[1], ends=[-1], axes=[1])], {}, 9),
    "Clip 6": ([node("Clip", "x", "y", min=0.25, max=0.5)], {}, 6),
    "Softmax 12": ([node("Unsqueeze", "x", "u", axes=[2]), node("Softmax", "u", "y", axis=1)], {}, 12),
    "Squeeze 11": ([node("Unsqueeze", "x", "u", axes=[2]), node("Squeeze", "u", "y", axes=[2])], {}, 11),
    "ReduceMean 11": ([node("ReduceMean", "x", "y", axes=[1], keepdims=1)], {}, 11),
    "Split 2": ([node("Split", "x", "a b", split=[1, 3], axis=1), node("Concat", "b a", "y", axis=1)], {}, 7),
    "Pad 2": ([node("Pad", "x", "y", pads=[0, 1, 0, 2], value=0.5)], {}, 9),
    "Upsample 9": (
        [node("Unsqueeze", "x", "u", axes=[1, 2]), node("Upsample", "u s", "y", mode="linear")],
        {"s": np.array([1, 1, 1, 2], dtype=np.float32)},
        9,
    ),
    "Dropout 7": ([node("Dropout", "x", "y", ratio=0.5)], {}, 7),
    "BatchNormalization 7": (
        [node("BatchNormalization", "x g b m v", "y")],
        {"g": weights(4), "b": weights(4, seed=1), "m": weights(4, seed=2), "v": np.abs(weights(4, seed=3)) + 0.5},
        8,
    ),
}


@pytest.mark.parametrize("name", OLD)
def test_old_operator_sets(name):
    nodes, constants, opset = OLD[name]
    agree(read(model(nodes, constants, opset=opset)))


def test_before_operator_set_7_a_sum_is_aligned_at_an_axis():
    """By the words of the operator set: the version converter and the reference both align it elsewhere."""
    nodes = [node("Reshape", "x s", "r"), node("Add", "r c", "y", broadcast=1, axis=1)]
    source = read(model(nodes, {"s": ints(-1, 2, 2), "c": weights(2)}, opset=6), require_oracle=False)
    x = uniform(3, 4)
    expected = x.reshape(3, 2, 2) + torch.tensor(weights(2)).reshape(1, 2, 1)
    torch.testing.assert_close(source.function(x), expected)


def test_the_runtime_can_be_asked_for_any_value():
    proto = model([node("MatMul", "x w", "h"), node("Relu", "h", "r"), node("Softmax", "r", "y")], {"w": weights(4, 3)})
    oracle, x = read(proto).oracle, uniform(3, 4)
    assert oracle.logits_name == "r"
    torch.testing.assert_close(oracle.at("h")(x), x @ torch.tensor(weights(4, 3)))
    torch.testing.assert_close(oracle.at("r")(x).softmax(1), oracle(x))


def test_a_path_and_its_bytes_give_the_same(tmp_path):
    onnx.save(dense(), tmp_path / "m.onnx")
    x = uniform(2, 4)
    assert torch.equal(read_onnx(tmp_path / "m.onnx").function(x), read(dense()).function(x))
