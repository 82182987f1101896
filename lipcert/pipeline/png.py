"""Pictures as PNG files, without an image library."""

from __future__ import annotations

import struct
import zlib

import torch
from torch import Tensor


def encode_png(picture: Tensor, *, comment: str = "") -> bytes:
    """An 8-bit grey (H, W) or colour (H, W, 3) picture, uint8, as a PNG file.

    Source: ISO/IEC 15948. Every row starts with filter type 0; `comment` becomes a text chunk before the pixels.
    """
    if picture.dtype != torch.uint8 or picture.ndim not in (2, 3) or picture.shape[2:] not in ((), (3,)):
        raise ValueError(f"expected uint8 (H, W) or (H, W, 3), got {picture.dtype} {tuple(picture.shape)}")
    height, width = picture.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, 8, 0 if picture.ndim == 2 else 2, 0, 0, 0)
    rows = picture.reshape(height, -1).cpu()
    filtered = torch.cat([torch.zeros(height, 1, dtype=torch.uint8), rows], dim=1)
    pixels = zlib.compress(filtered.contiguous().numpy().tobytes(), 9)
    text = _chunk(b"tEXt", b"Comment\0" + comment.encode("latin-1", "replace")) if comment else b""
    body = _chunk(b"IHDR", head) + text + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
