"""Model files that are none, broken, hostile or not what the command line says: exit code and words."""

import io
import json
import os
import pickle
import shutil
import zipfile

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from tests.cli.bad_input import refused

ROOT_READS_ALL = hasattr(os, "geteuid") and os.geteuid() == 0


class Payload:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


CONTENTS = {
    "empty file": (b"", "the file is empty", "Export the model again"),
    "image": (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG image", "torch.onnx.export"),
    "text": (b"a,b,label\n1,2,0\n", "neither", "truncated"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer", "git lfs pull"),
    "web page": (b"<!DOCTYPE html><title>404</title>", "a web page", "fetch the file again"),
}


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("suffix", [".pt", ".onnx"])
def test_content_that_is_no_model(lipcert, tmp_path, name, suffix):
    content, *words = CONTENTS[name]
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    told = refused(lipcert, "analyze", path, code=3)
    assert all(word in told for word in words)


@pytest.mark.parametrize("share", [0.2, 0.9, 0.99])
@pytest.mark.parametrize("suffix", [".pt", ".onnx", ".pt2"])
def test_a_truncated_file(lipcert, tmp_path, sample_models, suffix, share):
    content = (sample_models / f"digits_mlp{suffix}").read_bytes()
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content[: int(len(content) * share)])
    assert "truncated" in refused(lipcert, "analyze", path, code=3)


@pytest.mark.parametrize("suffix", [".pt", ".pt2"])
def test_a_damaged_weight(lipcert, tmp_path, sample_models, suffix):
    content = bytearray((sample_models / f"digits_mlp{suffix}").read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
    content[largest.header_offset + largest.file_size // 2] ^= 0xFF
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    assert "does not match its checksum" in refused(lipcert, "analyze", path, "--input-shape", "1,8,8", code=3)


@pytest.mark.parametrize("write", [lambda x, path: path.write_bytes(pickle.dumps(x)), torch.save])
def test_a_pickle_is_refused_and_not_run(lipcert, tmp_path, sample_models, write):
    mark = tmp_path / "ran"
    path = tmp_path / "net.pt"
    write(Payload(mark), path)
    assert "it was not opened" in refused(lipcert, "analyze", path, code=3)
    assert "runs code" in refused(lipcert, "analyze", sample_models / "digits_mlp.onnx", "--data", path, code=2)
    assert not mark.exists()


PLACES = {
    "missing file": (lambda folder: folder / "absent.onnx", 2, "does not exist"),
    "misspelt": (lambda folder: folder.joinpath("net.onnx").touch() or folder / "nte.onnx", 2, "did you mean net.onnx"),
    "missing folder": (lambda folder: folder / "no" / "net.onnx", 2, "the folder"),
    "empty folder": (lambda folder: folder, 4, "holds no model"),
    "empty pattern": (lambda folder: folder / "*.onnx", 4, "matches no file"),
    "device": (lambda _: os.devnull, 2, "no regular file"),
    "pipe": (lambda folder: os.mkfifo(folder / "pipe") or folder / "pipe", 2, "no regular file"),
    "too long": (lambda _: "a" * 5000, 2, "no usable path"),
    "null byte": (lambda _: "a\0b.onnx", 2, "does not exist"),
    "undecodable": (lambda folder: folder / "\udcff.onnx", 2, "does not exist"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_path_without_a_model(lipcert, tmp_path, name):
    place, code, words = PLACES[name]
    assert words in refused(lipcert, "analyze", place(tmp_path), code=code)


def test_a_folder_with_several_models(lipcert, sample_models):
    assert "one file is needed" in refused(lipcert, "analyze", sample_models, code=2)


def test_a_file_without_read_permission(lipcert, tmp_path, sample_models, monkeypatch):
    path = shutil.copy(sample_models / "digits_mlp.onnx", tmp_path / "net.onnx")
    path.chmod(0)
    if ROOT_READS_ALL:  # the superuser may read it all the same
        monkeypatch.setattr("pathlib.Path.read_bytes", _denied)
    assert "Permission denied" in refused(lipcert, "analyze", path, code=2)


def _denied(_path):
    raise PermissionError(13, "Permission denied")


def test_data_given_as_model(lipcert, sample_models):
    told = refused(lipcert, "analyze", sample_models / "digits_test.npz", code=3)
    assert "data, not a model" in told
    assert "--data" in told


def _linear(path, weight, shape=("N", 4)):
    """An ONNX file of one matrix product."""
    classes = weight.shape[1]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [shape[0], classes])],
        [numpy_helper.from_array(weight.astype(np.float32), "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_weights_that_are_not_finite(lipcert, tmp_path):
    weight = np.ones((4, 3))
    weight[1, 2] = np.nan
    told = refused(lipcert, "analyze", _linear(tmp_path / "net.onnx", weight), code=3)
    assert "NaN or infinity: w" in told


def test_a_model_without_classes(lipcert, tmp_path):
    path = _linear(tmp_path / "net.onnx", np.ones((4, 0)))
    assert "no score at all" in refused(lipcert, "analyze", path, code=3)


SHAPES = {
    "not told": ((), 2, "--input-shape 3,224,224"),
    "wrong": (("--input-shape", "3,3"), 2, "does not accept one sample of shape 3,3"),
    "beyond memory": (("--input-shape", "1,99999999,99999999"), 2, "does not accept one sample"),
    "unknown output": (("--input-shape", "1,8,8", "--output-name", "scores"), 2, "no output 'scores'"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_an_input_shape_that_does_not_fit(lipcert, sample_models, name):
    options, code, words = SHAPES[name]
    assert words in refused(lipcert, "analyze", sample_models / "digits_mlp.pt", *options, code=code)


def test_an_input_shape_the_file_contradicts(lipcert, sample_models):
    told = refused(lipcert, "analyze", sample_models / "digits_mlp.onnx", "--input-shape", "3,8,8", code=2)
    assert "3,8,8 contradicts the file, whose samples have shape 1,8,8" in told


def test_inspect_asks_for_nothing_it_does_not_take(lipcert, sample_models):
    outcome = lipcert("inspect", sample_models / "digits_mlp.pt")
    assert outcome.code == 2
    assert "--input-shape" in outcome.out
    assert "--data" not in outcome.out + outcome.err


@pytest.mark.parametrize(("suffix", "other"), [(".onnx", ".pt"), (".pt", ".onnx"), (".pt2", ".txt")])
def test_the_suffix_does_not_matter(lipcert, tmp_path, sample_models, suffix, other):
    path = shutil.copy(sample_models / f"digits_mlp{suffix}", tmp_path / f"Modèle 模型{other}")
    shape = ("--input-shape", "1,8,8") if suffix == ".pt" else ()
    outcome = lipcert("analyze", path, *shape, "--only", "layers", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["models"][0]["path"] == str(path)
