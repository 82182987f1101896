"""The one training loop: whatever a recipe declares, all randomness from one generator."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.nn.utils import parametrize

from lipcert.training import AbstractAdversary, AbstractPenalty, CappedLayer, cap, finish
from sample_models.recipes.recipe import Recipe

_EVERY = 25


def train(  # noqa: PLR0917  the net, its data, and how
    net: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    recipe: Recipe,
    generator: Generator,
    watch: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[CappedLayer, ...]:
    """Train `net` in place on inputs in data units; leaves it in eval mode, and tells the certified caps.

    watch  told the steps done and those to do, now and then
    """
    if recipe.beta is not None:
        cap(net, inputs[:1], beta=recipe.beta, generator=generator)
    steps = recipe.epochs * (len(inputs) // recipe.batch)
    optimiser, schedule = _optimiser(net, recipe, steps)
    net.train()
    done = 0
    for _ in range(recipe.epochs):
        order = torch.randperm(len(inputs), generator=generator)
        for rows in order[: len(order) // recipe.batch * recipe.batch].split(recipe.batch):
            optimiser.zero_grad()
            batch = _shifted(inputs[rows], recipe.shift, generator)
            penalty = _raised(recipe.penalty, min(1.0, 2 * done / steps)) if recipe.ramp else recipe.penalty
            _loss(net, batch, labels[rows], dataclasses.replace(recipe, penalty=penalty), generator).backward()
            optimiser.step()
            if schedule is not None:
                schedule.step()
            done += 1
            if done % _EVERY == 0 or done == steps:
                watch(done, steps)
    net.eval()
    return finish(net)


def _optimiser(net: nn.Module, recipe: Recipe, steps: int) -> tuple[Any, Any]:
    if recipe.schedule == "one-cycle":
        optimiser: Any = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=1e-2)
    else:
        optimiser = torch.optim.Adam(net.parameters(), lr=recipe.rate)
    if recipe.schedule == "constant":
        return optimiser, None
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=recipe.rate, total_steps=steps)


def _loss(net: nn.Module, inputs: Tensor, labels: Tensor, recipe: Recipe, generator: Generator) -> Tensor:
    if recipe.adversary is not None:
        inputs = attacked(net, inputs, labels, recipe.adversary, generator)
    penalty = recipe.penalty
    if penalty is None:
        return F.cross_entropy(net(inputs), labels)
    value = penalty(net, inputs, labels, generator)
    return value if penalty.replaces_loss else F.cross_entropy(net(inputs), labels) + recipe.weight * value


def attacked(
    net: nn.Module, inputs: Tensor, labels: Tensor, adversary: AbstractAdversary, generator: Generator
) -> Tensor:
    """Perturbed inputs; capped weights are computed once for all passes, and their power method does not move."""
    training = net.training
    net.eval()
    with parametrize.cached():
        points = adversary(net, inputs, labels, generator)
    net.train(training)
    return points


def _raised(penalty: Any, progress: float) -> AbstractPenalty:
    """The penalty with its eps, and its share, at `progress` of the ramp, and the memory of the one before."""
    names = [name for name in ("eps", "share") if hasattr(penalty, name)]
    raised = dataclasses.replace(penalty, **{name: getattr(penalty, name) * progress for name in names})
    if hasattr(penalty, "_norms"):
        object.__setattr__(raised, "_norms", penalty._norms)  # noqa: SLF001  the running norms go on
    return raised


def _shifted(images: Tensor, most: int, generator: Generator) -> Tensor:
    """The batch moved by up to `most` pixels each way."""
    if not most:
        return images
    down, right = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
    return torch.roll(images, (down, right), dims=(2, 3))


@torch.no_grad()
def accuracy(net: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Share of `inputs` classified as `labels`."""
    return float((net(inputs).argmax(1) == labels).double().mean())
