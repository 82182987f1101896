"""Draws from a seeded generator."""

import torch


class Chance:
    def __init__(self, seed):
        self._generator = torch.Generator().manual_seed(seed)

    def below(self, bound):
        """A whole number in [0, bound)."""
        return int(torch.randint(0, max(1, bound), (), generator=self._generator))

    def of(self, items):
        """One of some items."""
        items = list(items)
        return items[self.below(len(items))]

    def number(self):
        """A whole number of the kind that breaks readers."""
        return self.of([0, 1, -1, 2, 3, 7, 255, 2**15, 2**31 - 1, -(2**31), 2**31, 10**12, 2**62, -(2**63)])

    def bytes(self, count):
        return bytes(self.below(256) for _ in range(count))
