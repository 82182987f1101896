"""The content decides the format, and nothing is executed to find out."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from lipcert.errors import LipcertError, RefusedModelError, UnreadableModelError
from lipcert.load.sniff import sniff

SAMPLES = Path(__file__).resolve().parents[2] / "sample_models"


@pytest.mark.parametrize(("suffix", "expected"), [(".pt", "torchscript"), (".onnx", "onnx"), (".pt2", "exported")])
def test_every_sample_model_is_recognised(suffix: str, expected: str) -> None:
    files = sorted(SAMPLES.glob(f"*{suffix}"))
    assert files
    assert {sniff(file.read_bytes()) for file in files} == {expected}


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


class _Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/lipcert-payload-ran",)


def _state_dict() -> bytes:
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(2)}, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", UnreadableModelError, "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), UnreadableModelError, "PNG"),
        (pickle.dumps(_Payload()), RefusedModelError, "pickle"),
        (_state_dict(), RefusedModelError, "state_dict"),
        (_zip("a/data.npy"), RefusedModelError, "data, not a model"),
        (_zip("hello.txt"), UnreadableModelError, "no model format"),
        (_zip("serialized_exported_program.json"), RefusedModelError, "2.8"),
        (b"hello, this is text", UnreadableModelError, "neither"),
        (b"version https://git-lfs.github.com/spec/v1\n", UnreadableModelError, "Git LFS pointer"),
        (b"<!DOCTYPE html>\n<html>", UnreadableModelError, "web page"),
        (bytes(2000), UnreadableModelError, "neither"),
        (bytes(4) + b"TFL3" + bytes(20), RefusedModelError, "TensorFlow Lite"),
    ],
)
def test_what_is_no_model_is_named(content: bytes, kind: type[LipcertError], words: str) -> None:
    with pytest.raises(kind, match=words):
        sniff(content)
    assert not Path("/tmp/lipcert-payload-ran").exists()


@pytest.mark.parametrize("suffix", [".pt", ".onnx", ".pt2"])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_unreadable(suffix: str, share: float) -> None:
    content = (SAMPLES / f"digits_conv{suffix}").read_bytes()
    with pytest.raises(UnreadableModelError):
        sniff(content[: int(len(content) * share)])
