"""One batch of domains as the bounder sees it: regions, imposed intervals, split constraints as Lagrange terms.

A split of a neuron z cuts a domain into {z >= 0} and {z <= 0}. z is the value the deployed network computes, so the
two parts hold every input whatever the rounding of that value is, and an interval cut at 0, or a term -b s z with
b >= 0 and s the side (s z >= 0), is sound for the deployed network: where s z >= 0,

    <row, outputs>  >=  <row, outputs> - b s z  >=  what the bounder proves of that sum,

the bounder's intervals and linear bounds being of deployed values as well. Any slopes in [0, 1] and any b >= 0 give a
sound bound; they are merely chosen well. Where the sides contradict each other so plainly that an interval is empty, no
input is in the domain at all, and any bound of it holds.

Source: Wang et al., beta-CROWN, NeurIPS 2021, arXiv 2103.06624.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.linearisation import Linearisation
from lipcert.graph import Node
from lipcert.rounding import gamma
from lipcert.rules.interval import Interval, entries

_HOLDS = 1.0


@final
class Neurons:
    """The inputs of every ReLU of a graph, side by side: U numbers a sample.

    nodes  those inputs, in order of execution
    """

    def __init__(self, bounder: Bounder) -> None:
        readers = [node for node in bounder.nodes if node.op == "relu"]
        self.nodes: tuple[Node, ...] = tuple(dict.fromkeys(node.inputs[0] for node in readers))
        self.readers = {source: tuple(n for n in readers if n.inputs[0] is source) for source in self.nodes}
        self.sizes = tuple(entries(node).numel() for node in self.nodes)
        self.count = sum(self.sizes)

    def gather(self, values: Mapping[Node, Tensor]) -> Tensor:
        """(N, U) from one tensor (N, *entries(node)) a node."""
        return torch.cat([values[node].flatten(1) for node in self.nodes], 1)

    def scatter(self, flat: Tensor) -> dict[Node, Tensor]:
        """The reverse of `gather`."""
        parts = flat.split(list(self.sizes), 1)
        return {node: part.reshape(-1, *entries(node)) for node, part in zip(self.nodes, parts, strict=True)}

    def slopes(self, flat: Tensor) -> dict[Node, Tensor]:
        """Lower slopes (N, U) as the bounder takes them: by ReLU, (N, 1, *entries)."""
        parts = self.scatter(flat)
        return {reader: parts[source].unsqueeze(1) for source in self.nodes for reader in self.readers[source]}

    def rows(self, flat: Tensor) -> dict[Node, Tensor]:
        """Rows (N, U) of the neurons as the bounder takes them: by node, (N, 1, *entries)."""
        return {node: part.unsqueeze(1) for node, part in self.scatter(flat).items()}


def cut(low: Tensor, high: Tensor, sides: Tensor) -> tuple[Tensor, Tensor]:
    """Intervals after the splits: at least 0 where a side is +1, at most 0 where it is -1."""
    return torch.where(sides > 0, low.clamp_min(0.0), low), torch.where(sides < 0, high.clamp_max(0.0), high)


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Relaxed:
    """N domains ready to be bounded.

    linearisation  of their regions, from intervals that are cut at the splits
    rows, offset   (N, K, outputs) and (N, K), of their goals
    sides          (N, U) int8
    """

    linearisation: Linearisation
    neurons: Neurons
    rows: Tensor
    offset: Tensor
    sides: Tensor

    def lower(
        self, slopes: Tensor, multipliers: Tensor, weights: Tensor, probes: Mapping[Node, Tensor] | None = None
    ) -> Tensor:
        """Sound bounds, (N,), of the mean of <row, outputs> + offset over a goal's rows.

        slopes       (N, U), of the lower lines
        multipliers  (N, U) >= 0, of the splits
        weights      (N, K) >= 0, of the rows; a positive bound of their mean shows that not all are <= 0
        probes       zero rows at nodes; the bound's gradient with respect to them is the value that the node has
                     where the linear bound is attained
        """
        intervals = self.linearisation.intervals
        empty = torch.stack([(intervals[n].lower > intervals[n].upper).flatten(1).any(1) for n in self.neurons.nodes])
        row, offset = combine(self.rows, self.offset, weights, intervals[self.linearisation.plan.output])
        extra = self.neurons.rows(-multipliers * self.sides)
        extra |= {node: extra[node] + probe if node in extra else probe for node, probe in (probes or {}).items()}
        bound = self.linearisation.lower(row, slopes=self.neurons.slopes(slopes), extra=extra)
        return torch.where(empty.any(0), _HOLDS, bound[:, 0] + offset)


def combine(rows: Tensor, offset: Tensor, weights: Tensor, outputs: Interval) -> tuple[Tensor, Tensor]:
    """The mean of a goal's rows with given weights, (N, 1, outputs), and its offset, (N,).

    With one row that is the row. With K, each entry of the sum is off by at most gamma_{K+3} of the sum of absolute
    terms, the division by the total weight included; the offset pays for that at the largest outputs there are.
    """
    if rows.shape[1] == 1:
        return rows, offset[:, 0]
    share = (weights / weights.sum(1, keepdim=True).clamp_min(1e-12))[:, :, None]
    slack = 2 * gamma(rows.shape[1] + 4)
    size = (share * rows.abs()).sum(1) * outputs.magnitude.flatten(1)
    lost = slack * (size.sum(1) * (1 + gamma(rows.shape[2] + 2)) + (share[:, :, 0] * offset.abs()).sum(1))
    return (share * rows).sum(1, keepdim=True), (share[:, :, 0] * offset).sum(1) - 2 * lost
