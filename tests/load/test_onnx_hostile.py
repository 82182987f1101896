"""Files damaged at random: each is read rightly or refused in words, and nothing else is raised or printed."""

import numpy as np
import pytest
import torch

from lipcert.errors import ModelError, UnreadableModelError
from lipcert.load.onnx_model import read_onnx
from tests.load.onnx_models import dense, model, node, weights


def convolutional():
    nodes = [
        node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
        node("MaxPool", "c", "m", kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", "m s", "y"),
    ]
    return model(nodes, {"w": weights(2, 2, 3, 3), "s": np.array([1, -1], dtype=np.int64)}, shape=(1, 2, 4, 4))


WHOLE = {"dense": dense().SerializeToString(), "convolutional": convolutional().SerializeToString()}


def damaged(content, generator):
    """The bytes with one to three of them changed, dropped or doubled."""
    changed = bytearray(content)
    for _ in range(int(torch.randint(1, 4, (), generator=generator))):
        place, kind, value = (int(torch.randint(0, n, (), generator=generator)) for n in (len(changed), 3, 256))
        if kind == 0:
            changed[place] = value
        elif kind == 1:
            del changed[place : place + 1 + value % 4]
        else:
            changed.insert(place, value)
    return bytes(changed)


@pytest.mark.parametrize("name", WHOLE)
def test_damage_is_noticed_or_harmless(name, capfd):
    generator = torch.Generator().manual_seed(len(name))
    outcomes = {"read": 0, "refused": 0}
    for _ in range(250):
        try:
            source = read_onnx(data=damaged(WHOLE[name], generator))
        except ModelError:
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        if source.input_shape is not None and torch.Size(source.input_shape).numel() < 10**5:
            x = torch.rand(2, *source.input_shape, generator=generator)
            torch.testing.assert_close(source.function(x), source.oracle(x), rtol=1e-3, atol=1e-3, equal_nan=True)
    assert min(outcomes.values()) > 0
    assert capfd.readouterr() == ("", "")


def test_a_name_that_is_no_text():
    content = dense().SerializeToString().replace(b"Gemm", b"\xff\xfemm")
    with pytest.raises(UnreadableModelError):
        read_onnx(data=content)
