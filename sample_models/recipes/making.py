"""A recipe carried out: data, training, files, facts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from lipcert.training import CappedLayer
from sample_models.recipes.data import Split
from sample_models.recipes.export import write
from sample_models.recipes.initialisation import initialise
from sample_models.recipes.recipe import SCALES, VALIDATION, Recipe
from sample_models.recipes.training import accuracy, attacked, train
from sample_models.recipes.zoo import RECIPES

Watch: TypeAlias = Callable[[int, int], None]
Trained: TypeAlias = tuple[nn.Module, tuple[CappedLayer, ...]]


def make(name: str, seed: int, splits: tuple[Split, Split], home: Path, watch: Watch) -> dict[str, Any]:
    """Train one net, write its files below `home`, and return its facts."""
    recipe = RECIPES[name]
    training = splits[0] if recipe.samples is None else splits[0].first(recipe.samples)
    inputs, labels = training.inputs(SCALES[recipe.data]), training.targets()
    if recipe.random_labels:
        labels = random_labels(splits[0], seed)[: len(inputs)]
    if recipe.betas:
        held_out = splits[0].after(len(inputs), VALIDATION)
        (net, layers), chosen = _choose(recipe, seed, (inputs, labels), held_out, watch)
    else:
        (net, layers), chosen = _train(recipe, seed, inputs, labels, watch), {}
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
        **chosen,
        "files": list(files),
    }


def _train(recipe: Recipe, seed: int, inputs: Tensor, labels: Tensor, watch: Watch) -> Trained:
    generator = torch.Generator().manual_seed(seed)
    net = recipe.net()
    initialise(net, generator, recipe.start)
    return net, train(net, inputs, labels, recipe, generator, watch)


def _choose(
    recipe: Recipe, seed: int, training: tuple[Tensor, Tensor], held_out: Split, watch: Watch
) -> tuple[Trained, dict[str, Any]]:
    """The net of the best cap, and what every cap came to; of equals the tightest.

    Source: Farnia, Zhang & Tse, arXiv 1811.07457: beta by the accuracy under the training's own attack on 500 images
    held out.
    """
    inputs, labels = held_out.inputs(SCALES[recipe.data]), held_out.targets()
    assert recipe.adversary is not None
    made: dict[float | None, Trained] = {}
    scores: dict[float | None, float] = {}
    for place, beta in enumerate(recipe.betas):
        one = dataclasses.replace(recipe, beta=beta, betas=())
        made[beta] = _train(one, seed, *training, _part(watch, place, len(recipe.betas)))
        generator = torch.Generator().manual_seed(seed)
        points = attacked(made[beta][0], inputs, labels, recipe.adversary, generator)
        scores[beta] = accuracy(made[beta][0], points, labels)
    best = max(recipe.betas, key=lambda beta: (scores[beta], -(beta or float("inf"))))
    told = [{"beta": beta, "accuracy": score} for beta, score in scores.items()]
    return made[best], {"beta": best, "validation": told}


def _part(watch: Watch, place: int, parts: int) -> Watch:
    """Progress of one of several trainings of equal length."""
    return lambda done, total: watch(place * total + done, parts * total)


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
