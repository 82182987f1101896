"""The shipped nets do what `facts.json` says, in each of their three formats, and the recipe makes them again."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

HOME = Path(__file__).resolve().parents[2] / "sample_models"
FACTS = json.loads((HOME / "facts.json").read_text())
NETS = sorted(FACTS)
TOLERANCE = 1e-5


def _data(name):
    facts = FACTS[name]
    with np.load(HOME / facts["data"], allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    return torch.from_numpy(images).float() / facts["scale"], torch.from_numpy(labels)


def _torchscript(name, x):
    with torch.no_grad():
        return torch.jit.load(HOME / f"{name}.pt")(x)


def _onnx(name, x):
    session = onnxruntime.InferenceSession(HOME / f"{name}.onnx", providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["logits"], {"input": x.numpy()})[0])


def _exported(name, x):
    with torch.no_grad():
        return torch.export.load(HOME / f"{name}.pt2").module()(x)


@pytest.mark.parametrize("name", NETS)
def test_a_net_scores_what_its_facts_say(name):
    x, labels = _data(name)
    logits = _torchscript(name, x)
    assert len(x) == FACTS[name]["samples"]
    assert list(x.shape[1:]) == FACTS[name]["input_shape"]
    # one sample may sit on a boundary that another CPU rounds across
    wrong = (logits.argmax(1) != labels).sum().item()
    assert abs(wrong - (1 - FACTS[name]["clean_accuracy"]) * len(x)) < 1.5
    assert FACTS[name]["clean_accuracy"] >= 0.97


@pytest.mark.parametrize("run", [_onnx, _exported])
@pytest.mark.parametrize("name", NETS)
def test_formats_of_one_net_agree(name, run):
    x, _ = _data(name)
    expected = _torchscript(name, x[:64])
    for batch in (1, 5, 64):
        actual = run(name, x[:batch])
        assert actual.dtype == torch.float32
        assert actual.shape == (batch, 10)
        assert (actual - expected[:batch]).abs().max() <= TOLERANCE * (1 + expected.abs().max())


@pytest.mark.parametrize("name", NETS)
def test_parameter_names_and_counts_are_the_nets_own(name):
    script = torch.jit.load(HOME / f"{name}.pt")
    expected = {key: parameter.numel() for key, parameter in script.named_parameters()}
    proto = onnx.load(HOME / f"{name}.onnx")
    assert sum(expected.values()) == FACTS[name]["parameters"]
    assert set(expected) <= {tensor.name for tensor in proto.graph.initializer}
    assert set(expected) <= set(torch.export.load(HOME / f"{name}.pt2").state_dict)


def test_what_ships_is_small_and_names_no_machine():
    files = [path for path in HOME.rglob("*") if path.is_file() and not {"reports", "__pycache__"} & set(path.parts)]
    assert sum(path.stat().st_size for path in files) < 15_000_000
    assert sum(path.stat().st_size for path in files if path.parent == HOME) < 3_000_000
    marks = (str(HOME.parent).encode(), b"/root/", b"/home/", b"/Users/")
    assert [path.name for path in files if any(mark in path.read_bytes() for mark in marks)] == []


@pytest.mark.parametrize("name", NETS)
def test_every_net_has_a_sidecar_with_the_scale_it_was_trained_on(name):
    sidecar = tomllib.loads((HOME / f"{name}.lipcert.toml").read_text())
    assert sidecar["preprocess"]["scale"] == FACTS[name]["scale"]
    assert all((HOME / file).exists() for file in FACTS[name]["files"])


@pytest.mark.slow
def test_the_recipe_makes_the_net_again(tmp_path):
    command = [sys.executable, "-m", "sample_models.recipes", "make", "--only", "digits_mlp", "--output", str(tmp_path)]
    subprocess.run(
        command, cwd=HOME.parent, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    for split in ("digits_train.npz", "digits_test.npz"):
        with np.load(tmp_path / split) as remade, np.load(HOME / split) as shipped:
            assert all(np.array_equal(remade[key], shipped[key]) for key in ("images", "labels"))
    remade = json.loads((tmp_path / "facts.json").read_text())["digits_mlp"]
    assert remade["parameters"] == FACTS["digits_mlp"]["parameters"]
    assert abs(remade["clean_accuracy"] - FACTS["digits_mlp"]["clean_accuracy"]) < 0.01
