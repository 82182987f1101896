"""Every format gives the samples that were stored, whatever the file is called."""

import gzip
import hashlib
import pickle
import struct

import numpy as np
import pytest
import torch

from lipcert.errors import DataError
from lipcert.load.samples import load_samples

IMAGES = (np.arange(6 * 3 * 32 * 32, dtype=np.int64) * 7 % 256).astype(np.uint8).reshape(6, 3, 32, 32)
LABELS = np.array([3, 1, 0, 9, 2, 5])


def _idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def _cifar_record(images, labels):
    return b"".join(bytes([label]) + image.tobytes() for image, label in zip(images, labels, strict=True))


def _npz(folder):
    np.savez(folder / "a", images=IMAGES, labels=LABELS)
    return {"path": folder / "a.npz"}


def _npz_short_names(folder):
    np.savez_compressed(folder / "a", x=IMAGES, y=LABELS.astype(float), other=np.zeros(3))
    return {"path": folder / "a.npz"}


def _npy_pair(folder):
    np.save(folder / "x.npy", IMAGES)
    np.save(folder / "y.npy", LABELS[:, None])
    return {"path": folder / "x.npy", "labels": folder / "y.npy"}


def _pt_dict(folder):
    torch.save({"images": torch.from_numpy(IMAGES), "labels": torch.from_numpy(LABELS)}, folder / "a.pt")
    return {"path": folder / "a.pt"}


def _pt_pair(folder):
    torch.save((torch.from_numpy(IMAGES), torch.from_numpy(LABELS)), folder / "a.pt")
    return {"path": folder / "a.pt"}


def _pt_legacy(folder):
    torch.save(
        (torch.from_numpy(IMAGES), torch.from_numpy(LABELS)), folder / "a.pt", _use_new_zipfile_serialization=False
    )
    return {"path": folder / "a.pt"}


def _idx_siblings(folder):
    (folder / "t10k-images-idx3-ubyte").write_bytes(_idx(IMAGES))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(_idx(LABELS))
    return {"path": folder / "t10k-images-idx3-ubyte"}


def _idx_gz(folder):
    (folder / "images.gz").write_bytes(gzip.compress(_idx(IMAGES)))
    (folder / "why").write_bytes(gzip.compress(_idx(LABELS)))
    return {"path": folder / "images.gz", "labels": folder / "why"}


def _cifar10_binary(folder):
    (folder / "test_batch.bin").write_bytes(_cifar_record(IMAGES, LABELS))
    return {"path": folder / "test_batch.bin"}


def _cifar100_binary(folder):
    records = b"".join(b"\x13" + _cifar_record([i], [label]) for i, label in zip(IMAGES, LABELS, strict=True))
    (folder / "test").write_bytes(records)
    return {"path": folder / "test"}


def _cifar_python(folder):
    batch = {b"data": IMAGES.reshape(6, -1), b"labels": LABELS.tolist(), b"batch_label": b"testing"}
    (folder / "test_batch").write_bytes(pickle.dumps(batch, protocol=2))
    return {"path": folder / "test_batch"}


def _cifar100_python(folder):
    batch = {"data": IMAGES.reshape(6, -1), "fine_labels": LABELS.tolist(), "coarse_labels": [0] * 6}
    (folder / "test").write_bytes(pickle.dumps(batch, protocol=4))
    return {"path": folder / "test"}


WAYS = [
    _npz,
    _npz_short_names,
    _npy_pair,
    _pt_dict,
    _pt_pair,
    _pt_legacy,
    _idx_siblings,
    _idx_gz,
    _cifar10_binary,
    _cifar100_binary,
    _cifar_python,
    _cifar100_python,
]


@pytest.mark.parametrize("way", WAYS)
def test_a_format_gives_back_what_was_stored(way, tmp_path):
    where = way(tmp_path)
    samples = load_samples(classes=10, input_shape=(3, 32, 32), **where)
    assert torch.equal(samples.inputs, torch.from_numpy(IMAGES).float() / 255)
    assert samples.labels.dtype == torch.int64
    assert samples.labels.tolist() == LABELS.tolist()
    assert samples.scale == 255
    assert samples.input_range == (0, 1)
    assert samples.layout == "as stored"
    assert samples.path == str(where["path"])
    assert len(samples.sha256) == 64


@pytest.mark.parametrize("way", WAYS)
def test_the_name_does_not_decide_the_format(way, tmp_path):
    if way is _idx_siblings:
        pytest.skip("the sibling is found by name")
    where = way(tmp_path)
    path = tmp_path / "renamed.data"
    where["path"].rename(path)
    assert torch.equal(load_samples(**{**where, "path": path}).inputs, torch.from_numpy(IMAGES).float() / 255)


@pytest.mark.parametrize("way", WAYS)
def test_a_truncated_file_is_a_data_error(way, tmp_path):
    where = way(tmp_path)
    content = where["path"].read_bytes()
    where["path"].write_bytes(content[: len(content) * 2 // 3 - 1])
    with pytest.raises(DataError) as caught:
        load_samples(**where)
    assert str(where["path"]) in caught.value.message
    assert caught.value.exit_code == 2


def test_the_digest_of_one_file_is_its_sha256_and_of_two_depends_on_both(tmp_path):
    one = _npz(tmp_path)["path"]
    assert load_samples(one).sha256 == hashlib.sha256(one.read_bytes()).hexdigest()
    pair = _npy_pair(tmp_path)
    before = load_samples(**pair).sha256
    np.save(pair["labels"], LABELS[::-1])
    assert load_samples(**pair).sha256 != before


def test_labels_may_lie_in_any_file_of_their_own(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES)
    np.save(tmp_path / "y.npy", LABELS)
    np.savez(tmp_path / "y.npz", labels=LABELS)
    torch.save(torch.from_numpy(LABELS), tmp_path / "y.pt")
    torch.save({"y": torch.from_numpy(LABELS)}, tmp_path / "z.pt")
    (tmp_path / "y.txt").write_text("label\n" + "\n".join(map(str, LABELS)))
    (tmp_path / "y.idx").write_bytes(_idx(LABELS))
    for name in ("y.npy", "y.npz", "y.pt", "z.pt", "y.txt", "y.idx"):
        assert load_samples(tmp_path / "x.npy", labels=tmp_path / name).labels.tolist() == LABELS.tolist()


def test_data_without_labels_say_so(tmp_path):
    np.savez(tmp_path / "a", images=IMAGES, label=LABELS)
    samples = load_samples(tmp_path / "a.npz")
    assert samples.labels is None
    assert any("images, label" in note for note in samples.notes)


def test_real_mnist_files_agree(material, tmp_path):
    with np.load(material / "data" / "mnist_test.npz") as archive:
        images, labels = archive["images"][:50], archive["labels"][:50]
    (tmp_path / "t10k-images.idx3-ubyte").write_bytes(_idx(images[:, 0]))
    (tmp_path / "t10k-labels.idx1-ubyte").write_bytes(_idx(labels))
    samples = load_samples(tmp_path / "t10k-images.idx3-ubyte", input_shape=(1, 28, 28), classes=10)
    assert torch.equal(samples.inputs, torch.from_numpy(images) / 255)
    assert samples.labels.tolist() == labels.tolist()
