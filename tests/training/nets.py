"""Small networks in float64, and batches for them."""

import math

import torch
from torch import nn


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(net, seed=0, scale=1.0):
    """The module in float64 with weights of its own generator."""
    generator = seeded(seed)
    net = net.double()
    with torch.no_grad():
        for parameter in net.parameters():
            fan = parameter[0].numel() if parameter.ndim > 1 else 4
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale / math.sqrt(fan))
    return net


def mlp(activation=nn.Tanh, seed=0, scale=1.5):
    return drawn(
        nn.Sequential(nn.Linear(6, 8), activation(), nn.Linear(8, 7), activation(), nn.Linear(7, 4)), seed, scale
    )


def conv(activation=nn.Tanh, seed=0, scale=1.5):
    layers = [nn.Conv2d(1, 3, 3, stride=2, padding=1), activation(), nn.Conv2d(3, 4, 2, stride=2), activation()]
    return drawn(nn.Sequential(*layers, nn.Flatten(), nn.Linear(4, 3)), seed, scale)


NETS = {"mlp": (mlp, (6,), 4), "conv": (conv, (1, 4, 4), 3)}


def batch(name, count=5, seed=1):
    _, shape, classes = NETS[name]
    generator = seeded(seed)
    inputs = torch.rand(count, *shape, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(classes, (count,), generator=generator)
