"""The command line with its models in children, as users have it."""

import json

import pytest


@pytest.fixture
def isolated(monkeypatch, lipcert):
    monkeypatch.delenv("LIPCERT_NO_ISOLATION")
    return lipcert


def test_a_child_gives_the_same_bytes(isolated, sample_models):
    model, data = sample_models / "digits_mlp.onnx", sample_models / "digits_test.npz"
    command = (
        "analyze",
        model,
        "--data",
        data,
        "--samples",
        10,
        "--only",
        "layers,margins",
        "--threads",
        1,
        "--deterministic",
        "--json",
    )
    inside, outside = isolated(*command), isolated(*command, "--no-isolation")
    assert inside.code == outside.code == 0
    assert inside.out == outside.out
    assert [line.partition(":")[0] for line in inside.err.splitlines()] == [
        line.partition(":")[0] for line in outside.err.splitlines()
    ]


def test_the_clock_leaves_what_was_done(isolated, sample_models):
    model, data = sample_models / "mnist_conv.onnx", sample_models / "mnist_test.npz"
    found = isolated("analyze", model, "--data", data, "--timeout", "4", "-f", "json")
    assert found.code == 3
    document = json.loads(found.out)
    assert document["errors"][0]["code"] == "model.timeout"
    assert document["summary"]["exit_code"] == 3


def test_memory_is_bounded(isolated, sample_models):
    found = isolated("analyze", sample_models / "digits_mlp.onnx", "--max-memory", "50M", "-f", "json")
    assert found.code == 3
    error = json.loads(found.out)["errors"][0]
    assert error["code"] == "model.memory"
    assert error["phase"] == "run"


def test_errors_of_the_child_are_those_of_the_model(isolated, tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08\x08\x12\x04test:\x05\x12\x00\x0a\x01\x78")
    inside, outside = isolated("inspect", path, "--json"), isolated("inspect", path, "--json", "--no-isolation")
    assert inside.code == outside.code == 3
    assert inside.out == outside.out
