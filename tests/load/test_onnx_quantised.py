"""Quantised graphs: the integers they compute, and the real function they stand for."""

import onnx
import pytest
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from torch.fx.experimental.proxy_tensor import make_fx

from lipcert.load.onnx_model import read_onnx
from tests.load.onnx_models import model, node, weights

SHAPE = (2, 8, 8)
QUANTISERS = {
    "dynamic": quantize_dynamic,
    "dynamic, per channel": lambda a, b: quantize_dynamic(a, b, per_channel=True),
    "pairs": lambda a, b: static(a, b, QuantFormat.QDQ),
    "pairs, per channel": lambda a, b: static(a, b, QuantFormat.QDQ, per_channel=True),
    "pairs, signed": lambda a, b: static(a, b, QuantFormat.QDQ, activation_type=QuantType.QInt8),
    "pairs, 16 bits": lambda a, b: static(
        a, b, QuantFormat.QDQ, activation_type=QuantType.QUInt16, extra_options={"UseQDQContribOps": True}
    ),
    "operators": lambda a, b: static(a, b, QuantFormat.QOperator),
    "operators, per channel": lambda a, b: static(a, b, QuantFormat.QOperator, per_channel=True),
    "operators, signed": lambda a, b: static(a, b, QuantFormat.QOperator, activation_type=QuantType.QInt8),
}


def samples(count, seed):
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(seed))


class Calibration(CalibrationDataReader):
    def __init__(self):
        self.batches = iter([{"x": samples(1, seed).numpy()} for seed in range(20)])

    def get_next(self):
        return next(self.batches, None)


def static(source, target, form, **options):
    quantize_static(source, target, Calibration(), quant_format=form, weight_type=QuantType.QInt8, **options)


def residual_net():
    """Convolutions, pooling and a residual sum: what quantisers fuse, and the Relus they drop."""
    nodes = [
        node("Conv", "x w1 b1", "c1", pads=[1, 1, 1, 1]),
        node("Relu", "c1", "r1"),
        node("MaxPool", "r1", "p1", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "p1 w2 b2", "c2", pads=[1, 1, 1, 1]),
        node("Add", "c2 p1", "s"),
        node("Relu", "s", "r2"),
        node("GlobalAveragePool", "r2", "g"),
        node("Flatten", "g", "f"),
        node("Gemm", "f w3 b3", "y", transB=1),
    ]
    sizes = {"w1": (6, 2, 3, 3), "b1": (6,), "w2": (6, 6, 3, 3), "b2": (6,), "w3": (3, 6), "b3": (3,)}
    constants = {name: weights(*size, seed=seed) for seed, (name, size) in enumerate(sizes.items())}
    return model(nodes, constants, shape=("N", *SHAPE))


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("float") / "net.onnx"
    onnx.save(residual_net(), path)
    return path


@pytest.fixture(params=QUANTISERS)
def quantised(request, original, tmp_path):
    path = tmp_path / "quantised.onnx"
    QUANTISERS[request.param](original, path)
    return path


def deviation(a, b):
    return float((a - b).abs().max() / (b.max() - b.min()))


@torch.no_grad()
def test_integers_are_those_of_onnxruntime(quantised):
    source = read_onnx(quantised, quantised="integer")
    for batch in (1, 5):
        x = samples(batch, 100)
        assert deviation(source.function(x), source.oracle(x)) <= 1e-5


@torch.no_grad()
def test_float_reading_is_close_to_the_integers_and_to_the_net_before_quantisation(quantised, original):
    source, x = read_onnx(quantised), samples(16, 101)
    assert source.quantised
    assert "read as float" in source.notes[0]
    ours, integers, before = source.function(x), source.oracle(x), read_onnx(original).function(x)
    assert deviation(ours, integers) <= 0.02
    assert deviation(ours, before) <= 0.05
    assert (ours.argmax(1) == integers.argmax(1)).float().mean() >= 0.9


def test_float_reading_has_a_gradient_and_can_be_captured(quantised):
    function, x = read_onnx(quantised).function, samples(3, 102)
    captured = make_fx(function)(x)
    names = {str(node.target) for node in captured.graph.nodes if node.op == "call_function"}
    assert not {name for name in names if "round" in name}
    torch.testing.assert_close(captured(samples(3, 103)), function(samples(3, 103)))
    jacobian = torch.func.jacrev(lambda sample: function(sample[None])[0])(x[0])
    assert (jacobian.flatten(1).abs().amax(1) > 0).all()


def test_a_relu_dropped_by_the_quantiser_is_still_there():
    """A quantiser whose zero point is its smallest integer cuts negative values off; the float reading must too."""
    proto = model(
        [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "y")],
        {"s": torch.tensor(0.1).numpy(), "z": torch.tensor(0, dtype=torch.uint8).numpy()},
    )
    source = read_onnx(data=proto.SerializeToString())
    x = torch.tensor([[-1.0, 0.04, 1.23, 99.0]])
    torch.testing.assert_close(source.function(x), torch.tensor([[0.0, 0.04, 1.23, 25.5]]))
    torch.testing.assert_close(source.oracle(x), torch.tensor([[0.0, 0.0, 1.2, 25.5]]))


def test_weights_stored_as_integers_do_not_make_a_graph_quantised():
    proto = model(
        [node("DequantizeLinear", "w s", "d"), node("MatMul", "x d", "y")],
        {
            "w": torch.randint(-128, 127, (4, 3), dtype=torch.int8, generator=torch.Generator().manual_seed(0)).numpy(),
            "s": torch.tensor(0.02).numpy(),
        },
    )
    source = read_onnx(data=proto.SerializeToString())
    assert not source.quantised
    x = torch.rand(5, 4, generator=torch.Generator().manual_seed(1))
    assert deviation(source.function(x), source.oracle(x)) <= 1e-6


def dynamic_product(rescaling):
    """A dynamically quantised matrix product, rescaled by nodes that name its parts c (the cast), s and v (scales)."""
    nodes = [
        node("DynamicQuantizeLinear", "x", "q s z"),
        node("MatMulInteger", "q w z", "p"),
        node("Cast", "p", "c", to=1),
        *rescaling,
    ]
    weight = torch.randint(-128, 127, (4, 3), dtype=torch.int8, generator=torch.Generator().manual_seed(0))
    return model(nodes, {"w": weight.numpy(), "v": torch.tensor(0.01).numpy()})


RESCALINGS = {
    "by the product of scales": [node("Mul", "s v", "sv"), node("Mul", "c sv", "y")],
    "the other way round": [node("Mul", "v s", "sv"), node("Mul", "sv c", "y")],
    "one after another": [node("Mul", "c s", "cs"), node("Mul", "cs v", "y")],
    "read twice": [
        node("Mul", "s v", "sv"),
        node("Mul", "c sv", "r"),
        node("Sub", "c c", "n"),
        node("Add", "r n", "y"),
    ],
}


@pytest.mark.parametrize("name", RESCALINGS)
def test_a_dynamic_product_is_the_real_one_however_it_is_rescaled(name):
    source = read_onnx(data=dynamic_product(RESCALINGS[name]).SerializeToString())
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(source.function(x), x @ (source.named["w"] * source.named["v"]))
    assert deviation(source.function(x), source.oracle(x)) <= 0.02


def test_a_layer_of_the_float_reading_acts_with_its_dequantised_weight():
    source = read_onnx(data=dynamic_product(RESCALINGS["by the product of scales"]).SerializeToString())
    assert [node.op for node in source.function.interpreter.graph.nodes] == ["DequantizeLinear", "MatMul"]
