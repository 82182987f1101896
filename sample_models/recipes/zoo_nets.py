"""The nets of the zoo: chains of layers, so that every penalty takes them."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from lipcert.training import Absolute


def mlp(pixels: int = 64, width: int = 100) -> nn.Sequential:
    """pixels - width - width - 10 with ReLU."""
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            fc1=nn.Linear(pixels, width),
            relu1=nn.ReLU(),
            fc2=nn.Linear(width, width),
            relu2=nn.ReLU(),
            fc3=nn.Linear(width, 10),
        )
    )


def mnist_mlp() -> nn.Sequential:
    """784 - 64 - 64 - 10 with ReLU."""
    return mlp(784, 64)


def strided_conv() -> nn.Sequential:
    """Two convolutions of stride 2 and two linear layers, on (N, 1, 8, 8)."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 12, 3, stride=2, padding=1),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(12, 24, 3, stride=2, padding=1),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(96, 48),
            relu3=nn.ReLU(),
            fc2=nn.Linear(48, 10),
        )
    )


def _mnist_conv(activation: type[nn.Module]) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, 4, stride=2, padding=1),
            act1=activation(),
            conv2=nn.Conv2d(16, 32, 4, stride=2, padding=1),
            act2=activation(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(1568, 100),
            act3=activation(),
            fc2=nn.Linear(100, 10),
        )
    )


def mnist_relu_conv() -> nn.Sequential:
    """Two 4x4 convolutions of stride 2 and two linear layers with ReLU, on (N, 1, 28, 28)."""
    return _mnist_conv(nn.ReLU)


def mnist_absolute_conv() -> nn.Sequential:
    """The same with absolute values, which keep lengths."""
    return _mnist_conv(Absolute)
