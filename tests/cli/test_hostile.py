"""Bombs and traps on the command line: the exit code of a refusal, words, and nothing touched."""

import pytest

from tests.cli.bad_input import refused
from tests.load import traps


@pytest.fixture
def folder(tmp_path):
    return traps.prepare(tmp_path / "zoo")


@pytest.mark.parametrize("name", traps.MODELS)
def test_a_model_that_is_a_trap_is_refused(lipcert, name, folder):
    build, _ = traps.MODELS[name]
    refused(lipcert, "analyze", build(folder), "--input-shape", "1,8,8", code=3)
    assert traps.untouched(folder)


@pytest.mark.parametrize("name", traps.SAMPLES)
def test_samples_that_are_a_trap_are_refused(lipcert, name, folder, sample_models):
    build, _ = traps.SAMPLES[name]
    refused(lipcert, "analyze", sample_models / "digits_mlp.onnx", "--data", build(folder), code=2)
    assert traps.untouched(folder)
