"""The sum of the absolute entries of the Jacobian, whole or by random rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Generator, Tensor
from torch.nn.functional import one_hot

from lipcert.training.base import PENALTIES, AbstractPenalty, Net, class_count, drawn, linearise, pull


@PENALTIES.register("jacobian_l1")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JacobianL1(AbstractPenalty):
    """Mean of ||J||_{1,1} = sum_kj |J_kj|; with `projections` m, (K / m) times the l1 norms of m rows drawn at random.

    Rows are projections onto unit vectors e_k, k uniform: the estimate is unbiased. A dense projection would not be,
    as the l1 norm of a sum is not the sum of l1 norms.
    Cost: K backward passes and their gradient; with projections m of them.

    Source: the regulariser of the robust loss in linf of Wu & Li, arXiv 2412.12449.
    """

    projections: int | None = None

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:
        """In logit units over data units."""
        if self.projections is None:
            return linearise(net, inputs, labels).jacobian.abs().sum(dim=(1, 2)).mean()
        classes = class_count(net, inputs)
        total = inputs.new_zeros(())
        for _ in range(self.projections):
            rows = drawn((len(inputs), classes), inputs, generator).argmax(dim=1)  # uniform: the numbers are i.i.d.
            total = total + pull(net, inputs, one_hot(rows, classes).to(inputs)).abs().sum(dim=1).mean()
        return total * classes / self.projections
