"""What an op loses in the deployed arithmetic, where its numbers become too small or too large for that as well.

Rules speak of relative errors: |fl(a op b) - a op b| <= u |a op b|. Below the smallest normal number, 2^-126 in both
float32 and bfloat16, a product errs by up to half the smallest denormal number instead, 2^-150, or 2^-134 where it is
stored in bfloat16. A sum of n products then errs by n 2^-150 more, and a factor that underflowed is multiplied with
numbers of the input's size: 2^-126 (1 + n 2^-23) (1 + max |x|) is more than all of that.

Above 2^128 there is no number. Every error that rules give for sums of products is at least 2^-24 times the sum of
absolute terms, so where it stays below 2^102 and the result below 2^126, no partial sum came near. Elsewhere nothing is
claimed: the error is infinite.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.rules import AbstractRule
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval

FLOOR = 2.0**-126
_CEILING, _CEILING_OF_ERRORS = 2.0**126, 2.0**102


def deployed_rounding(
    rule: AbstractRule, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment
) -> Tensor | float:
    """The rule's rounding with underflow, infinite where the deployed numbers may overflow. As `AbstractRule.rounding`.

    output  in real arithmetic
    """
    own = rule.rounding(node, inputs, output, deployment)
    if deployment.dtype is None:
        return own
    size = output.magnitude
    terms = max(source.shape.numel() for source in node.inputs)
    reach = torch.stack([x.magnitude.flatten(1).amax(1) for x in inputs]).amax(0) + 1.0
    error = own + FLOOR * (1 + terms * 2.0**-23) * reach.reshape(-1, *[1] * (size.ndim - 1))
    fits = (size < _CEILING) & (error < _CEILING_OF_ERRORS)
    return torch.where(fits, error, torch.inf)
