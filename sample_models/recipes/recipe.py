"""How one net is made: a recipe is data, and everything in it is declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

from torch import nn

from lipcert.training import AbstractAdversary, AbstractPenalty

FORMATS = (".onnx", ".pt", ".pt2")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One net, but for its seed.

    data           "digits" or "mnist": the training split of it
    samples        how many of its first images are trained on; None for all
    schedule       "one-cycle": AdamW at a rate that rises and falls; "ramp": Adam, likewise; "constant": Adam
    start          how weights are drawn: PyTorch's own ranges, those with biases of 0, He's, or orthogonal
    penalty        added to the loss times `weight`, or the loss itself where it replaces it
    adversary      what makes the examples trained on
    beta           cap of every layer's spectral norm, certified at the end
    betas          caps to choose from: the one whose net withstands the adversary best on the validation images, which
                   are the first VALIDATION after those trained on; None is no cap
    random_labels  labels are drawn anew
    ramp           the penalty's eps, and its share, rise from 0 over the first half of the steps
    shift          pixels by which images are moved at random, around the edge
    formats        which files are written; None for one, by the seed
    folder         below `sample_models`
    """

    net: Callable[[], nn.Module]
    data: Literal["digits", "mnist"]
    samples: int | None = None
    epochs: int
    rate: float
    batch: int = 64
    schedule: Literal["one-cycle", "ramp", "constant"] = "one-cycle"
    start: Literal["default", "uniform", "he", "orthogonal"] = "default"
    penalty: AbstractPenalty | None = None
    weight: float = 1.0
    adversary: AbstractAdversary | None = None
    beta: float | None = None
    betas: tuple[float | None, ...] = ()
    random_labels: bool = False
    ramp: bool = False
    shift: int = 0
    formats: tuple[str, ...] | None = FORMATS
    folder: str = "."

    def files(self, name: str, seed: int) -> tuple[str, ...]:
        """Names of the files of one seed, relative to `sample_models`; nets of one seed alone carry no number."""
        if self.formats is not None:
            return tuple(f"{self.folder}/{name}{suffix}".removeprefix("./") for suffix in self.formats)
        return (f"{self.folder}/{name}_{seed}{FORMATS[seed % 3]}",)


VALIDATION = 500
"""Images that a cap is chosen on, as many as Farnia et al. take."""

SCALES = {"digits": 16, "mnist": 255}
"""Raw value of a full pixel."""
