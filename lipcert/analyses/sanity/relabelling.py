"""Labels that number the classes in another order than the model does."""

from __future__ import annotations

from typing import final

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from lipcert.analyses.sanity.significance import is_better

LISTED = 12


@final
class Relabelling:
    """The best one-to-one map from labels to classes, found on one half of the samples and tried on the other.

    Judged on the half it was not fitted to, because the best of all permutations of a random table always fits.

    mapping   (classes,): the model's class for each label, fitted to all samples
    accuracy  of the map fitted to the first half, on the second
    """

    def __init__(self, predictions: Tensor, labels: Tensor, classes: int) -> None:
        half = _assign(predictions[::2], labels[::2], classes)
        held_out = half[labels[1::2]] == predictions[1::2]
        current = labels[1::2] == predictions[1::2]
        self.mapping = _assign(predictions, labels, classes)
        self.accuracy = float(held_out.double().mean()) if len(held_out) else 0.0
        self.is_better = is_better(held_out, current, 1)

    def text(self) -> str:
        """The map in words: a shift where it is one, else its changed entries."""
        numbers = torch.arange(len(self.mapping))
        for shift in (1, -1):
            if torch.equal(self.mapping, (numbers + shift) % len(self.mapping)):
                return f"class = (label {'+' if shift > 0 else '-'} 1) mod {len(self.mapping)}"
        changed = [f"{label} -> {int(self.mapping[label])}" for label in numbers if self.mapping[label] != label]
        return ", ".join(changed[:LISTED]) + (", ..." if len(changed) > LISTED else "")


def _assign(predictions: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The permutation with the most agreements; labels that never occur keep their own class where it is free."""
    valid = (predictions >= 0) & (predictions < classes) & (labels < classes)
    table = torch.zeros(classes, classes, dtype=torch.float64)
    table.index_put_(
        (labels[valid], predictions[valid]), torch.ones(int(valid.sum()), dtype=table.dtype), accumulate=True
    )
    # Less than any whole count in sum: it only settles ties, in favour of the labels as they are.
    table += torch.eye(classes, dtype=torch.float64) / (2 * classes)
    rows, columns = linear_sum_assignment(table.numpy(), maximize=True)
    mapping = torch.empty(classes, dtype=torch.int64)
    mapping[torch.from_numpy(rows)] = torch.from_numpy(columns)
    return mapping
