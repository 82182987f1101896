"""`lipcert cap` on the command line: what is asked, what is refused, and what is written."""

import json

import pytest

from tests.cli.bad_input import refused


@pytest.fixture(autouse=True)
def in_process(monkeypatch):
    monkeypatch.setenv("LIPCERT_NO_ISOLATION", "1")


def test_a_copy_is_written_and_the_change_is_told(lipcert, sample_models, tmp_path):
    output = tmp_path / "capped.onnx"
    model, data = sample_models / "digits_mlp.onnx", sample_models / "digits_test.npz"
    outcome = lipcert("cap", model, "--beta", "2,fc3=1", "-o", output, "--data", data, "-q")
    assert outcome.code == 0, outcome.err
    assert output.exists()
    assert [line.split()[0] for line in outcome.out.splitlines()[1:4]] == ["fc1", "fc2", "fc3"]
    assert "accuracy on 450 samples" in outcome.out

    again = lipcert("cap", model, "--beta", "2,fc3=1", "-o", output, "--json", "-q")
    assert again.code == 2
    assert "--overwrite" in again.err
    again = lipcert("cap", model, "--beta", "2,fc3=1", "-o", output, "--json", "-q", "--overwrite")
    document = json.loads(again.out)
    assert document["schema"] == "lipcert.cap"
    assert [layer["beta"] for layer in document["layers"]] == [2.0, 2.0, 1.0]
    assert all(layer["after"]["upper"] <= layer["beta"] * (1 + 1e-6) for layer in document["layers"])


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-o", "capped.onnx"], "--beta"),
        (["--beta", "2"], "-o FILE"),
        (["--beta", "-2", "-o", "capped.onnx"], "above 0"),
        (["--beta", "2,3", "-o", "capped.onnx"], "two caps"),
        (["--beta", "=3", "-o", "capped.onnx"], "NAME=B"),
        (["--beta", "fc1=3,fc1=4", "-o", "capped.onnx"], "once a layer"),
        (["--beta", "fcc1=3", "-o", "capped.onnx"], "fcc1"),
        (["--beta", "2", "--std", "0", "-o", "capped.onnx"], "above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(lipcert, sample_models, empty, options, words):
    assert words in refused(lipcert, "cap", sample_models / "digits_mlp.onnx", *options, code=2)
    assert list(empty.iterdir()) == []


def test_a_model_is_never_capped_onto_itself(lipcert, sample_models):
    model = sample_models / "digits_mlp.onnx"
    told = refused(lipcert, "cap", model, "--beta", "2", "-o", model, "--overwrite", code=2)
    assert "same place" in told
