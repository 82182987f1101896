"""Makes every file in this folder: `python -m sample_models.recipe --mnist-train A.npz --mnist-test B.npz`.

Without the MNIST files only the digits nets are made. Seeds are fixed; on another CPU or torch release
the weights may differ in their last bits, and the accuracies by a sample or two.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import nn

from sample_models.recipe.data import MNIST_TEST, Split, digits, mnist
from sample_models.recipe.export import SUFFIXES, export
from sample_models.recipe.nets import DigitsConv, DigitsMlp, DigitsResidual, MnistConv, initialise
from sample_models.recipe.training import accuracy, train

SEED = 0
HOME = Path(__file__).resolve().parent.parent


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one net is made."""

    net: type[nn.Module]
    data: str
    scale: float
    epochs: int
    rate: float


RECIPES = {
    "digits_mlp": Recipe(net=DigitsMlp, data="digits", scale=16, epochs=40, rate=5e-3),
    "digits_conv": Recipe(net=DigitsConv, data="digits", scale=16, epochs=60, rate=1e-2),
    "digits_residual": Recipe(net=DigitsResidual, data="digits", scale=16, epochs=30, rate=5e-3),
    "mnist_conv": Recipe(net=MnistConv, data="mnist", scale=255, epochs=8, rate=2e-3),
}


def make(recipe: Recipe, train_split: Split, test_split: Split, stem: Path) -> dict[str, Any]:
    """Train one net, write its files beside `stem`, and return its facts."""
    generator = torch.Generator().manual_seed(SEED)
    net = recipe.net()
    initialise(net, generator)
    inputs = train_split.inputs(recipe.scale)
    train(net, inputs, train_split.targets(), epochs=recipe.epochs, rate=recipe.rate, generator=generator)
    test_inputs = test_split.inputs(recipe.scale)
    export(net, test_inputs[:4].clone(), stem)
    return {
        "data": f"{recipe.data}_test.npz",
        "scale": recipe.scale,
        "input_shape": list(test_inputs.shape[1:]),
        "parameters": sum(p.numel() for p in net.parameters()),
        "samples": len(test_inputs),
        "clean_accuracy": accuracy(net, test_inputs, test_split.targets()),
        "train_accuracy": accuracy(net, inputs, train_split.targets()),
        "files": [stem.name + suffix for suffix in SUFFIXES],
    }


def _splits(arguments: argparse.Namespace) -> dict[str, tuple[Split, Split]]:
    splits = {"digits": digits(SEED)}
    if arguments.mnist_train and arguments.mnist_test:
        splits["mnist"] = mnist(arguments.mnist_train), mnist(arguments.mnist_test).first(MNIST_TEST)
    return splits


def main(argv: Sequence[str] | None = None) -> None:
    """Read the command line and make what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HOME, help="folder to write to")
    parser.add_argument("--only", choices=RECIPES, action="append", help="make this net only; may be repeated")
    parser.add_argument("--mnist-train", type=Path, help=".npz with MNIST training images")
    parser.add_argument("--mnist-test", type=Path, help=".npz with the MNIST test images in order")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)

    splits = _splits(arguments)
    splits["digits"][0].save(arguments.output / "digits_train.npz")
    for name, (_, test) in splits.items():
        test.save(arguments.output / f"{name}_test.npz")
    facts_file = arguments.output / "facts.json"
    facts = json.loads(facts_file.read_text()) if facts_file.exists() else {}
    for name in arguments.only or RECIPES:
        recipe = RECIPES[name]
        if recipe.data in splits:
            facts[name] = make(recipe, *splits[recipe.data], arguments.output / name)
            print(name, facts[name]["clean_accuracy"])
    facts_file.write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
