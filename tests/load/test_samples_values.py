"""Values: what is divided by what, and which values and labels are refused, with which words."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.errors import DataError
from lipcert.load.samples import load_samples


def _load(tmp_path, images, labels=None, **options):
    np.savez(tmp_path / "a", images=images, **({} if labels is None else {"labels": labels}))
    return load_samples(tmp_path / "a.npz", **options)


def _refusal(tmp_path, images, labels=None, **options):
    with pytest.raises(DataError) as caught:
        _load(tmp_path, images, labels, **options)
    assert caught.value.hint
    assert "a.npz" in caught.value.message
    return caught.value


BYTES = np.array([[0, 16], [8, 4]], dtype=np.uint8)


def test_bytes_are_divided_by_255_unless_told_otherwise(tmp_path):
    assert torch.equal(_load(tmp_path, BYTES).inputs, torch.from_numpy(BYTES).float() / 255)
    told = _load(tmp_path, BYTES, scale=16)
    assert told.inputs.tolist() == [[0, 1], [0.5, 0.25]]
    assert told.input_range == (0, 255 / 16)
    assert told.scale == 16
    assert _load(tmp_path, BYTES, scale=16, input_range=(0, 1)).input_range == (0, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_taken_as_they_are(dtype, tmp_path):
    values = np.array([[0.0, 255.0], [-3.5, 0.1]], dtype=dtype)
    plain = _load(tmp_path, values)
    assert plain.inputs.dtype == torch.float32
    assert np.array_equal(plain.inputs.numpy(), values.astype(np.float32))
    assert (plain.scale, plain.input_range) == (1, None)
    assert _load(tmp_path, values, scale=2).inputs[0, 1] == 127.5


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint16, bool])
def test_other_integers_are_no_pixels_and_the_note_says_so(dtype, tmp_path):
    samples = _load(tmp_path, np.array([[0, 1], [1, 1]], dtype=dtype))
    assert samples.inputs.tolist() == [[0, 1], [1, 1]]
    assert samples.input_range is None
    assert "--scale 255" in samples.notes[0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 255), st.sampled_from([1, 16, 255, 127.5]))
def test_division_is_that_of_float32(value, scale):
    expected = torch.tensor([value], dtype=torch.uint8).float() / scale
    assert torch.equal(torch.from_numpy(np.array([value], np.uint8).astype(np.float32) / np.float32(scale)), expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted_and_placed(bad, tmp_path):
    values = np.zeros((4, 2, 3), dtype=np.float32)
    values[2, 1, 0] = values[3] = bad
    error = _refusal(tmp_path, values)
    assert "7 of 24" in error.message
    assert "sample 2, position (1, 0)" in error.message


def test_a_float64_too_large_for_float32_is_not_finite(tmp_path):
    assert "1 of 2" in _refusal(tmp_path, np.array([[1e300, 0.0]])).message


def test_values_outside_the_declared_range_are_refused(tmp_path):
    error = _refusal(tmp_path, np.array([[0.5, 200.0]]), input_range=(0, 1))
    assert "[0, 1]" in error.message
    assert "sample 0, position (1,)" in error.message
    assert "--scale" in error.hint


@pytest.mark.parametrize(
    "values", [np.array([["a", "b"]]), np.array([[1 + 2j]]), np.array([["2020-01-01"]], "datetime64[D]")]
)
def test_values_that_are_no_numbers_are_refused(values, tmp_path):
    assert str(values.dtype) in _refusal(tmp_path, values).message


@pytest.mark.parametrize("shape", [(0, 3), (5,), ()])
def test_no_samples_are_refused(shape, tmp_path):
    assert f"got shape {shape}" in _refusal(tmp_path, np.zeros(shape)).message


LABEL_CASES = {
    "wrong length": (np.arange(3), "4 samples, 3 labels", "same split"),
    "fractions": (np.array([0, 1.5, 1, 0]), "1 are not, the first is 1.5 at sample 1", "class number"),
    "nan": (np.array([0, 1, np.nan, 0]), "the first is nan at sample 2", "class number"),
    "words": (np.array(["a", "b", "a", "b"]), "whole numbers", "number the classes"),
    "too large": (np.array([0, 1, 3, 4]), "labels in 0..2", "belong together"),
    "negative": (np.array([0, -1, 2, 1]), "the first is -1 at sample 1", "belong together"),
    "counted from one": (np.array([1, 2, 3, 1]), "1 are outside, the first is 3 at sample 2", "subtract 1"),
    "one-hot": (np.eye(4)[:, :3] + np.array([[0, 0, 0]] * 3 + [[1, 0, 0]]), "shape (4, 3)", "argmax"),
    "images": (np.zeros((4, 3)), "shape (4, 3)", "shape (N,)"),
}


@pytest.mark.parametrize("case", LABEL_CASES)
def test_labels_that_do_not_fit_are_refused(case, tmp_path):
    labels, message, hint = LABEL_CASES[case]
    error = _refusal(tmp_path, np.zeros((4, 2)), labels, classes=3)
    assert message in error.message
    assert hint in error.hint


def test_negative_labels_are_refused_even_where_the_classes_are_unknown(tmp_path):
    assert "0 or more" in _refusal(tmp_path, np.zeros((2, 2)), np.array([0, -1])).message


def test_missing_keys_are_listed(tmp_path):
    np.savez(tmp_path / "a", pictures=BYTES, classes=BYTES)
    with pytest.raises(DataError) as caught:
        load_samples(tmp_path / "a.npz")
    assert "pictures, classes" in caught.value.message
    assert "'images'" in caught.value.hint
    np.savez(tmp_path / "b", pictures=BYTES)
    np.save(tmp_path / "x", BYTES)
    with pytest.raises(DataError, match="the keys found are: pictures"):
        load_samples(tmp_path / "x.npy", labels=tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("content", "words", "hint"),
    [
        (b"", "is empty", ".npz"),
        (b"\x00\x01\x02\x03", "00 01 02 03", ".npz"),
        (b"hello world", "'hello wo'", ".npz"),
        (b"GIF89a\x00\x01", "a GIF image", ".npz"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer", "git lfs pull"),
        (b"\n<!DOCTYPE html><html><head>a, b;</head>", "a web page", "fetch the file again"),
    ],
)
def test_an_unknown_file_is_described(content, words, hint, tmp_path):
    path = tmp_path / "mystery"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_samples(path)
    assert words in caught.value.message
    assert hint in caught.value.hint


def test_a_model_given_as_data_is_named(sample_models):
    for name in ("digits_mlp.onnx", "digits_mlp.pt2", "digits_mlp.pt"):
        with pytest.raises(DataError, match="model") as caught:
            load_samples(sample_models / name)
        assert "--data" in caught.value.hint


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(DataError, match="a pipe or a device"):
            load_samples(path)


@pytest.mark.parametrize("path", ["a" * 5000, "a\0b.npz"])
def test_a_path_that_cannot_be_one_is_a_data_error(path, tmp_path):
    with pytest.raises(DataError, match="cannot be opened"):
        load_samples(path)
    np.save(tmp_path / "x", BYTES)
    with pytest.raises(DataError, match="cannot be opened"):
        load_samples(tmp_path / "x.npy", labels=path)


def test_a_path_that_does_not_exist_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        load_samples(tmp_path / "absent.npz")
    np.save(tmp_path / "x", BYTES)
    with pytest.raises(DataError, match="cannot be opened"):
        load_samples(tmp_path / "x.npy", labels=tmp_path / "absent.npy")


def test_gzip_of_something_else_is_described(tmp_path):
    import gzip

    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    with pytest.raises(DataError, match="IDX"):
        load_samples(path)
