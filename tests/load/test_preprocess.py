"""Preprocessing: what is said, which saying counts, and the graph that carries it out."""

import pytest
import torch
import torch.fx
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.errors import ConfigurationError
from lipcert.graph import Graph, batch_of
from lipcert.load.preprocess import Preprocess, insert_preprocess
from lipcert.load.preprocess_settings import parse_settings, resolve_preprocess
from lipcert.load.sidecar import find_sidecar, read_sidecar
from lipcert.samples import Samples, per_channel

aten = torch.ops.aten


def _graph(input_shape, *, dtype=torch.float32, classes=3):
    """Reshape to (batch_of(x), -1), then a matrix, plus the first entries of x: the input is used three times."""
    entries = torch.Size(input_shape).numel()
    root = torch.nn.Module()
    weight = torch.randn(entries, classes, generator=torch.Generator().manual_seed(0), dtype=dtype)
    root.register_buffer("weight", weight)
    graph = torch.fx.Graph()
    x = graph.placeholder("x")
    count = graph.call_function(batch_of, (x,))
    flat = graph.call_function(aten.reshape.default, (x, [count, -1]))
    constant = graph.create_node("get_attr", "weight")
    product = graph.call_function(aten.mm.default, (flat, constant))
    again = graph.call_function(aten.reshape.default, (x, [count, -1]))
    first = graph.call_function(aten.slice.Tensor, (again, 1, 0, 1))
    graph.output(graph.call_function(aten.add.Tensor, (product, first)))
    return Graph(torch.fx.GraphModule(root, graph), tuple(input_shape), names={"weight": "fc.weight"})


CASES = [
    ((1, 4, 4), (0.1307,), (0.3081,), None, (1, 1, 1)),
    ((3, 4, 4), (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616), None, (3, 1, 1)),
    ((4, 4, 3), (0.4914, 0.4822, 0.4465), (0.5,), "nhwc", (1, 1, 3)),
    ((3, 3, 3), (1.0, 2.0, 3.0), (1.0, 2.0, 4.0), "nhwc", (1, 1, 3)),
    ((4,), (5.8, 3.0, 3.7, 1.2), (0.8, 0.4, 1.7, 0.7), None, (4,)),
    ((5,), (0.5,), (0.25,), None, (1,)),
    ((5, 1), (1.0, 2.0, 3.0, 4.0, 5.0), (1.0,), None, (5, 1)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_graph_computes_the_affine_map_first(case, dtype):
    shape, mean, std, layout, broadcast = case
    plain = _graph(shape, dtype=dtype)
    graph = insert_preprocess(plain, Preprocess(mean=mean, std=std, layout=layout))
    x = torch.rand(5, *shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    center = torch.tensor(mean).to(dtype).expand(torch.Size(broadcast).numel()).reshape(broadcast)
    spread = torch.tensor(std).to(dtype).expand(torch.Size(broadcast).numel()).reshape(broadcast)
    assert torch.equal(graph(x), plain((x - center) / spread))
    assert not torch.equal(plain(x), graph(x))


def test_the_nodes_are_first_and_named_and_count_for_no_parameter():
    plain = _graph((3, 4, 4))
    graph = insert_preprocess(plain, Preprocess(mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7)))
    assert [node.op for node in graph.nodes[:3]] == ["input", "sub", "div"]
    assert [node.name for node in graph.nodes[1:3]] == ["preprocess", "preprocess#2"]
    assert all(node is not graph.nodes[0] for later in graph.nodes[2:] for node in later.inputs)
    counts = [raw for raw in graph.module.graph.nodes if raw.target is batch_of]
    assert [raw.args[0].op for raw in counts] == ["placeholder"]
    assert graph.parameter_count == plain.parameter_count
    assert set(graph.tensors) == {"weight", "preprocess_mean", "preprocess_std"}
    graph.module.graph.lint()


@pytest.mark.parametrize(
    ("mean", "std", "ops"),
    [((0.0,), (1.0,), []), ((0.0, 0.0, 0.0), (1.0,), []), ((0.0,), (0.5,), ["div"]), ((0.5,), (1.0,), ["sub"])],
)
def test_nothing_is_inserted_that_does_nothing(mean, std, ops):
    plain = _graph((3, 4, 4))
    graph = insert_preprocess(plain, Preprocess(mean=mean, std=std))
    assert [node.op for node in graph.nodes if node.name.startswith("preprocess")] == ops
    assert (graph is plain) == (not ops)


def test_an_inserted_graph_moves_differentiates_and_maps():
    graph = insert_preprocess(_graph((1, 2, 2)), Preprocess(mean=(0.5,), std=(0.25,)))
    x = torch.rand(2, 1, 2, 2, generator=torch.Generator().manual_seed(2))
    double = graph.to(dtype=torch.float64)
    assert torch.allclose(double(x.double()).float(), graph(x), atol=1e-6)
    # the constants are those of the float32 graph, so both are the same function
    assert torch.equal(double.tensors["preprocess_mean"].float(), graph.tensors["preprocess_mean"])
    jacobian = torch.func.vmap(torch.func.jacrev(lambda z: double(z[None])[0]))(x.double())
    expected = double.tensors["weight"].T.reshape(3, 1, 2, 2) * 4
    expected = expected + 4 * torch.eye(4, dtype=torch.float64)[0].reshape(1, 1, 2, 2)
    assert torch.allclose(jacobian, expected.expand(2, -1, -1, -1, -1))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([3, 2]), st.integers(4, 6), st.integers(4, 6), st.sampled_from(["nchw", "nhwc"]))
def test_values_of_a_flat_image_follow_its_pixels(channels, height, width, layout):
    values = tuple(float(i + 1) for i in range(channels))
    shape = (channels, height, width) if layout == "nchw" else (height, width, channels)
    image = per_channel(values, shape, layout).expand(shape).flatten()
    assert torch.equal(per_channel(values, (image.numel(),), layout), image)


@pytest.mark.parametrize(
    ("shape", "mean", "layout", "message", "hint"),
    [
        ((3, 8, 8), (0.1, 0.2), None, "expected 1 or 3 or 8 values", "one a channel"),
        ((3, 8, 8), (0.1, 0.2, 0.3), "nhwc", "expected 1 or 8 values", "one a channel"),
        ((3, 5, 3), (0.1, 0.2, 0.3), None, "first and the last axis", "--layout nchw or --layout nhwc"),
        ((784,), (0.1, 0.2, 0.3), None, "expected 1 or 784 values", "one a channel"),
        ((784,), (0.1, 0.2, 0.3), "nchw", "expected 1 or 784 values", "one a channel"),
    ],
)
def test_a_length_that_fits_no_axis_is_refused(shape, mean, layout, message, hint):
    preprocess = Preprocess(mean=mean, layout=layout, source="mean from options")
    with pytest.raises(ConfigurationError) as caught:
        insert_preprocess(_graph(shape), preprocess)
    assert message in caught.value.message
    assert "mean (mean from options)" in caught.value.message
    assert hint in caught.value.hint
    with pytest.raises(ConfigurationError, match="std"):
        Preprocess(std=mean, layout=layout).check(shape)


def test_text_from_options_is_parsed():
    options = {"scale": "16", "mean": "0.1307", "std": "1/255, 2/255,.5", "layout": "NHWC", "input-range": "0,1"}
    values = parse_settings(options, "options").values
    assert values["scale"] == 16
    assert values["mean"] == (0.1307,)
    assert values["std"] == (1 / 255, 2 / 255, 0.5)
    assert values["layout"] == "nhwc"
    assert values["input_range"] == (0, 1)
    assert parse_settings({"mean": None}, "options").values == {}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("std", "0", "positive std"),
        ("std", [0.5, -1], "got -1"),
        ("scale", 0, "positive scale"),
        ("scale", "-1/2", "positive scale"),
        ("mean", "a", "'a'"),
        ("mean", "1/0", "'1/0'"),
        ("mean", True, "True"),
        ("mean", [], "[]"),
        ("mean", [[0.5]], "[0.5]"),
        ("std", "nan", "'nan'"),
        ("std", float("inf"), "inf"),
        ("scale", [1, 2], "[1, 2]"),
        ("layout", "chw", "'chw'"),
        ("input_range", "1,0", "got 1, 0"),
        ("input_range", [0, 1, 2], "LO < HI"),
        ("input_range", 3, "got 3"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_source(key, value, words):
    with pytest.raises(ConfigurationError) as caught:
        parse_settings({key: value}, "net.lipcert.toml")
    assert words in caught.value.message
    assert "net.lipcert.toml" in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_an_unknown_key_asks_what_was_meant():
    with pytest.raises(ConfigurationError) as caught:
        parse_settings({"means": 0.5}, "net.lipcert.toml")
    assert "'means'" in caught.value.message
    assert caught.value.hint == "did you mean 'mean'?"
    with pytest.raises(ConfigurationError, match="unknown key"):
        parse_settings({"zzz": 0.5}, "net.lipcert.toml")


def test_options_count_before_the_sidecar_and_each_setting_tells_its_source():
    options = parse_settings({"mean": "0.5"}, "options")
    sidecar = parse_settings({"mean": 0.1, "std": 0.2, "scale": 16}, "net.lipcert.toml")
    preprocess = resolve_preprocess([options, sidecar])
    assert (preprocess.mean, preprocess.std, preprocess.scale) == ((0.5,), (0.2,), 16)
    assert preprocess.source == "mean from options; std, scale from net.lipcert.toml"
    assert resolve_preprocess([]) == Preprocess()
    record = preprocess.record(Samples(inputs=torch.zeros(1, 2), labels=None, scale=16, input_range=(0, 1)))
    assert (record.scale, record.mean, record.input_range, record.layout) == (16, (0.5,), (0, 1), "as stored")


def test_a_sidecar_is_found_by_full_name_before_the_shared_one(tmp_path):
    model = tmp_path / "net.onnx"
    assert read_sidecar(model) is None
    (tmp_path / "net.lipcert.toml").write_text(
        '[preprocess]\nstd = "1/255"\n[data]\npath = "d.npz"\nlabels = "y.npy"\n'
    )
    sidecar = read_sidecar(model)
    assert sidecar.preprocess.values == {"std": (1 / 255,)}
    assert (sidecar.data, sidecar.labels) == (tmp_path / "d.npz", tmp_path / "y.npy")
    (tmp_path / "net.onnx.lipcert.toml").write_text("")
    assert find_sidecar(model) == tmp_path / "net.onnx.lipcert.toml"
    assert read_sidecar(model).preprocess.values == {}
    assert find_sidecar(tmp_path / "net.pt") == tmp_path / "net.lipcert.toml"


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("[preproces]\nscale = 1\n", "'preproces'", "did you mean 'preprocess'?"),
        ("[preprocess]\nlayot = 'nchw'\n", "'layot'", "did you mean 'layout'?"),
        ("[data]\npaths = 'a'\n", "'paths'", "did you mean 'path'?"),
        ("[data]\npath = 3\n", "got 3", ""),
        ("preprocess = 3\n", "to be a table", ""),
        ("[preprocess\n", "not readable TOML", "remove"),
    ],
)
def test_a_sidecar_that_cannot_be_used_is_refused(text, words, hint, tmp_path):
    (tmp_path / "net.lipcert.toml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_sidecar(tmp_path / "net.pt")
    assert words in caught.value.message
    assert "net.lipcert.toml" in caught.value.message
    assert hint in caught.value.hint


def test_the_shipped_sidecars_give_the_inputs_the_nets_were_trained_on(sample_models):
    from lipcert.load.samples import load_samples

    for name, high in (("digits_conv", 1), ("mnist_conv", 1)):
        preprocess = resolve_preprocess([read_sidecar(sample_models / f"{name}.pt").preprocess])
        data = sample_models / f"{name.partition('_')[0]}_test.npz"
        samples = load_samples(data, scale=preprocess.scale, input_range=preprocess.input_range, classes=10)
        assert samples.inputs.max() == high
        assert samples.input_range == (0, 1)
