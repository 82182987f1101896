"""Tiny ONNX models for tests."""

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def weights(*shape, seed=0, scale=0.5):
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * scale
    return values.numpy()


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(" "), outputs.split(), **attributes)


def model(nodes, constants=None, *, shape=("N", 4), outputs=("y",), opset=17, inputs=None, domains=()):
    """A model of one float input "x", or of `inputs` (name -> (type, shape)); its outputs have no stated shape."""
    declared = inputs if inputs is not None else {"x": (FLOAT, shape)}
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, size) for name, (kind, size) in declared.items()],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        tensors,
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def dense(*, batch="N"):
    """x of 4 features -> 3 scores."""
    return model(
        [node("Gemm", "x w b", "y", transB=1)], {"w": weights(3, 4), "b": weights(3, seed=1)}, shape=(batch, 4)
    )
