"""Plain training: cross-entropy, AdamW, a one-cycle rate, all randomness from one generator."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn


def train(net: nn.Module, inputs: Tensor, labels: Tensor, *, epochs: int, rate: float, generator: Generator) -> None:
    """Train `net` in place on inputs in data units; leaves it in eval mode."""
    batch = 64
    steps = epochs * (len(inputs) // batch)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps)
    net.train()
    for _ in range(epochs):
        order = torch.randperm(len(inputs), generator=generator)
        for rows in order[: len(order) // batch * batch].split(batch):
            optimiser.zero_grad()
            F.cross_entropy(net(inputs[rows]), labels[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()


@torch.no_grad()
def accuracy(net: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Share of `inputs` classified as `labels`."""
    return float((net(inputs).argmax(1) == labels).double().mean())
