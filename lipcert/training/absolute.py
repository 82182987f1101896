"""The absolute value as an activation."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn


@final
class Absolute(nn.Module):
    """|x|, entry by entry: 1-Lipschitz, and of slope 1 or -1 everywhere, so that capped layers lose no length to it.

    Source: gradient norm preservation, Anil, Lucas & Grosse, arXiv 1811.05381.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of `x`."""
        return torch.abs(x)
