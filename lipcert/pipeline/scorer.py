"""Logits by the file's own runtime: what an attack has to fool."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.attacks import Scorer
from lipcert.graph import Graph
from lipcert.pipeline.subject import Subject, model_inputs

_TINY = 1e-38  # a probability below the smallest float32 reads as this
_NEXT_TO_ONE = 2.0**-25  # above one less this, a probability reads as one in float32


def choose_scorer(subject: Subject, graph: Graph) -> tuple[Scorer, str]:
    """The original runtime on the CPU, and its name; on a GPU, or for an unverified file, the graph.

    A file that computes in integers is judged by its runtime on any device: the graph is its float reading only.

    graph  the subject's graph in the dtype and on the device in use
    """
    oracle = subject.source.oracle
    if oracle is None or (graph.device.type != "cpu" and not subject.source.quantised):
        return graph, "graph"

    def score(batch: Tensor) -> Tensor:
        single = batch.to("cpu", torch.float32)
        output = oracle(model_inputs(subject.graph, single))
        return as_logits(output.reshape(len(batch), math.prod(output.shape[1:])), subject.graph.head)

    return score, oracle.name


def as_logits(output: Tensor, head: str) -> Tensor:
    """Scores (N, classes) whose differences are those of the logits, from what the file gives with its head on.

    Where float32 holds a probability no more, the difference is the smallest that can have led to it: no loss is
    overstated, and a class whose logarithm is -infinity still has a finite score.
    """
    output = output.to(torch.float64)
    if head == "softmax":
        return output.clamp_min(_TINY).log()
    if head == "log_softmax":
        return torch.where(output == -torch.inf, math.log(_TINY), output)
    if head == "sigmoid":
        return torch.cat([(1 - output).clamp_min(_NEXT_TO_ONE).log(), output.clamp_min(_TINY).log()], dim=1)
    if head == "single_logit":
        return torch.cat([torch.zeros_like(output), output], dim=1)
    return output
