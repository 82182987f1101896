"""Where bounds have little to work on: nothing left to do, numbers that overflow or underflow, constants computed."""

from __future__ import annotations

import torch

from lipcert.bounds.bounder import Bounder
from tests.bounds.nets import net, region


def test_choosing_slopes_of_nothing_but_proved_margins_changes_nothing() -> None:
    graph = net("pooled")
    area = region(graph, "linf", 0.0)
    labels = graph(area.centre.float()).argmax(1)
    bounder = Bounder(graph)
    fixed = bounder.margins(area, labels)
    for slopes in ("final", "full"):
        assert torch.equal(bounder.margins(area, labels, slopes=slopes, steps=2), fixed)
