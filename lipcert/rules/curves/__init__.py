"""Functions of one variable: their extremes and the lines that enclose them over an interval."""

from lipcert.rules.curves.catalogue import CURVES, curve_of
from lipcert.rules.curves.curve import Curve, Piece
from lipcert.rules.curves.extremes import extremes
from lipcert.rules.curves.planes import Lines, enclose, span

__all__ = ["CURVES", "Curve", "Lines", "Piece", "curve_of", "enclose", "extremes", "span"]
