"""Data files that claim more than they hold."""

import functools
import gzip
import io
import struct
import zipfile
import zlib

import numpy as np
import torch


@functools.cache
def _bomb():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=np.zeros((2**11, 2**16), np.uint8), labels=np.zeros(2**11))
    return buffer.getvalue()


def deflated(folder):
    """An eighth of a megabyte of samples that opens as 128 MB."""
    (folder / "x.npz").write_bytes(_bomb())
    return folder / "x.npz"


def _header(shape):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def shape_in_npz(folder):
    """An array in an archive whose header speaks of 10^12 entries."""
    with zipfile.ZipFile(folder / "x.npz", "w") as archive:
        archive.writestr("images.npy", _header((10**6, 10**6)) + bytes(64))
    return folder / "x.npz"


def shape_in_npy(folder):
    """The same without the archive."""
    (folder / "x.npy").write_bytes(_header((10**6, 10**6)) + bytes(64))
    return folder / "x.npy"


def view(folder):
    """A torch file with an expanded view of 10^12 entries."""
    torch.save({"x": torch.zeros(1).expand(10**6, 10**6)}, folder / "x.pt")
    return folder / "x.pt"


def two_cases(folder):
    """A torch file with a second, shorter storage whose name differs in case alone: torch does not tell them apart."""
    torch.save({"x": torch.zeros(4, 4), "y": torch.zeros(4)}, folder / "x.pt")
    with zipfile.ZipFile(folder / "x.pt", "a") as archive:
        archive.writestr("x/DATA/0", b"short")
    return folder / "x.pt"


def zipped_idx(folder):
    """A MNIST file of 100 MB in 100 kB."""
    shape = (100_000, 32, 32)
    with gzip.open(folder / "x.gz", "wb", compresslevel=6) as file:
        file.write(b"\0\0\x08\x03" + struct.pack(">3L", *shape))
        for _ in range(100):
            file.write(bytes(1000 * 1024))
    return folder / "x.gz"


def _image(side):
    """A picture of `side` by `side` pixels in a few bytes."""

    def chunk(kind, content):
        return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))

    def build(folder):
        path = folder / "data" / "cat" / "a.png"
        path.parent.mkdir(parents=True)
        head = chunk(b"IHDR", struct.pack(">2L5B", side, side, 8, 2, 0, 0, 0))
        body = chunk(b"IDAT", zlib.compress(bytes(1000)))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b""))
        return folder / "data"

    return build


def memo(folder):
    """A pickle that numbers its first object 2^31, for which its reader makes a table."""
    (folder / "batch").write_bytes(b"\x80\x02}r\xff\xff\xff\x7f.")
    return folder / "batch"


TRAPS = {
    "npz deflate bomb": (deflated, "decompression bomb"),
    "npz shape of 10^12": (shape_in_npz, "truncated"),
    "npy shape of 10^12": (shape_in_npy, "truncated"),
    "pt view of 10^12": (view, "expanded view"),
    "pt storage in capitals": (two_cases, "twice"),
    "gzip bomb": (zipped_idx, "decompression bomb"),
    "image bomb": (_image(50_000), "2500000000 pixels"),
    "large image": (_image(9_000), "9000x9000"),
    "pickle memo": (memo, "beyond their count"),
}
