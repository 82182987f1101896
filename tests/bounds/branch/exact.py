"""The exact minimum of a small ReLU net over a box: one linear programme for each pattern of active neurons."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.optimize import linprog


def exact_minimum(layers, low, high, row):
    """Min of <row, outputs> over the box for [(weight, bias), ...] in float64 arrays."""
    hidden = sum(len(bias) for _, bias in layers[:-1])
    values = (_on_pattern(layers, low, high, row, pattern) for pattern in itertools.product((0, 1), repeat=hidden))
    return min(value for value in values if value is not None)


def _on_pattern(layers, low, high, row, pattern):
    weight, bias = np.eye(len(low)), np.zeros(len(low))
    limits, bounds, at = [], [], 0
    for w, b in layers[:-1]:
        weight, bias = w @ weight, w @ bias + b
        on = np.array(pattern[at : at + len(b)])
        at += len(b)
        # active: -(weight x + bias) <= 0; inactive: weight x + bias <= 0
        sign = 1 - 2 * on
        limits.append(sign[:, None] * weight)
        bounds.append(-sign * bias)
        weight, bias = on[:, None] * weight, on * bias
    w, b = layers[-1]
    weight, bias = w @ weight, w @ bias + b
    found = linprog(
        row @ weight, A_ub=np.concatenate(limits), b_ub=np.concatenate(bounds), bounds=list(zip(low, high, strict=True))
    )
    return float(found.fun + row @ bias) if found.status == 0 else None
