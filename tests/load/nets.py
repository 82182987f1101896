"""Small classifiers that between them use what real ones use. Weights are seeded and not trained."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.conv = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.fc = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu_(self.bn(self.stem(x)))
        x = x + F.silu(self.conv(x))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class InPlace(nn.Module):
    """Writes into slices of a copy and adds in place."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(48, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1).clone()
        x[:, :8] = x[:, 8:16] * 2.0
        x += 1.0
        x.clamp_(min=0.0)
        return self.fc(x)


class ClassToken(nn.Module):
    """A token expanded to the batch, attention, layer norm: the shape of a vision transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 2, 2)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.position = nn.Parameter(torch.randn(1, 5, 8))
        self.norm = nn.LayerNorm(8)
        self.qkv = nn.Linear(8, 24)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        q, k, v = self.qkv(self.norm(x)).reshape(x.shape[0], 5, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape[0], 5, 8)
        return self.head(F.gelu(x[:, 0]))


class WeightNormed(nn.Module):
    """Weights that are computed from two parameters at every call."""

    def __init__(self) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.rand(7, 1) + 0.5)
        self.v = nn.Parameter(torch.randn(7, 48))
        self.head = nn.Linear(7, 3)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.g * self.v / self.v.norm(p=2, dim=1, keepdim=True)
        return self.head(torch.tanh(F.linear(x.flatten(1), weight)))


class InstanceNormed(nn.Module):
    """Instance norm repeats its weights N times: constants that grow with the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.InstanceNorm2d(4, affine=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(F.elu(self.norm(self.conv(x))).flatten(1))


class Pools(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=2, dilation=2, stride=1, groups=1)
        self.b = nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.fc = nn.Linear(4 * 9, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.hardswish(self.a(x)), 3, 2, 1)
        x = F.avg_pool2d(F.leaky_relu(self.b(x)), 2, 2, 1, ceil_mode=True, count_include_pad=False)
        return self.fc(F.pad(x, (0, 0, 0, 0)).flatten(1))


class Encoder(nn.Module):
    """Attention that takes a fused path in eval mode unless gradients are on."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.encoder(x.reshape(x.shape[0], 6, 8))
        return self.head(x.mean(1) + self.attention(x, x, x, need_weights=False)[0].mean(1))


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(48, 16)
        self.drop = nn.Dropout(0.5)
        self.fc2 = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x.view(x.size(0), -1)
        return self.fc2(self.drop(torch.relu(self.fc1(x))))


SHAPE = (3, 4, 4)
NETS: dict[str, Callable[[], nn.Module]] = {
    cls.__name__: cls for cls in (Residual, InPlace, ClassToken, WeightNormed, InstanceNormed, Pools, Encoder, Mlp)
}


def make(name: str) -> nn.Module:
    """A net in eval mode with batch-norm statistics that are not the trivial ones."""
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(3)
        net = NETS[name]().eval()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2.0)
    return net
