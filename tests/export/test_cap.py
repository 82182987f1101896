"""A capped copy keeps its caps by the layer certificates of the report, and nothing else about it changes."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from lipcert.errors import RefusedModelError, UsageError
from lipcert.export.files import cap_file
from lipcert.export.request import CapRequest
from lipcert.load.model import load_model
from lipcert.pipeline import AnalyzeRequest
from lipcert.rules import LayerNorms
from tests.export import nets

FILES = [f"{net}{suffix}" for net in ("digits_mlp", "digits_conv") for suffix in (".onnx", ".pt", ".pt2")]


def _cap(model, tmp_path, *, shape=None, beta=None, data=None, scale=None, **layers):
    analyze = AnalyzeRequest(model=model, input_shape=shape, data=data, scale=scale)
    output = tmp_path / f"capped{model.suffix}"
    return cap_file(CapRequest(analyze=analyze, output=output, beta=beta, layers=layers)), output


def _certified(path, shape=None):
    """Upper end of each layer's norm, by the road of `analyze`, which folds batch norms."""
    norms = LayerNorms(load_model(path, input_shape=shape).graph)
    nodes = [node for node in norms.graph.nodes if norms.operator(node) is not None and node.parameter_names]
    return {node.name: norms.norm(node, "l2").upper for node in nodes}


def _stored(path):
    if path.suffix == ".onnx":
        return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    state = torch.jit.load(path).state_dict() if path.suffix == ".pt" else torch.export.load(path).state_dict
    return {name: value.detach().numpy() for name, value in state.items()}


@pytest.mark.parametrize("beta", [0.8, 2.0])
@pytest.mark.parametrize("file", FILES)
def test_every_layer_keeps_its_cap_and_every_bias_stays(file, beta, sample_models, tmp_path):
    model = sample_models / file
    shape = (1, 8, 8) if model.suffix == ".pt" else None
    report, output = _cap(model, tmp_path, shape=shape, beta=beta)
    after, before = _certified(output, shape), _stored(model)
    assert set(after) == {layer.name for layer in report.layers}
    assert max(after.values()) <= beta * (1 + 1e-6)
    for layer in report.layers:
        assert layer.after.upper == pytest.approx(after[layer.name], rel=1e-9)
        assert layer.after.upper == pytest.approx(min(beta, layer.before.upper), rel=1e-5)
        assert (layer.factor == 1.0) == (layer.before.upper <= beta)
    factors = {layer.weight: layer.factor for layer in report.layers}
    for name, values in _stored(output).items():
        expected = before[name].astype(np.float64) * factors.get(name, 1.0)
        assert np.array_equal(values, expected.astype(values.dtype)), name
    assert report.lipschitz_after < report.lipschitz_before


def test_accuracy_is_that_of_both_files(sample_models, tmp_path):
    model, data = sample_models / "digits_mlp.onnx", sample_models / "digits_test.npz"
    report, output = _cap(model, tmp_path, beta=2.0, data=str(data), scale=16.0)
    with np.load(data) as archive:
        inputs, labels = archive["images"].astype(np.float32) / 16, archive["labels"]
    wrong = []
    for path in (model, output):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        wrong.append(session.run(None, {"input": inputs})[0].argmax(1))
    assert report.samples == len(labels)
    assert report.accuracy_before == pytest.approx((wrong[0] == labels).mean(), abs=1.5 / len(labels))
    assert report.accuracy_after == pytest.approx((wrong[1] == labels).mean(), abs=1.5 / len(labels))
    assert report.changed == pytest.approx((wrong[0] != wrong[1]).sum(), abs=2)


def test_batch_norm_is_part_of_its_layer(sample_models, tmp_path):
    _, output = _cap(sample_models / "digits_residual.onnx", tmp_path, beta=1.5)
    assert max(_certified(output).values()) <= 1.5 * (1 + 1e-6)


@pytest.mark.parametrize("write", [nets.torchscript, nets.frozen], ids=["scripted", "frozen"])
def test_a_shared_weight_is_scaled_once_by_its_largest_norm(write, tmp_path):
    net = nets.drawn(nets.Twice())
    model = tmp_path / "net.pt"
    model.write_bytes(write(net))
    report, output = _cap(model, tmp_path, shape=(2, 4, 4), beta=1.0)
    after = _certified(output, (2, 4, 4))
    assert len(after) == len(report.layers) == 5
    assert max(after.values()) <= 1 + 1e-6
    by_weight = {}
    for layer in report.layers:
        by_weight.setdefault(layer.weight if write is nets.torchscript else layer.name, []).append(layer)
    shared = [layers for layers in by_weight.values() if len(layers) > 1]
    for layers in shared:
        assert len({layer.factor for layer in layers}) == 1
        assert layers[0].factor == pytest.approx(1 / max(layer.before.upper for layer in layers), rel=1e-5)
    if write is nets.torchscript:
        assert len(shared) == 2
        # what the file computes is what the factors say
        with torch.no_grad():
            net.conv.weight *= by_weight["conv.weight"][0].factor
            net.inner.weight *= by_weight["inner.weight"][0].factor
            net.outer.weight *= by_weight["outer.weight"][0].factor
            x = torch.rand(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
            assert torch.allclose(torch.jit.load(output)(x), net(x), atol=1e-5)


@pytest.mark.parametrize("store", [nets.plain, nets.as_constant, nets.as_half], ids=lambda store: store.__name__)
def test_weights_are_found_wherever_the_file_keeps_them(store, tmp_path):
    model = tmp_path / "net.onnx"
    model.write_bytes(nets.onnx_mlp(store))
    report, output = _cap(model, tmp_path, beta=0.7)
    assert len(report.layers) == 2
    assert max(_certified(output).values()) <= 0.7 * (1 + 1e-6)
    assert [layer.after.lower for layer in report.layers] == pytest.approx([0.7, 0.7], rel=3e-3)


def test_caps_by_name_leave_the_others_alone(sample_models, tmp_path):
    report, _ = _cap(sample_models / "digits_mlp.onnx", tmp_path, fc2=0.5)
    assert {layer.name: layer.factor < 1 for layer in report.layers} == {"fc1": False, "fc2": True, "fc3": False}
    assert [layer.beta for layer in report.layers] == [None, 0.5, None]


def test_extra_files_of_an_archive_go_along(tmp_path):
    model = tmp_path / "net.pt"
    scripted = torch.jit.script(nets.drawn(nets.Twice()))
    torch.jit.save(scripted, model, _extra_files={"labels.txt": "one,two"})
    _, output = _cap(model, tmp_path, shape=(2, 4, 4), beta=1.0)
    extra = {"labels.txt": ""}
    torch.jit.load(output, _extra_files=extra)
    assert extra["labels.txt"] in ("one,two", b"one,two")


def test_what_cannot_be_written_is_named_and_nothing_is_left(tmp_path, sample_models):
    integers, tied = tmp_path / "integers.onnx", tmp_path / "tied.pt"
    integers.write_bytes(nets.onnx_mlp(nets.as_integers))
    tied.write_bytes(nets.torchscript(nets.drawn(nets.Tied())))
    with pytest.raises(RefusedModelError, match="cannot be capped: its weight a"):
        _cap(integers, tmp_path, beta=0.5)
    with pytest.raises(RefusedModelError, match=r"weight is read by .* as well"):
        _cap(tied, tmp_path, shape=(4,), beta=0.5)
    with pytest.raises(UsageError, match="'fc9', which is no linear") as caught:
        _cap(sample_models / "digits_mlp.onnx", tmp_path, fc9=0.5)
    assert "fc1" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir() if path.stem.startswith(("capped", "."))] == []
