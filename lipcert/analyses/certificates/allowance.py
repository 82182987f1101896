"""How much work bounds may take, counted so that it ends at the same sample on every machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final


@final
@dataclass(eq=False)
class Allowance:
    """Multiply-adds left to spend, infinite for no limit."""

    left: float = math.inf

    def affords(self, price: float, samples: int) -> int:
        """How many of so many samples can be paid for."""
        return samples if price <= 0 or math.isinf(self.left) else min(samples, int(self.left / price))

    def part(self, share: float) -> Allowance:
        """A separate allowance of a share of what is left here, where what it spends is to be paid as well."""
        return Allowance(share * self.left)

    def pay(self, price: float) -> None:
        """Take off what was spent."""
        self.left = max(0.0, self.left - price)
