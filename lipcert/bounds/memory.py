"""How many bytes a row of a backward pass needs, known before the first row is made."""

from __future__ import annotations

from torch import Size

from lipcert.bounds.plan import Plan
from lipcert.bounds.slides import joins_channels, read_by, steps_of, too_wide
from lipcert.graph import Node
from lipcert.rules.interval import entries

_FLOAT = 8
_COPIES = 6  # of the widest rows at a time: the rows, both signs, gathered slopes, the product, what waits at a sum

DEFAULT_MEMORY = 2**30
"""Bytes that bounds may hold where nobody says: a constant, as how samples are batched may not depend on a machine.

More gains nothing, for rows are taken in portions that fit a processor's cache.
"""


def row_bytes(plan: Plan, target: Node, *, windowed: bool) -> int:
    """Bytes at most that one row of `target` for one sample takes on its way to the input.

    windowed  whether it starts as a window of one place
    """
    extents: dict[Node, Size | None] = {target: Size([1] * (len(entries(target)) - 1)) if windowed else None}
    widest = 1
    for node in plan.up_to(target):
        if node not in extents:
            continue
        extent = extents[node]
        widest = max(widest, entries(node).numel() if extent is None else entries(node)[0] * extent.numel())
        for source in plan.sources[node]:
            extents[source] = (
                _wider(_through(node, source, extent), extents[source])
                if source in extents
                else (_through(node, source, extent))
            )
    return widest * _FLOAT * _COPIES


def _through(node: Node, source: Node, extent: Size | None) -> Size | None:
    """Extent of the window of a source, None where rows are written out."""
    if extent is None or node.op == "input":
        return None
    if steps_of(node) is not None:
        return None if too_wide(node, extent) else read_by(node, extent)
    return extent if entries(source) == entries(node) or joins_channels(node) else None


def _wider(first: Size | None, second: Size | None) -> Size | None:
    if first is None or second is None:
        return None
    return Size(map(max, first, second))
