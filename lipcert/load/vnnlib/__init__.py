"""Properties in VNN-LIB, the format of the neural network verification competition."""

from lipcert.load.vnnlib.normal_form import Case, Constraint, Property
from lipcert.load.vnnlib.read import parse_property, read_property

__all__ = ["Case", "Constraint", "Property", "parse_property", "read_property"]
