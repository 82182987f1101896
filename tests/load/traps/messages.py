"""ONNX models that never end, never fit, or reach for files outside their folder."""

import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.load.onnx_models import FLOAT, dense, model, node, weights

HUGE = np.array([10**6, 10**6])


def _saved(folder, proto):
    path = folder / "net.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def loop(folder):
    """A body without state, run 2^62 times."""
    body = helper.make_graph(
        [node("Identity", "go", "on")],
        "body",
        [
            helper.make_tensor_value_info(name, kind, [])
            for name, kind in (("i", TensorProto.INT64), ("go", TensorProto.BOOL))
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )
    constants = {"times": np.int64(2**62), "yes": np.bool_(True)}
    nodes = [
        helper.make_node("Loop", ["times", "yes"], [], body=body),
        helper.make_node("If", ["yes"], ["y"], then_branch=_same(), else_branch=_same()),
    ]
    return _saved(folder, model(nodes, constants))


def carried_loop(folder):
    """A loop whose result is the output."""
    body = helper.make_graph(
        [node("Identity", "go", "on"), node("Relu", "v", "w")],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", FLOAT, None),
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), helper.make_tensor_value_info("w", FLOAT, None)],
    )
    nodes = [helper.make_node("Loop", ["times", "yes", "x"], ["y"], body=body)]
    return _saved(folder, model(nodes, {"times": np.int64(2**62), "yes": np.bool_(True)}))


def _same():
    return helper.make_graph([node("Identity", "x", "z")], "b", [], [helper.make_tensor_value_info("z", FLOAT, None)])


def _sized(nodes, constants):
    def build(folder):
        return _saved(folder, model([*nodes, node("Add", "x big", "y")], constants))

    return build


def _functions(folder, calls, deepest):
    """Functions that each call the next ten times over; `deepest` is what the last one does."""
    graph = model([helper.make_node("f0", ["x"], ["y"], domain="local")], domains=("local",))
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    for level in range(calls):
        names = ["a", *(f"v{level}_{i}" for i in range(9)), "b"]
        inner = f"f{level + 1}" if level < calls - 1 else deepest
        domain = "local" if inner.startswith("f") else ""
        nodes = [helper.make_node(inner, [names[i]], [names[i + 1]], domain=domain) for i in range(10)]
        graph.functions.append(helper.make_function("local", f"f{level}", ["a"], ["b"], nodes, imports))
    return _saved(folder, graph)


def function_bomb(folder):
    """Twelve functions that stand for 10^12 nodes."""
    return _functions(folder, 12, "Relu")


def function_circle(folder):
    """Functions that call each other in a circle."""
    return _functions(folder, 3, "f0")


def with_external_data(location, **entries):
    proto = dense()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return proto


def _external(location, place=None, **entries):
    """A model in a sub-folder whose weights lie at `location`; `place` puts something there first."""

    def build(folder):
        inner = folder / "inner"
        inner.mkdir()
        (folder / "secret").write_bytes(weights(3, 4).tobytes())
        if place is not None:
            place(inner / "w.bin", folder / "secret")
        told = location.replace("FOLDER", str(folder))
        return _saved(inner, with_external_data(told, **entries))

    return build


def _sparse(folder):
    """A sparse constant whose values lie outside the folder, where nobody looks for them."""
    proto = model([node("MatMul", "x s", "y")])
    sparse = proto.graph.sparse_initializer.add(dims=[4, 3])
    sparse.values.CopyFrom(numpy_helper.from_array(np.ones(1, np.float32), "s"))
    sparse.values.ClearField("raw_data")
    sparse.values.data_location = TensorProto.EXTERNAL
    sparse.values.external_data.add(key="location", value="../canary")
    sparse.indices.CopyFrom(numpy_helper.from_array(np.zeros(1, np.int64), "i"))
    return _saved(folder, proto)


TRAPS = {
    "endless loop": (loop, "control flow"),
    "carried loop": (carried_loop, "control flow"),
    "ConstantOfShape": (_sized([node("ConstantOfShape", "s", "big")], {"s": HUGE}), "at most"),
    "ConstantOfShape of a constant": (
        _sized([helper.make_node("Constant", [], ["s"], value_ints=[10**12]), node("ConstantOfShape", "s", "big")], {}),
        "at most",
    ),
    "Expand": (_sized([node("Expand", "one s", "big")], {"one": np.float32(1), "s": HUGE}), "at most"),
    "Tile": (_sized([node("Tile", "x s", "big")], {"s": HUGE}), "at most"),
    "Range": (
        _sized([node("Range", "a b c", "big")], {"a": np.float32(0), "b": np.float32(1e12), "c": np.float32(1)}),
        "at most",
    ),
    "Pad": (_sized([node("Pad", "x p", "big")], {"p": np.array([0, 10**12, 0, 0])}), "at most"),
    "Resize": (
        _sized([node("Resize", "x none none s", "big")], {"none": np.zeros(0, np.float32), "s": HUGE}),
        "at most",
    ),
    "function bomb": (function_bomb, "nodes once its functions"),
    "function circle": (function_circle, "without end"),
    "external upward": (_external("../secret"), "not inside"),
    "external absolute": (_external("FOLDER/secret"), "not inside"),
    "external symlink": (
        _external("w.bin", lambda link, secret: link.symlink_to(secret)),
        "not inside|cannot be opened",
    ),
    "external hard link": (_external("w.bin", lambda link, secret: link.hardlink_to(secret)), "is a link"),
    "external FIFO": (_external("w.bin", lambda link, _: os.mkfifo(link)), "no regular file"),
    "external missing": (_external("w.bin"), "cannot be opened"),
    "external short": (_external("w.bin", lambda place, _: place.write_bytes(b"12345678")), "which holds 8"),
    "external sparse": (_sparse, "not inside"),
}


def _chain(folder):
    """A shape of 10^12 that is only had by computing."""
    nodes = [
        node("Mul", "a b", "c"),
        node("Mul", "c b", "n"),
        node("ConstantOfShape", "n", "big"),
        node("Add", "x big", "y"),
    ]
    return _saved(folder, model(nodes, {"a": np.array([10**4]), "b": np.array([10**4])}))


def doubling(folder):
    """Forty doublings of one row, each of which is harmless."""
    nodes = [
        node("Concat", f"{'x' if i == 0 else f'v{i}'} {'x' if i == 0 else f'v{i}'}", f"v{i + 1}", axis=1)
        for i in range(40)
    ]
    return _saved(folder, model([*nodes, node("ReduceSum", "v40", "y")]))


def _outer(folder):
    """The sum of a column and a row of a million entries each."""
    constants = {"c": np.zeros((10**5, 1), np.float32), "r": np.zeros((1, 10**5), np.float32)}
    return _saved(
        folder, model([node("Add", "c r", "m"), node("ReduceSum", "m", "t"), node("Add", "x t", "y")], constants)
    )


COMPUTED = {"computed shape": _chain, "outer sum": _outer}
"""Models whose size shows only when they are run; they are refused before the memory is taken, by the child."""
