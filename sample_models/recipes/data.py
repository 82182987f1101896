"""The data: scikit-learn's digits in a seeded split, and MNIST from files the caller has."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from lipcert.analyses.generalization import spread

DIGITS_TEST = 450
MNIST_TEST = 1000


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Raw images, uint8 (N, 1, H, W), with int64 labels."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def inputs(self, scale: float) -> Tensor:
        """The images in data units, float32: raw / scale, divided in float32 as lipcert does."""
        return torch.from_numpy(self.images).to(torch.float32) / scale

    def targets(self) -> Tensor:
        """The labels as a tensor."""
        return torch.from_numpy(self.labels)

    def first(self, count: int) -> Split:
        """The first `count` images."""
        return Split(images=self.images[:count], labels=self.labels[:count])

    def spread(self, count: int) -> Split:
        """`count` images, evenly through all of them."""
        rows = spread(len(self.images), min(count, len(self.images))).numpy()
        return Split(images=self.images[rows], labels=self.labels[rows])

    def after(self, count: int, many: int) -> Split:
        """The `many` images that follow the first `count`."""
        return Split(images=self.images[count : count + many], labels=self.labels[count : count + many])

    def save(self, path: Path) -> None:
        """Write `images` and `labels` to an .npz."""
        np.savez_compressed(path, images=self.images, labels=self.labels)


def digits(seed: int) -> tuple[Split, Split]:
    """Training and test split of the 1,797 digits; raw values run from 0 to 16."""
    raw = load_digits()
    images = raw.images.astype(np.uint8)[:, None]
    labels = raw.target.astype(np.int64)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed)).numpy()
    train, test = order[DIGITS_TEST:], order[:DIGITS_TEST]
    return Split(images=images[train], labels=labels[train]), Split(images=images[test], labels=labels[test])


def load(path: Path) -> Split:
    """Images from an .npz with uint8 `images` (N, 1, H, W) and `labels` (N,), or from an IDX pair.

    An IDX file of images, `*-images-idx3-ubyte` or `.gz`, has its labels beside it under MNIST's own name.
    """
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return Split(images=archive["images"], labels=archive["labels"].astype(np.int64))
    beside = path.with_name(path.name.replace("images-idx3", "labels-idx1").replace("images.idx3", "labels.idx1"))
    return Split(images=_idx(path)[:, None], labels=_idx(beside).astype(np.int64))


def _idx(path: Path) -> npt.NDArray[np.uint8]:
    """An IDX file of bytes: two zeros, the type 8, the number of axes, the sizes as big-endian words, the entries."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if content[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is no IDX file of bytes")
    axes = content[3]
    sizes = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(sizes)
