"""A data file never runs code, and never makes lipcert believe what it does not hold."""

import pickle
import sys

import numpy as np
import pytest
import torch

from lipcert.errors import DataError
from lipcert.load.samples import load_samples

RAN = []


class Payload:
    def __reduce__(self):
        return RAN.append, ("ran",)


class Eval:
    def __reduce__(self):
        return eval, ("__import__('sys').modules['lipcert'].__dict__.update(pwned=1)",)


class State:
    """A pickle that sets state on the reader's own stand-ins."""

    def __reduce__(self):
        return np.dtype, ("O", False, True)


def _refuses(path, *words):
    with pytest.raises(DataError) as caught:
        load_samples(path)
    text = f"{caught.value.message} {caught.value.hint}"
    assert all(word in text for word in (str(path), *words)), text
    assert RAN == []
    assert not hasattr(sys.modules["lipcert"], "pwned")


@pytest.mark.parametrize(
    "payload", [Payload(), Eval(), np.array([Payload()], dtype=object), {"data": Eval()}, [Payload()]]
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_is_not_run(payload, protocol, tmp_path):
    path = tmp_path / "test_batch"
    path.write_bytes(pickle.dumps(payload, protocol=protocol))
    _refuses(path, "binary version")


def test_an_object_dtype_in_a_batch_is_refused(tmp_path):
    path = tmp_path / "test_batch"
    path.write_bytes(pickle.dumps({"data": np.zeros((2, 3072), dtype=object), "labels": [0, 1]}, protocol=2))
    _refuses(path, "binary version")


def test_state_set_on_a_name_is_refused(tmp_path):
    path = tmp_path / "test_batch"
    path.write_bytes(b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n}X\x01\x00\x00\x00aK\x01sb.")
    _refuses(path, "takes none")


def test_a_batch_whose_array_lies_about_its_shape_is_refused(tmp_path):
    path = tmp_path / "test_batch"
    content = pickle.dumps({"data": np.zeros((2, 3072), dtype=np.uint8), "labels": [0, 1]}, protocol=2)
    assert content.count(b"K\x02M\x00\x0c") == 1
    path.write_bytes(content.replace(b"K\x02M\x00\x0c", b"K\x7fM\x00\x0c"))
    _refuses(path, "not well formed")


@pytest.mark.parametrize("labels", [None, "abc", [0, "1"], [True, 1.5]])
def test_a_batch_without_integer_labels_is_refused(labels, tmp_path):
    path = tmp_path / "test_batch"
    path.write_bytes(pickle.dumps({"data": np.zeros((2, 3072), dtype=np.uint8), "labels": labels}, protocol=2))
    _refuses(path, "list of integers")


def test_object_arrays_in_numpy_files_are_refused(tmp_path):
    objects = np.array([Payload(), 1], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", images=objects, labels=[0, 1])
    RAN.clear()
    _refuses(tmp_path / "a.npy", "runs code", "numeric array")
    _refuses(tmp_path / "a.npz", "runs code", "numeric array")


def test_objects_in_a_torch_file_are_refused(tmp_path):
    torch.save({"images": Payload()}, tmp_path / "a.pt")
    RAN.clear()
    _refuses(tmp_path / "a.pt", "runs code", "torch.save")


def test_an_expanded_view_is_refused(tmp_path):
    torch.save({"x": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "a.pt")
    _refuses(tmp_path / "a.pt", "expanded view")


def test_a_model_given_as_data_is_named(sample_models):
    _refuses(sample_models / "digits_mlp.pt", "TorchScript model", "--data")


def test_a_function_is_called_only_when_asked_for(tmp_path, monkeypatch):
    (tmp_path / "lipcert_user_data.py").write_text(
        "import torch\ndef load():\n    return torch.ones(3, 4), torch.tensor([0, 1, 1])\n"
        "def fails():\n    raise RuntimeError('no disk')\n"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load_samples("lipcert_user_data:load")
    assert "--allow-code" in caught.value.hint
    assert "lipcert_user_data" not in sys.modules
    samples = load_samples("lipcert_user_data:load", allow_code=True, input_shape=(4,), classes=2)
    assert samples.inputs.shape == (3, 4)
    assert samples.sha256 == ""
    for name, words in (("fails", "no disk"), ("absent", "cannot be found")):
        with pytest.raises(DataError, match=words):
            load_samples(f"lipcert_user_data:{name}", allow_code=True)
