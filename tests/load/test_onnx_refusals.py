"""What is not read: every refusal has its kind, says where, and says what to do."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from lipcert.errors import RefusedModelError, UnreadableModelError, UnsupportedOperatorError, UsageError
from lipcert.load import onnx_oracle
from lipcert.load.onnx_model import read_onnx
from tests.load.onnx_models import FLOAT, dense, model, node, weights

SCORES = [node("MatMul", "x w", "y")]
W = {"w": weights(4, 3)}


def read(proto, **options):
    return read_onnx(data=proto.SerializeToString(), **options)


def branch():
    """A model whose output depends on a flag that its input decides."""
    body = helper.make_graph(
        [node("Identity", "x", "z")], "body", [], [helper.make_tensor_value_info("z", FLOAT, None)]
    )
    return model(
        [
            node("ReduceSum", "x", "s", keepdims=0),
            node("Greater", "s zero", "flag"),
            node("If", "flag", "y", then_branch=body, else_branch=body),
        ],
        {"zero": np.float32(0)},
    )


REFUSED = {
    "two inputs": (
        model([node("Add", "a b", "y")], inputs={"a": (FLOAT, ("N", 4)), "b": (FLOAT, ("N", 4))}),
        "depends on 2 inputs",
    ),
    "no input": (model([node("Identity", "w", "y")], W), "depends on 0 inputs"),
    "control flow": (branch(), "control flow.*If"),
    "recurrence": (
        model(
            [node("RNN", "x w r", "y", hidden_size=2)],
            {"w": weights(1, 2, 4), "r": weights(1, 2, 2)},
            shape=(1, "N", 4),
        ),
        "recurrent layer.*RNN",
    ),
    "randomness": (
        model([node("RandomNormalLike", "x", "noise"), node("Add", "x noise", "y")]),
        "random numbers.*RandomNormalLike",
    ),
    "custom domain": (
        model([helper.make_node("Spam", ["x"], ["y"], name="eggs", domain="my.ops")], domains=("my.ops",)),
        "custom domain 'my.ops'.*eggs",
    ),
    "classical learning": (
        model([helper.make_node("Normalizer", ["x"], ["y"], domain="ai.onnx.ml")], domains=("ai.onnx.ml",)),
        "ai.onnx.ml",
    ),
    "dropout in training": (
        model([node("Dropout", "x ratio training", "y")], {"ratio": np.float32(0.5), "training": np.bool_(True)}),
        "training mode",
    ),
    "integer input as index": (
        model([node("Gather", "w x", "y")], W, inputs={"x": (TensorProto.INT64, ("N", 4))}),
        "Gather.*works on the integers",
    ),
    "no batch axis": (model([node("Relu", "x", "y")], shape=(4,)), "a batch axis"),
    "shape from data": (
        model([node("Cast", "x", "s", to=TensorProto.INT64), node("ConstantOfShape", "s", "y")], shape=("N", 2)),
        "depends on the data",
    ),
    "enormous constant": (
        model([node("ConstantOfShape", "s", "c"), node("Add", "x c", "y")], {"s": np.array([10**6, 10**6])}),
        "at most",
    ),
    "newer operator set": (model(SCORES, W, opset=999), "operator set 999"),
    "batch statistics": (
        model([node("MeanVarianceNormalization", "x", "y", axes=[0])], shape=(5, 4)),
        "normalises over the batch",
    ),
    "cycle": (model([node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")]), "cycle"),
    "no external folder": (None, "without a folder"),
}


def with_external_data(location, **entries):
    proto = dense()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return proto


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_names_its_reason(name):
    proto, words = REFUSED[name]
    with pytest.raises(RefusedModelError, match=words):
        read(proto if proto is not None else with_external_data("w.bin"))


def test_two_outputs_need_a_name():
    proto = model([*SCORES, node("Softmax", "y", "p")], W, outputs=("y", "p"))
    with pytest.raises(RefusedModelError) as caught:
        read(proto)
    assert caught.value.hint == "say which: --output-name y or p"
    assert read(proto, output_name="p").oracle.logits_name == "y"
    assert read(proto, output_name="1").oracle.logits_name == "y"
    with pytest.raises(UsageError, match="no output 'z'; it has y, p"):
        read(proto, output_name="z")


def test_labels_are_no_scores_and_the_scores_are_named():
    proto = model([*SCORES, node("ArgMax", "y", "label", axis=1)], W)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("label", TensorProto.INT64, None))
    with pytest.raises(RefusedModelError, match="class scores are needed") as caught:
        read(proto)
    assert "--output-name y" in caught.value.hint
    assert read(proto, output_name="y").input_shape == (4,)


def test_all_unsupported_nodes_are_listed_at_once():
    nodes = [
        node("DFT", "x", "a"),
        helper.make_node("BitCast", ["x"], ["b"], name="cast_of_bits", to=6),
        node("Relu", "x", "c"),
        node("Concat", "a b c", "y", axis=1),
    ]
    with pytest.raises(UnsupportedOperatorError) as caught:
        read(model(nodes, opset=26))
    assert caught.value.operators == ("BitCast", "DFT")
    assert caught.value.message.startswith("2 of 4 nodes are supported; blocked by BitCast (cast_of_bits), DFT (a)")


def test_nodes_the_output_does_not_need_do_not_matter():
    proto = model([*SCORES, node("RandomNormalLike", "y", "noise")], W, outputs=("y", "noise"))
    assert read(proto, output_name="y").oracle.name.startswith("onnxruntime")


DAMAGED = {
    "empty": b"",
    "text": b"this is no model",
    "cut short": dense().SerializeToString()[:-20],
    "read before given": model([node("Add", "x nothing", "y")]).SerializeToString(),
    "given twice": model([node("Relu", "x", "y"), node("Tanh", "x", "y")]).SerializeToString(),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_told_apart_from_refusal(name):
    with pytest.raises(UnreadableModelError):
        read_onnx(data=DAMAGED[name])


def test_two_versions_of_one_operator_set_contradict_each_other():
    proto = dense()
    proto.opset_import.append(helper.make_opsetid("", 17))
    assert read(proto).input_shape == (4,)
    proto.opset_import.append(helper.make_opsetid("ai.onnx", 13))
    with pytest.raises(UnreadableModelError, match="17 and 13"):
        read(proto)


def test_a_tensor_that_does_not_fill_its_shape_is_damage():
    proto = dense()
    proto.graph.initializer[0].dims[0] = 10**12
    with pytest.raises(UnreadableModelError, match="damaged"):
        read(proto)


def test_a_file_no_runtime_runs_is_unverifiable(monkeypatch):
    def runtime(_model):
        raise NotImplementedError("no kernel for Gemm")

    monkeypatch.setattr(onnx_oracle, "RUNTIMES", {"some runtime": runtime, "another": runtime})
    with pytest.raises(RefusedModelError, match="some runtime: no kernel for Gemm; another: no kernel for Gemm"):
        read(dense())
    assert read(dense(), require_oracle=False).oracle is None


class TestExternalData:
    """Data beside the model are read from its own folder only."""

    def write(self, folder, proto, content=None):
        folder.mkdir(exist_ok=True)
        (folder / "w.bin").write_bytes(weights(3, 4).tobytes() if content is None else content)
        (folder / "m.onnx").write_bytes(proto.SerializeToString())
        return folder / "m.onnx"

    def test_inside_the_folder(self, tmp_path):
        source = read_onnx(self.write(tmp_path, with_external_data("w.bin", offset=0, length=48)))
        assert np.array_equal(source.named["w"].numpy(), weights(3, 4))

    @pytest.mark.parametrize("location", ["../w.bin", "/etc/passwd", "", "a/../../w.bin", "..\\w.bin"])
    def test_outside_the_folder(self, tmp_path, location):
        path = self.write(tmp_path / "inner", with_external_data(location))
        (tmp_path / "w.bin").write_bytes(weights(3, 4).tobytes())
        with pytest.raises(RefusedModelError, match="not inside"):
            read_onnx(path)

    def test_symbolic_link(self, tmp_path):
        (tmp_path / "secret").write_bytes(weights(3, 4).tobytes())
        path = self.write(tmp_path / "inner", with_external_data("link.bin"))
        (path.parent / "link.bin").symlink_to(tmp_path / "secret")
        with pytest.raises(RefusedModelError, match="not inside"):
            read_onnx(path)
        (path.parent / "link.bin").unlink()
        (path.parent / "link.bin").symlink_to(path.parent / "w.bin")
        with pytest.raises(RefusedModelError, match="cannot be opened"):
            read_onnx(path)

    def test_hard_link(self, tmp_path):
        (tmp_path / "secret").write_bytes(weights(3, 4).tobytes())
        path = self.write(tmp_path / "inner", with_external_data("link.bin"))
        (path.parent / "link.bin").hardlink_to(tmp_path / "secret")
        with pytest.raises(RefusedModelError, match="is a link"):
            read_onnx(path)

    def test_no_regular_file(self, tmp_path):
        path = self.write(tmp_path, with_external_data("folder"))
        (tmp_path / "folder").mkdir()
        with pytest.raises(RefusedModelError, match="no regular file"):
            read_onnx(path)

    @pytest.mark.parametrize("entries", [{"offset": 8}, {"length": 10**15}, {"offset": -4}, {"length": "x"}])
    def test_bounds(self, tmp_path, entries):
        with pytest.raises(UnreadableModelError):
            read_onnx(self.write(tmp_path, with_external_data("w.bin", **entries)))
