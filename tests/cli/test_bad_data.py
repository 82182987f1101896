"""Samples and labels that do not fit, and requests that need some: exit code 2 and words. What is odd is accepted."""

import json
import os

import numpy as np
import pytest

from tests.cli.bad_input import refused

COUNT = 40


@pytest.fixture(scope="module")
def digits(sample_models):
    """Images and labels of the smallest sample model, uint8 and int64."""
    with np.load(sample_models / "digits_test.npz") as stored:
        return stored["images"][:COUNT], stored["labels"][:COUNT]


@pytest.fixture
def given(tmp_path):
    """Write arrays to a file: given(images=..., labels=...) -> its path."""

    def write(**arrays):
        np.savez(tmp_path / "data.npz", **arrays)
        return tmp_path / "data.npz"

    return write


def _spoilt(images):
    values = images.astype(np.float32)
    values[3, 0, 1, 2] = np.nan
    return values


DATA = {
    "another size": (lambda x, y: (x[..., 1:], y), ("of shape 1x8x8", "data.npz have shape 1x8x7")),
    "another depth": (lambda x, y: (x.repeat(3, 1), y), ("of shape 1x8x8", "3x8x8")),
    "text": (lambda x, y: (x.astype(str), y), ("got dtype <U",)),
    "complex": (lambda x, y: (x.astype(complex), y), ("got dtype complex128", "uint8")),
    "nan": (lambda x, y: (_spoilt(x), y), ("1 of 2,560 are not", "sample 3, position (0, 1, 2)")),
    "no samples": (lambda x, y: (x[:0], y[:0]), ("N of 1 or more", "(0, 1, 8, 8)")),
    "one image without its axis": (lambda x, y: (x[0, 0, 0], y[:8]), ("expected samples of shape (N, ...)",)),
    "labels too few": (lambda x, y: (x, y[1:]), ("40 samples, 39 labels",)),
    "labels out of range": (lambda x, y: (x, y + 90), ("labels in 0..9", "40 are outside, the first is 9")),
    "labels from one": (lambda x, y: (x, y + 1), ("labels in 0..9", "subtract 1")),
    "labels negative": (lambda x, y: (x, y - 1), ("are outside, the first is -1",)),
    "labels one-hot": (lambda x, y: (x, np.eye(10)[y]), ("got labels of shape (40, 10)", "argmax(1)")),
    "labels of fractions": (lambda x, y: (x, y + 0.5), ("expected whole numbers", "at sample 0")),
    "labels nan": (lambda x, y: (x, y * np.nan), ("the first is nan",)),
    "labels of words": (lambda x, y: (x, y.astype(str)), ("got dtype <U", "number the classes")),
}


@pytest.mark.parametrize("name", DATA)
def test_data_that_does_not_fit(lipcert, sample_models, digits, given, name):
    change, words = DATA[name]
    images, labels = change(*digits)
    path = given(images=images, labels=labels)
    told = refused(lipcert, "analyze", sample_models / "digits_mlp.onnx", "--data", path, code=2)
    assert all(word in told for word in (*words, "data.npz")), told


ACCEPTED = {
    "int64 images": lambda x, y: (x.astype(np.int64), y),
    "float images": lambda x, y: (x.astype(np.float64), y),
    "images without channels": lambda x, y: (x[:, 0], y),
    "flat images": lambda x, y: (x.reshape(len(x), -1), y),
    "labels as floats": lambda x, y: (x, y.astype(np.float32)),
    "labels in a column": lambda x, y: (x, y[:, None]),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_data_written_another_way_gives_the_same(lipcert, sample_models, digits, given, name):
    images, labels = ACCEPTED[name](*digits)
    path = given(images=images, labels=labels)
    model = sample_models / "digits_mlp.onnx"  # its sidecar divides by 16, whatever the dtype
    outcome = lipcert("analyze", model, "--data", path, "--only", "margins", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["models"][0]["margins"]["clean_accuracy"] == 0.975


def test_one_sample_is_enough(lipcert, sample_models, digits, given):
    images, labels = digits
    path = given(images=images[:1], labels=labels[:1])
    outcome = lipcert("analyze", sample_models / "digits_mlp.onnx", "--data", path, "--effort", "fast", "--json")
    model = json.loads(outcome.out)["models"][0]
    assert outcome.code == 0
    assert model["margins"]["samples"] == 1
    assert not [item for item in model["diagnostics"] if item["level"] != "note"]


NEEDS = [
    ("margins", "margins needs samples, and no data was given"),
    ("jacobian,layers", "jacobian needs samples"),
    ("robustness,certificates", "robustness, certificates need samples"),
]


@pytest.mark.parametrize(("only", "words"), NEEDS)
def test_an_analysis_asked_for_by_name_needs_its_data(lipcert, sample_models, only, words):
    model = sample_models / "digits_mlp.onnx"
    told = refused(lipcert, "analyze", model, "--only", only, code=2)
    assert words in told
    assert "--data FILE" in told
    assert lipcert("analyze", model, "--only", "layers").code == 0


def test_an_analysis_asked_for_by_name_needs_its_labels(lipcert, sample_models, digits, given):
    model, path = sample_models / "digits_mlp.onnx", given(images=digits[0])
    told = refused(lipcert, "analyze", model, "--data", path, "--only", "margins,jacobian", code=2)
    assert "margins needs labels, and the samples in" in told
    assert lipcert("analyze", model, "--data", path, "--only", "jacobian", "--samples", "4").code == 0


REQUESTS = {
    "labels without data": (("--labels", "l.npy"), "--labels needs --data"),
    "data missing": (("--data", "absent.npz"), "does not exist"),
    "data is a device": (("--data", os.devnull), "a pipe or a device"),
    "data is code": (("--data", "os:getcwd"), "--allow-code"),
    "data is this code": (("--data", "os:getcwd", "--allow-code"), "N of 1 or more"),
    "mean of no axis": (("--mean", "1,2,3"), "got 3"),
    "scale below float32": (("--scale", "1e-320"), "expected float32 numbers for scale"),
    "std below float32": (("--std", "1e-300"), "expected float32 numbers for std"),
    "mean beyond float32": (("--mean", "1e300"), "expected float32 numbers for mean"),
    "radius in pixels": (("--eps", "8"), "did you mean 8/255?"),
    "radius beyond all": (("--eps", "linf:1e30"), "wider than the input range [0, 1]"),
    "range without the data": (("--input-range", "5,6"), "2,560 of 2,560 are outside"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_the_data_do_not_allow(lipcert, sample_models, digits, given, name):
    options, words = REQUESTS[name]
    with_data = () if {"--data", "--labels"} & set(options) else ("--data", given(images=digits[0], labels=digits[1]))
    told = refused(lipcert, "analyze", sample_models / "digits_mlp.onnx", *with_data, *options, code=2)
    assert words in told
