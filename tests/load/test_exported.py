"""A `.pt2` archive is opened only after it is shown to run nothing."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lipcert.errors import RefusedModelError, UnreadableModelError
from lipcert.load.exported import read_exported

CONTENT = (Path(__file__).resolve().parents[2] / "sample_models" / "digits_conv.pt2").read_bytes()


class _Payload:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def _edited(edit: Callable[[str, bytes], bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(CONTENT)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            target.writestr(name, edit(name, source.read(name)))
    return buffer.getvalue()


def _pickled(payload: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(payload, buffer)
    return buffer.getvalue()


def test_a_pickled_sample_input_is_not_executed(tmp_path: Path) -> None:
    evil = _pickled(_Payload(tmp_path / "ran"))
    content = _edited(lambda name, data: evil if "sample_inputs" in name else data)
    with pytest.raises(RefusedModelError, match="pickle"):
        read_exported(content)
    assert not (tmp_path / "ran").exists()


def test_a_pickled_weight_is_not_executed(tmp_path: Path) -> None:
    evil = _pickled(_Payload(tmp_path / "ran"))

    def edit(name: str, data: bytes) -> bytes:
        if name.endswith("weights_config.json"):
            return data.replace(b'"use_pickle": false', b'"use_pickle": true')
        return evil if "weights/weight_" in name else data

    with pytest.raises(RefusedModelError, match="pickle"):
        read_exported(_edited(edit))
    assert not (tmp_path / "ran").exists()


def test_an_expression_that_is_code_is_not_evaluated(tmp_path: Path) -> None:
    evil = f"__import__('os').system('touch {tmp_path / 'ran'}')"

    def edit(name: str, data: bytes) -> bytes:
        if "models/" not in name:
            return data
        return json.dumps(_replace(json.loads(data), evil)).encode()

    with pytest.raises(RefusedModelError, match="not plain arithmetic"):
        read_exported(_edited(edit))
    assert not (tmp_path / "ran").exists()


def _replace(value: object, evil: str) -> object:
    if isinstance(value, dict):
        return {key: evil if key == "expr_str" else _replace(item, evil) for key, item in value.items()}
    return [_replace(item, evil) for item in value] if isinstance(value, list) else value


def test_a_damaged_program_is_unreadable() -> None:
    with pytest.raises(UnreadableModelError):
        read_exported(_edited(lambda name, data: b"{" if "models/" in name else data))


def test_the_input_shape_is_read_from_the_program() -> None:
    source = read_exported(CONTENT)
    assert source.input_shape == (1, 8, 8)
    assert source.declared_batch is None


def test_a_fixed_batch_is_run_in_slices() -> None:
    net = torch.nn.Linear(4, 3).eval()
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(net, (torch.zeros(2, 4),)), buffer)
    source = read_exported(buffer.getvalue())
    x = torch.rand(5, 4, generator=torch.Generator().manual_seed(0))
    assert source.declared_batch == 2
    assert source.oracle is not None
    assert torch.allclose(source.oracle(x), net(x))
