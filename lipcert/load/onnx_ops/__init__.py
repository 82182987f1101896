"""What each ONNX operator is in torch, one file per family."""

from lipcert.load.onnx_ops import (
    activation,
    constant,
    convolution,
    elementwise,
    indexing,
    linear,
    normalisation,
    padding,
    pooling,
    quantised,
    quantised_product,
    reduction,
    resize,
    sampling,
    shape,
)
from lipcert.load.onnx_ops.base import OPERATORS, NodeContext, Quantised, qualified

__all__ = [
    "OPERATORS",
    "NodeContext",
    "Quantised",
    "activation",
    "constant",
    "convolution",
    "elementwise",
    "indexing",
    "linear",
    "normalisation",
    "padding",
    "pooling",
    "qualified",
    "quantised",
    "quantised_product",
    "reduction",
    "resize",
    "sampling",
    "shape",
]
