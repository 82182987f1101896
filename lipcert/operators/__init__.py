"""Linear maps as pairs of functions: apply and adjoint, float64, batched over one leading axis."""

from lipcert.operators.adjoint import AdjointOperator
from lipcert.operators.affine import AffineOperator
from lipcert.operators.base import AbstractLinearOperator
from lipcert.operators.blocks import BlockDiagonalOperator
from lipcert.operators.composition import CompositionOperator
from lipcert.operators.convolution import ConvolutionOperator
from lipcert.operators.dense import DenseOperator
from lipcert.operators.diagonal import DiagonalOperator
from lipcert.operators.gather import GatherOperator
from lipcert.operators.jacobian import JacobianOperator
from lipcert.operators.materialise import materialise
from lipcert.operators.separable import SeparableOperator

__all__ = [
    "AbstractLinearOperator",
    "AdjointOperator",
    "AffineOperator",
    "BlockDiagonalOperator",
    "CompositionOperator",
    "ConvolutionOperator",
    "DenseOperator",
    "DiagonalOperator",
    "GatherOperator",
    "JacobianOperator",
    "SeparableOperator",
    "materialise",
]
