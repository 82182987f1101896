"""Convolution and pooling under drawn hyper-parameters, against onnxruntime."""

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lipcert.errors import RefusedModelError
from lipcert.load.onnx_model import read_onnx
from tests.load.onnx_models import model, node, weights

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)


@st.composite
def windows(draw, *, ceiling=True, dilated=True):
    """Sizes of an image of one to three axes, and attributes of a window over it."""
    rank = draw(st.integers(1, 3))
    axis = st.integers(1, 4)

    def each(strategy):
        return draw(st.lists(strategy, min_size=rank, max_size=rank))

    kernel = each(axis)
    attributes = {"kernel_shape": kernel, "strides": each(st.integers(1, 3))}
    if dilated:
        attributes["dilations"] = each(st.integers(1, 2))
    automatic = draw(st.sampled_from(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    attributes["auto_pad"] = automatic
    if automatic == "NOTSET":
        attributes["pads"] = [draw(st.integers(0, size - 1)) for size in [*kernel, *kernel]]
        if ceiling:
            attributes["ceil_mode"] = draw(st.integers(0, 1))
    return [draw(st.integers(4, 9)) for _ in range(rank)], attributes


def check(nodes, constants, sizes, channels, opset=22):
    """Both runtimes give the same; what onnxruntime itself refuses is not a case."""
    proto = model(nodes, constants, shape=("N", channels, *sizes), opset=opset)
    try:
        source = read_onnx(data=proto.SerializeToString())
    except RefusedModelError:
        assume(False)
    assume(source.oracle.name.startswith("onnxruntime"))
    x = torch.randn(2, channels, *sizes, generator=torch.Generator().manual_seed(0))
    theirs = source.oracle(x)
    assume(theirs.isfinite().all())
    torch.testing.assert_close(source.function(x), theirs, rtol=1e-4, atol=1e-5)


@SETTINGS
@given(windows())
def test_max_pool(window):
    sizes, attributes = window
    # onnxruntime leaves dilations out of automatic padding here, and so misses ceil(size / stride).
    assume(not attributes["auto_pad"].startswith("SAME") or set(attributes["dilations"]) == {1})
    check([node("MaxPool", "x", "y", **attributes)], {}, sizes, 2)


@SETTINGS
@given(windows(dilated=False), st.integers(0, 1))
def test_average_pool(window, include):
    sizes, attributes = window
    check([node("AveragePool", "x", "y", count_include_pad=include, **attributes)], {}, sizes, 2)


@SETTINGS
@given(windows(ceiling=False), st.sampled_from([1, 2]))
def test_convolution(window, groups):
    sizes, attributes = window
    weight = weights(4, 4 // groups, *attributes["kernel_shape"])
    nodes = [node("Conv", "x w b", "y", group=groups, **attributes)]
    check(nodes, {"w": weight, "b": weights(4, seed=1)}, sizes, 4)


@SETTINGS
@given(windows(ceiling=False), st.sampled_from([1, 2]), st.integers(0, 1))
def test_transposed_convolution(window, groups, extra):
    sizes, attributes = window
    strides, rank = attributes["strides"], len(sizes)
    attributes["output_padding"] = [min(extra, stride - 1) for stride in strides]
    weight = weights(4, 2 // groups, *attributes["kernel_shape"])
    nodes = [node("ConvTranspose", "x w b", "y", group=groups, **attributes)]
    # Where a kernel is smaller than its stride, the size that automatic padding asks for cannot be padded to.
    assume(not attributes["auto_pad"].startswith("SAME") or min(attributes["kernel_shape"]) >= max(strides))
    assume(rank < 3)
    check(nodes, {"w": weight, "b": weights(2, seed=1)}, sizes, 4)


@SETTINGS
@given(
    st.sampled_from(["nearest", "linear", "cubic"]),
    st.sampled_from(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]),
    st.sampled_from(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]),
    st.lists(st.sampled_from([0.5, 0.75, 1.0, 1.5, 2.0, 3.0]), min_size=2, max_size=2),
)
def test_resize(mode, transformation, rounding, scales):
    attributes = {"coordinate_transformation_mode": transformation, "mode": mode}
    if mode == "nearest":
        attributes["nearest_mode"] = rounding
    scale = torch.tensor([1.0, 1.0, *scales]).numpy()
    check([node("Resize", "x  scales", "y", **attributes)], {"scales": scale}, [8, 4], 2, opset=13)
