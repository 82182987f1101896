"""Every recipe there is, by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import TypeVar

from lipcert.training import (
    CrossLipschitz,
    Curvature,
    DataDependent,
    FgmExamples,
    GlobalSpectral,
    InputGradient,
    IntervalLoss,
    JacobianFrobenius,
    JacobianL1,
    LipschitzMargin,
    Pairwise,
    PgmExamples,
    WrmExamples,
)
from sample_models.recipes.first_nets import DigitsConv, DigitsMlp, DigitsResidual, MnistConv
from sample_models.recipes.recipe import Recipe
from sample_models.recipes.zoo_nets import mlp, mnist_absolute_conv, mnist_mlp, mnist_relu_conv, strided_conv

Found = TypeVar("Found")

L2, LINF = 0.6, 0.1
"""Radii on the digits, in data units: what training defends against and audits attack with."""

MNIST_L2 = 0.5
"""Radius on MNIST, that PGM training defends against: .05 of an image's mean length, as Farnia et al. take it."""

SEEDS = (0, 1, 2)

FIRST = {
    "digits_mlp": Recipe(net=DigitsMlp, data="digits", epochs=40, rate=5e-3),
    "digits_conv": Recipe(net=DigitsConv, data="digits", epochs=60, rate=1e-2),
    "digits_residual": Recipe(net=DigitsResidual, data="digits", epochs=30, rate=5e-3),
    "mnist_conv": Recipe(net=MnistConv, data="mnist", epochs=8, rate=2e-3),
}
"""The sample models of the README, in every format."""

_standard = partial(
    Recipe,
    net=mlp,
    data="digits",
    samples=1000,
    epochs=50,
    rate=1e-3,
    batch=50,
    schedule="constant",
    start="he",
    formats=None,
    folder="zoo",
)
_pgm = PgmExamples(eps=L2, steps=7, start="random")
_random = partial(_standard, random_labels=True, epochs=150)

DIGITS = {
    "standard": _standard(),
    "fgm": _standard(adversary=FgmExamples(eps=L2)),
    "pgm": _standard(adversary=_pgm),
    "pgm_linf": _standard(adversary=PgmExamples(norm="linf", eps=LINF, steps=7, start="random")),
    "wrm": _standard(adversary=WrmExamples(gamma=1.0, steps=7)),
    "cap4": _standard(beta=4.0),
    "cap2": _standard(beta=2.0),
    "cap1.3": _standard(beta=1.3),
    "pgm_cap2": _standard(adversary=_pgm, beta=2.0),
    "pgm_cap1.3": _standard(adversary=_pgm, beta=1.3),
    "fgm_cap2": _standard(adversary=FgmExamples(eps=L2), beta=2.0),
    "jacobian_f": _standard(penalty=JacobianFrobenius(), weight=0.05),
    "jacobian_f_light": _standard(penalty=JacobianFrobenius(), weight=0.01),
    "jacobian_l1": _standard(penalty=JacobianL1(), weight=0.01),
    "cross_lipschitz": _standard(penalty=CrossLipschitz(), weight=0.25),
    "input_gradient": _standard(penalty=InputGradient(), weight=1.0),
    "curvature": _standard(penalty=Curvature(step=0.3), weight=2.0),
    "pairwise": _standard(penalty=Pairwise(eps=0.3)),
    "data_dependent": _standard(penalty=DataDependent(eps=L2, steps=5), weight=0.3),
    "global_spectral": _standard(penalty=GlobalSpectral(), weight=0.01),
    "random_labels": _random(),
    "random_labels_cap4": _random(beta=4.0),
}
"""The zoo of the papers, one MLP a recipe and seed; a seed decides the format of its file."""

DIGITS_CONV = {
    f"conv_{name}": dataclasses.replace(DIGITS[name], net=strided_conv)
    for name in ("standard", "pgm", "cap4", "cap2", "fgm_cap2", "pgm_cap2", "random_labels", "random_labels_cap4")
}
"""The strided convolutional net, seed 0 alone."""

_mnist = partial(
    Recipe,
    net=mnist_mlp,
    data="mnist",
    samples=5000,
    epochs=15,
    rate=1e-3,
    batch=100,
    schedule="constant",
    start="he",
    formats=None,
    folder="zoo",
)
MNIST = {
    "mnist_standard": _mnist(),
    "mnist_jacobian_f": _mnist(penalty=JacobianFrobenius(projections=1), weight=0.05),
    "mnist_jacobian_f_light": _mnist(penalty=JacobianFrobenius(projections=1), weight=0.01),
}
"""Nets on 5,000 MNIST images, for the claims that digits are too few for."""

_mnist_pgm = partial(_mnist, adversary=PgmExamples(eps=MNIST_L2, steps=7, start="random"), epochs=40)
MNIST_PGM = {
    "mnist_pgm": _mnist_pgm(),
    "mnist_pgm_cap2": _mnist_pgm(beta=2.0),
    "mnist_pgm_cap1.3": _mnist_pgm(beta=1.3),
    "mnist_pgm_chosen": _mnist_pgm(betas=(1.0, 1.3, 1.6, 2.0, 2.5, 4.0, 8.0, 16.0, None)),
}
"""PGM training on the same images, without a cap, at two, and at the best of those Farnia et al. choose from."""

ROBUST = {
    "mnist_linf": Recipe(
        net=mnist_relu_conv,
        data="mnist",
        epochs=22,
        rate=2e-3,
        batch=100,
        schedule="ramp",
        start="uniform",
        penalty=IntervalLoss(eps=0.055, share=0.7, input_range=(0.0, 1.0)),
        ramp=True,
        shift=1,
        formats=(".onnx",),
        folder="zoo",
    ),
    "mnist_l2": Recipe(
        net=mnist_absolute_conv,
        data="mnist",
        epochs=12,
        rate=4e-3,
        batch=100,
        schedule="ramp",
        start="orthogonal",
        penalty=LipschitzMargin(eps=0.6),
        ramp=True,
        shift=1,
        formats=(".pt",),
        folder="zoo",
    ),
}
"""What good looks like: nets whose certified accuracy is high."""

RECIPES = FIRST | DIGITS | DIGITS_CONV | MNIST | MNIST_PGM | ROBUST


def seeds(name: str) -> tuple[int, ...]:
    """The seeds a recipe is made with."""
    return SEEDS if name in DIGITS | MNIST | MNIST_PGM else (0,)


def key_of(name: str, seed: int) -> str:
    """What a net is called in facts and audits; nets of one seed alone carry no number."""
    return name if seeds(name) == (0,) else f"{name}_{seed}"


def keys_of(name: str) -> tuple[str, ...]:
    """What the nets of a recipe are called."""
    return tuple(key_of(name, seed) for seed in seeds(name))


def in_order(known: Mapping[str, Found]) -> dict[str, Found]:
    """What is known of nets, in the order of the recipes; what belongs to none is left out."""
    return {key: known[key] for name in RECIPES for key in keys_of(name) if key in known}
