"""Data formats, one file a family. Importing the package files them all in `FORMATS`, in the order they are tried."""

from lipcert.load.formats import (  # noqa: F401, I001  the order is the order of recognition
    numpy_files,
    torch_tensors,
    idx,
    parquet,
    cifar_python,
    cifar_binary,
    image_folder,
    table,
)
from lipcert.load.formats.base import FORMATS, AbstractFormat, RawSamples, head_of

__all__ = ["FORMATS", "AbstractFormat", "RawSamples", "head_of"]
