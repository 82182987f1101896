"""Samples are brought to the model's shape in one way, or not at all."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.errors import DataError
from lipcert.load.fit import fit
from lipcert.samples import Samples


def _samples(*shape):
    count = 2
    for length in shape:
        count *= length
    return Samples(inputs=torch.arange(count, dtype=torch.float32).reshape(2, *shape), labels=None, path="d.npz")


@pytest.mark.parametrize(
    ("stored", "wanted", "layout", "words"),
    [
        ((1, 28, 28), (1, 28, 28), None, "as stored"),
        ((3, 8, 8), (3, 8, 8), "nchw", "as stored"),
        ((8, 8, 3), (8, 8, 3), "nhwc", "as stored"),
        ((3, 8, 8), (None, None, None), None, "as stored"),
        ((4,), (None,), None, "as stored"),
        ((28, 28), (1, 28, 28), None, "axes of length 1: 28x28 -> 1x28x28"),
        ((28, 28), (28, 28, 1), None, "axes of length 1: 28x28 -> 28x28x1"),
        ((1, 28, 28), (28, 28, 1), None, "axes of length 1: 1x28x28 -> 28x28x1"),
        ((28, 28), (1, None, None), None, "axes of length 1: 28x28 -> 1x?x?"),
        ((4,), (4, 1), None, "axes of length 1: 4 -> 4x1"),
        ((1, 28, 28), (784,), None, "flattened row by row from 1x28x28"),
        ((1, 28, 28), (784, 1), None, "flattened row by row from 1x28x28"),
        ((1, 28, 28), (1, 1, 784), None, "flattened row by row from 1x28x28"),
        ((3, 8, 8), (192,), None, "flattened row by row from 3x8x8"),
        ((3, 8, 8), (None,), None, "flattened row by row from 3x8x8"),
        ((784,), (1, 28, 28), None, "rows of 28 from 784"),
    ],
)
def test_entries_keep_their_order(stored, wanted, layout, words):
    samples = _samples(*stored)
    fitted = fit(samples, wanted, layout)
    assert fitted.layout == words
    assert all(w in (None, s) for s, w in zip(fitted.inputs.shape[1:], wanted, strict=True))
    assert torch.equal(fitted.inputs.flatten(), samples.inputs.flatten())


@pytest.mark.parametrize("flat", [False, True])
def test_channels_move_where_the_layout_says_so(flat):
    first = _samples(3, 8, 6)
    last = first.inputs.permute(0, 2, 3, 1)
    to_last = fit(first, (144,) if flat else (8, 6, 3), "nhwc")
    assert torch.equal(to_last.inputs.flatten(), last.flatten())
    assert to_last.layout.startswith("nchw -> nhwc")
    stored_last = Samples(inputs=last.contiguous(), labels=None)
    to_first = fit(stored_last, (144,) if flat else (3, 8, 6), "nchw")
    assert torch.equal(to_first.inputs.flatten(), first.inputs.flatten())
    assert to_first.inputs.is_contiguous()


def test_a_layout_is_heeded_where_the_model_leaves_its_axes_free():
    assert fit(_samples(3, 8, 6), (None, None, None), "nhwc").inputs.shape[1:] == (8, 6, 3)
    assert fit(_samples(3, 8, 6), (None, None, None), "nchw").layout == "as stored"


@pytest.mark.parametrize(
    ("stored", "wanted", "hint"), [((3, 8, 6), (8, 6, 3), "--layout nhwc"), ((8, 6, 3), (3, 8, 6), "--layout nchw")]
)
def test_channels_never_move_unasked(stored, wanted, hint):
    with pytest.raises(DataError) as caught:
        fit(_samples(*stored), wanted)
    assert caught.value.hint == hint
    assert "d.npz" in caught.value.message


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [((3, 8, 6), (3, 6, 8)), ((4,), (5,)), ((1, 8, 8), (3, 8, 8)), ((144,), (3, 8, 6)), ((3, 8, 6), (145,))],
)
def test_what_fits_in_no_way_or_in_several_is_refused(stored, wanted):
    for layout in (None, "nchw", "nhwc"):
        with pytest.raises(DataError) as caught:
            fit(_samples(*stored), wanted, layout)
        assert "x".join(map(str, wanted)) in caught.value.message
        assert "x".join(map(str, stored)) in caught.value.message


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_axes_of_length_one_come_and_go_without_moving_anything(shape, data):
    core = [length for length in shape if length != 1] or [1]
    wanted = list(core)
    for _ in range(data.draw(st.integers(0, 2))):
        wanted.insert(data.draw(st.integers(0, len(wanted))), 1)
    samples = _samples(*shape)
    fitted = fit(samples, tuple(wanted))
    assert list(fitted.inputs.shape[1:]) == wanted
    assert torch.equal(fitted.inputs.flatten(), samples.inputs.flatten())
