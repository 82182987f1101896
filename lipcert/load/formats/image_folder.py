"""A folder with one sub-folder a class; the classes are numbered in the order of their names."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, final

import numpy as np

from lipcert.errors import DataError
from lipcert.load.formats.base import FORMATS, AbstractFormat, Array, RawSamples, optional_module

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"})
# What the suffixes stand for, and nothing else: Pillow would start other programs for some of its formats.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
_MOST_PIXELS, _MOST_PIXELS_OF_ALL = 2**24, 2**31
# Exact conversions only: nothing is blended, cut or re-quantised.
_MODES = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}


@final
@FORMATS.register("image-folder")
class ImageFolderFormat(AbstractFormat):
    """Images of one size, read as uint8 NCHW; grey ones get three equal channels only beside colour ones."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG004
        """Any folder."""
        return path.is_dir()

    @staticmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:  # noqa: ARG004
        """Read every image, class by class, files in the order of their names."""
        classes = _classes(path)
        files = [(file, label) for label, name in enumerate(classes) for file in _images(path / name)]
        if not files:
            raise DataError(
                f"expected images ({', '.join(sorted(_SUFFIXES))}) in the sub-folders of {path}, found none",
                hint="put each class's images in its own sub-folder",
            )
        pillow = optional_module("PIL.Image", "images", "an image folder")
        _check_sizes(pillow, [file for file, _ in files])
        images = [_pixels(pillow, file) for file, _ in files]
        if any(image.shape[0] == 3 for image in images):
            images = [np.repeat(image, 3, axis=0) if image.shape[0] == 1 else image for image in images]
        _same_size(images, [file for file, _ in files])
        return RawSamples(
            inputs=np.stack(images),
            labels=np.asarray([label for _, label in files], dtype=np.int64),
            files=tuple(file for file, _ in files),
            notes=(f"classes by folder: {', '.join(f'{i} {name}' for i, name in enumerate(classes[:10]))}",),
        )


def _classes(path: Path) -> list[str]:
    classes = sorted(child.name for child in path.iterdir() if child.is_dir() and not child.name.startswith("."))
    if not classes:
        found = ", ".join(sorted(child.name for child in path.iterdir())[:8]) or "nothing"
        raise DataError(
            f"expected one sub-folder a class in {path}, found no sub-folder (only: {found})",
            hint="make one folder a class, or give a data file itself",
        )
    if all(name.isdecimal() for name in classes) and classes != sorted(classes, key=int):
        raise DataError(
            f"the class folders of {path} are numbers whose alphabetical order ({', '.join(classes[:4])}, ...) "
            "is not their numerical order, so which class the model counts as 1 is unclear",
            hint="rename them with leading zeros, in the order of the model's outputs",
        )
    return classes


def _images(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix.lower() in _SUFFIXES)


def _check_sizes(pillow: Any, files: list[Path]) -> None:
    """Raise DataError on images larger than any classifier reads, by what their headers say."""
    total = 0
    for file in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pillow.DecompressionBombWarning)
                with pillow.open(file, formats=_FORMATS) as image:
                    width, height = image.size
        except Exception as error:
            raise DataError(f"{file} cannot be read as an image: {error}", hint="remove or replace it") from error
        total += width * height
        if width * height > _MOST_PIXELS or total > _MOST_PIXELS_OF_ALL:
            raise DataError(
                f"{file} claims {width}x{height} pixels; at most {_MOST_PIXELS:,} an image and "
                f"{_MOST_PIXELS_OF_ALL:,} in all are read",
                hint="resize and crop the images as the model's preprocessing does; lipcert does not",
            )


def _pixels(pillow: Any, file: Path) -> Array:
    """One image as uint8 (channels, height, width)."""
    try:
        with pillow.open(file, formats=_FORMATS) as image:
            mode = _MODES.get(image.mode)
            pixels = None if mode is None else np.asarray(image.convert(mode), dtype=np.uint8)
            found = image.mode
    except Exception as error:
        raise DataError(f"{file} cannot be read as an image: {error}", hint="remove or replace it") from error
    if pixels is None:
        raise DataError(
            f"expected a grey or RGB image, but {file} has mode {found}, which has no exact RGB form",
            hint="convert the images to RGB first, as the training did",
        )
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _same_size(images: list[Array], files: list[Path]) -> None:
    for image, file in zip(images, files, strict=True):
        if image.shape != images[0].shape:
            raise DataError(
                f"expected every image to be {images[0].shape[2]}x{images[0].shape[1]} like {files[0].name}, "
                f"but {file} is {image.shape[2]}x{image.shape[1]}",
                hint="resize and crop the images as the model's preprocessing does; lipcert does not",
            )
