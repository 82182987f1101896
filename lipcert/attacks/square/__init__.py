"""Random search in windows: an attack that asks for logits alone, never for a gradient."""

from lipcert.attacks.square.attack import Square

__all__ = ["Square"]
