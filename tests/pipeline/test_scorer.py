"""The runtime's scores are those of the file on the inputs in data units."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lipcert.pipeline.images import RawImages
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.scorer import choose_scorer
from lipcert.pipeline.subject import Subject, open_object
from tests.graphs import random, uniform


class _Standardised(nn.Module):
    """A net with a preprocessing of its own, as users name it."""

    def __init__(self) -> None:
        super().__init__()
        self.preprocess = nn.Module()
        self.preprocess.register_buffer("mean", torch.tensor([0.25]))
        self.preprocess.register_buffer("gain", torch.tensor([2.0]))
        self.preprocess.register_buffer("std", torch.tensor([0.5]))
        self.layer = nn.Linear(4, 3)
        self.layer.load_state_dict({"weight": random(3, 4), "bias": random(3, seed=1)})

    def forward(self, x: Tensor) -> Tensor:
        values = self.preprocess
        return self.layer(x * (values.gain / values.std) - values.mean / values.std)


def _subject(model: nn.Module, **preprocess: tuple[float, ...]) -> Subject:
    images = RawImages(images=uniform(6, 4), labels=torch.zeros(6, dtype=torch.long))
    return open_object(model.eval(), AnalyzeRequest(model=Path(), **preprocess), images)


MEAN, STD = {"mean": (0.5,)}, {"std": (0.2,)}


@pytest.mark.parametrize("preprocess", [{}, MEAN, STD, MEAN | STD], ids=str)
def test_a_file_may_call_its_own_tensors_preprocess(preprocess: dict[str, tuple[float, ...]]) -> None:
    subject = _subject(_Standardised(), **preprocess)
    inputs = uniform(6, 4)
    scores = choose_scorer(subject, subject.graph)[0](inputs)
    torch.testing.assert_close(scores.float(), subject.graph(inputs), rtol=1e-5, atol=1e-5)
    assert subject.graph.parameter_count == subject.bare.parameter_count == 16
