"""The runtime's scores are those of the file on the inputs in data units."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import lipcert
from lipcert.attacks import Scorer
from lipcert.graph import Graph
from lipcert.graph.scores import cross_entropy
from lipcert.pipeline import attacked
from lipcert.pipeline.images import RawImages
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.scorer import as_logits, choose_scorer
from lipcert.pipeline.subject import InMemory, Subject, open_object
from lipcert.records import AnalyzeSettings
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
    return open_object(model.eval(), AnalyzeRequest(model=Path(), **preprocess), InMemory(images=images))


MEAN, STD = {"mean": (0.5,)}, {"std": (0.2,)}


@pytest.mark.parametrize("preprocess", [{}, MEAN, STD, MEAN | STD], ids=str)
def test_a_file_may_call_its_own_tensors_preprocess(preprocess: dict[str, tuple[float, ...]]) -> None:
    subject = _subject(_Standardised(), **preprocess)
    inputs = uniform(6, 4)
    scores = choose_scorer(subject, subject.graph)[0](inputs)
    torch.testing.assert_close(scores.float(), subject.graph(inputs), rtol=1e-5, atol=1e-5)
    assert subject.graph.parameter_count == subject.bare.parameter_count == 16


def _with_head(logits: Tensor, head: str) -> Tensor:
    heads = {
        "softmax": lambda z: z.softmax(1),
        "log_softmax": lambda z: z.softmax(1).log(),
        "sigmoid": lambda z: z[:, 1:].sigmoid(),
        "single_logit": lambda z: z[:, 1:],
        "logits": lambda z: z,
    }
    return heads[head](logits)


@pytest.mark.parametrize("head", ["softmax", "log_softmax", "sigmoid", "single_logit", "logits"])
def test_a_saturated_head_gives_finite_scores_and_overstates_no_loss(head: str) -> None:
    logit = torch.tensor([-300.0, -95.0, -40.0, -15.0, -1.0, 0.0, 2.0, 14.0, 17.0, 30.0, 200.0])
    logits = torch.stack([torch.zeros_like(logit), logit], dim=1)
    scores = as_logits(_with_head(logits, head), head)
    assert scores.isfinite().all()
    assert ((scores[:, 1] - scores[:, 0]).sign() == logit.sign()).all()
    for label in (0, 1):
        labels = torch.full((len(logit),), label)
        exact = cross_entropy(logits.double(), labels)
        found = cross_entropy(scores, labels)
        assert (found <= exact * 1.02 + 1e-6).all()
        torch.testing.assert_close(found.clamp_max(15), exact.clamp_max(15), rtol=0.02, atol=1e-6)


def test_the_runtime_is_shown_no_point_outside_the_ball_in_float64_either(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Tensor] = []

    def watched(subject: Subject, graph: Graph) -> tuple[Scorer, str]:
        scorer, name = choose_scorer(subject, graph)

        def score(points: Tensor) -> Tensor:
            shown.append(points)
            return scorer(points)

        return score, name

    monkeypatch.setattr(attacked, "choose_scorer", watched)
    settings = AnalyzeSettings(eps={"linf": (0.1,)}, dtype="float64", analyses=("robustness",), effort="fast")
    images, labels = uniform(6, 4), torch.zeros(6, dtype=torch.long)
    lipcert.analyze(_Standardised().eval(), images, labels, settings=settings)
    near = [points.float().double() for points in shown if points.shape == images.shape]
    assert len(near) > 1
    assert all(float((points - images.double()).abs().max()) <= 0.1 for points in near)
