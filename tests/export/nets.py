"""Networks with something about their weights that a writer has to get right."""

import copy
import io

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn


def drawn(net, seed=0, scale=3.0):
    """The module in eval mode with large weights of its own generator."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale / parameter[0].numel() ** 0.5)
    return net.eval()


class Twice(nn.Module):
    """One layer applied at two sizes, and one applied twice over."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.inner = nn.Linear(8, 8)
        self.outer = nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = torch.relu(self.conv(x[:, :, ::2, ::2]))
        x = self.inner(torch.flatten(x, 1))
        return self.outer(torch.relu(self.inner(torch.relu(x))))


class Tied(nn.Module):
    """A weight that is also added to something."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, 4))

    def forward(self, x):
        return torch.relu(x @ self.weight) + self.weight[0]


def torchscript(net):
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(net), buffer)
    return buffer.getvalue()


def frozen(net):
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.freeze(torch.jit.script(copy.deepcopy(net).eval())), buffer)
    return buffer.getvalue()


def onnx_mlp(store):
    """4 -> 3 with two Gemm nodes; `store` turns (name, float array) into (tensors, nodes, name to read)."""
    generator = torch.Generator().manual_seed(1)
    tensors, nodes = [], []
    reads = {}
    for name, shape in (("a", (5, 4)), ("b", (3, 5))):
        array = (torch.randn(shape, generator=generator) * 2).numpy()
        more, before, reads[name] = store(name, array)
        tensors += more
        nodes += before
    nodes += [
        helper.make_node("Gemm", ["x", reads["a"]], ["h"], name="first", transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", reads["b"]], ["y"], name="second", transB=1, alpha=0.5),
    ]
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def plain(name, array):
    return [numpy_helper.from_array(array, name)], [], name


def as_constant(name, array):
    return [], [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))], name


def as_half(name, array):
    tensor = numpy_helper.from_array(array.astype("float16"), f"{name}_half")
    return [tensor], [helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT)], name


def as_integers(name, array):
    tensors = [
        numpy_helper.from_array((array * 20).astype("int8"), f"{name}_q"),
        numpy_helper.from_array(array.dtype.type(0.05), f"{name}_scale"),
    ]
    return tensors, [helper.make_node("DequantizeLinear", [f"{name}_q", f"{name}_scale"], [name])], name
