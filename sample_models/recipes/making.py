"""A recipe carried out: data, training, files, facts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sample_models.recipes.data import Split
from sample_models.recipes.export import write
from sample_models.recipes.initialisation import initialise
from sample_models.recipes.recipe import SCALES
from sample_models.recipes.training import accuracy, train
from sample_models.recipes.zoo import RECIPES


def make(
    name: str, seed: int, splits: tuple[Split, Split], home: Path, watch: Callable[[int, int], None]
) -> dict[str, Any]:
    """Train one net, write its files below `home`, and return its facts."""
    recipe, generator = RECIPES[name], torch.Generator().manual_seed(seed)
    net = recipe.net()
    initialise(net, generator, recipe.start)
    training = splits[0] if recipe.samples is None else splits[0].first(recipe.samples)
    inputs, labels = training.inputs(SCALES[recipe.data]), training.targets()
    if recipe.random_labels:
        labels = random_labels(splits[0], seed)[: len(inputs)]
    layers = train(net, inputs, labels, recipe, generator, watch)
    test_inputs = splits[1].inputs(SCALES[recipe.data])
    files = recipe.files(name, seed)
    for file in files:
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        write(net, test_inputs[:4].clone(), home / file)
    return {
        "data": f"{recipe.data}_test.npz",
        "scale": SCALES[recipe.data],
        "input_shape": list(test_inputs.shape[1:]),
        "parameters": sum(p.numel() for p in net.parameters()),
        "samples": len(test_inputs),
        "clean_accuracy": accuracy(net, test_inputs, splits[1].targets()),
        "train_accuracy": accuracy(net, inputs, labels),
        **({"capped": {layer.name: layer.norm.upper for layer in layers}} if layers else {}),
        "files": list(files),
    }


def random_labels(split: Split, seed: int) -> Tensor:
    """A class for each image, drawn without looking at it."""
    generator = torch.Generator().manual_seed(1000 + seed)
    return torch.randint(10, (len(split.labels),), generator=generator)


def save_random_labels(split: Split, seed: int, home: Path) -> Path:
    """The labels as a file, for the command line."""
    path = home / "zoo" / f"random_labels_{seed}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, random_labels(split, seed).numpy().astype(np.uint8))
    return path
