"""The nine ImageNet nets inside the onnx package, with seeded weights in place of their constant ones."""

import math
from pathlib import Path

import onnx
import onnxruntime
import pytest
import torch
from onnx import ModelProto, numpy_helper

from lipcert.load.onnx_model import read_onnx

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
QUICK = ("squeezenet",)
NETS = (
    "bvlc_alexnet",
    "densenet121",
    "inception_v1",
    "inception_v2",
    "resnet50",
    "shufflenet",
    "squeezenet",
    "vgg19",
    "zfnet512",
)

# What stands at each input of a layer; anything else of one axis that is multiplied or added counts likewise.
ROLES = {
    "Conv": ("", "weight", "shift"),
    "Gemm": ("", "weight", "shift"),
    "BatchNormalization": ("", "scale", "shift", "shift", "variance"),
    "Mul": ("", "scale"),
    "Add": ("", "shift"),
    "Sum": ("", "shift"),
}


def draw(role, shape, generator):
    """Weights that keep the variance of a rectified signal, and statistics near those of one."""
    noise = torch.randn(shape, generator=generator)
    if role == "weight":
        return noise * math.sqrt(2 / max(1, math.prod(shape[1:])))
    if role == "shift":
        return noise * 0.05
    return 1 + 0.1 * noise.clamp(-3, 3)


def with_random_weights(model, seed):
    """The model with every constant a layer reads drawn anew."""
    roles = {}
    views = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Unsqueeze"}
    for node in model.graph.node:
        for name, role in zip(node.input, ROLES.get(node.op_type, ()), strict=False):
            roles[views.get(name, name)] = role
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    made = {n.output[0]: stored[n.input[0]] for n in model.graph.node if n.op_type == "ConstantOfShape"}
    shapes = {name: numpy_helper.to_array(shape).tolist() for name, shape in made.items()}
    shapes |= {name: list(t.dims) for name, t in stored.items() if t.data_type == onnx.TensorProto.FLOAT}
    generator = torch.Generator().manual_seed(seed)
    result = ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:], result.graph.initializer[:]
    result.graph.node.extend(n for n in model.graph.node if n.op_type != "ConstantOfShape")
    result.graph.initializer.extend(t for name, t in stored.items() if name not in shapes)
    for name, shape in shapes.items():
        value = draw(roles.get(name, "scale"), shape, generator)
        result.graph.initializer.append(numpy_helper.from_array(value.numpy(), name))
    return result


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETS]
)
def test_net_agrees_with_onnxruntime(name):
    model = with_random_weights(onnx.load(LIGHT / f"light_{name}.onnx"), seed=NETS.index(name))
    source = read_onnx(data=model.SerializeToString(), output_name=scores(model))
    assert source.oracle.name == f"onnxruntime {onnxruntime.__version__}"
    x = torch.randn(2, *source.input_shape, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        ours, theirs = source.function(x), source.oracle(x)
    assert ours.shape[0] == 2
    spread = theirs.max() - theirs.min()
    assert spread > 1e-3
    assert (ours - theirs).abs().max() <= 1e-4 * spread


def scores(model):
    """The value before the softmax, which saturates on random weights; the output where there is none."""
    last = model.graph.node[-1]
    return last.input[0] if last.op_type == "Softmax" else model.graph.output[0].name


def test_all_nets_of_the_package_are_listed():
    assert {path.stem.removeprefix("light_") for path in LIGHT.glob("*.onnx")} == set(NETS)
